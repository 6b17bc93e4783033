"""The address space: nodes that are made when somebody asks for them.

`Objects/Calejo/<station>/<pump>/<Tag>`, with `<station>/<pump>/<Tag>` as string node id. Nothing is
stored for a variable: its path says which tag of which object it is. So 10,000 pumps cost what
their names cost, and a new pump is there as soon as its name is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asyncua import ua
from asyncua.server.address_space import NodeData
from asyncua.ua.attribute_ids import AttributeIds

from runtime.servers.opcua import references
from runtime.servers.opcua.attributes import INDEX, Attributes, common, constant
from runtime.servers.opcua.members import NODE_VERSION, Member, members_of
from runtime.servers.opcua.plant import Kind, Place, Plant
from runtime.servers.opcua.properties import Property
from runtime.servers.opcua.references import References
from runtime.servers.opcua.values import Lazy, Values

NOTIFIER = ua.EventNotifier.SubscribeToEvents.mask | ua.EventNotifier.HistoryRead.mask


class PlantNode(NodeData):
    """A node of ours, and what it stands for. References are made when somebody browses."""

    def __init__(
        self,
        nodeid: ua.NodeId,
        attributes: Attributes,
        refer: Callable[[], References],
        place: Place,
        member: Member | None = None,
    ) -> None:
        self.nodeid = nodeid
        self.attributes = attributes.copy()
        self.attributes[AttributeIds.NodeId] = Lazy(lambda: _id(nodeid))
        self.call = None
        self.place = place
        self.member = member
        self._refer = refer

    @property
    def references(self) -> References:
        return self._refer()

    @references.setter
    def references(self, value: References) -> None:
        raise AttributeError("the plant decides what refers to what")


class AddressSpace:
    """Turns paths into nodes."""

    def __init__(self, plant: Plant, values: Values) -> None:
        self.plant = plant
        self._values = values
        self.also: Callable[[str], PlantNode | None] = lambda path: None  # nodes of another kind

    def node(self, nodeid: ua.NodeId) -> PlantNode | None:
        """The node with an id of our namespace."""
        path = nodeid.Identifier
        if not isinstance(path, str):
            return None
        place = self.plant.get(path)
        if place is not None:
            return _object(nodeid, place)
        above, _, last = path.rpartition("/")
        place, member = self._member(above, last)
        if place is not None and member is not None:
            return self._variable_or_method(nodeid, place, member)
        beyond, _, name = above.rpartition("/")
        place, member = self._member(beyond, name)
        if place is not None and member is not None and last in member.properties:
            return _property(nodeid, place, member, member.properties[last])
        return self.also(path)

    def child(self, nodeid: ua.NodeId, name: ua.QualifiedName) -> ua.ReferenceDescription | None:
        """The child that a browse name means."""
        node = self.node(nodeid)
        if node is None:
            return None
        place, member = node.place, node.member
        if member is not None:
            entry = member.properties.get(name.Name) if name.NamespaceIndex == 0 else None
            return references.to_property(place, member, entry) if entry else None
        child = place.child(name.Name) if name.NamespaceIndex == INDEX else None
        if child is not None:
            return references.to_child(place, child)
        member = members_of(place.table).get(name.Name)
        if member is None or member.namespace != name.NamespaceIndex:
            return None
        return references.to_member(place, member)

    def _member(self, path: str, name: str) -> tuple[Place | None, Member | None]:
        place = self.plant.get(path)
        return place, members_of(place.table).get(name) if place else None

    def _variable_or_method(self, nodeid: ua.NodeId, place: Place, member: Member) -> PlantNode:
        node = PlantNode(
            nodeid, member.attributes, lambda: references.of_member(place, member), place, member
        )
        if member.tag is not None:
            tag, read = member.tag, self._values.read
            node.attributes[AttributeIds.Value] = Lazy(lambda: read(tag, place))
        elif member is NODE_VERSION:
            node.attributes[AttributeIds.Value] = Lazy(lambda: _version(place))
        elif member.method is not None:
            node.attributes[AttributeIds.Executable] = Lazy(lambda: _executable(place))
        return node


def _id(nodeid: ua.NodeId) -> ua.DataValue:
    return ua.DataValue(ua.Variant(nodeid, ua.VariantType.NodeId))


def _version(place: Place) -> ua.DataValue:
    return ua.DataValue(ua.Variant(str(place.version), ua.VariantType.String))


def _executable(place: Place) -> ua.DataValue:
    """Nothing can be asked of what is retired."""
    return ua.DataValue(ua.Variant(place.present, ua.VariantType.Boolean))


def _object(nodeid: ua.NodeId, place: Place) -> PlantNode:
    doc = (place.table.__doc__ or "").partition("\n")[0] if place.table else ""
    kind = ua.NodeClass.ObjectType if place.kind is Kind.TYPE else ua.NodeClass.Object
    attributes = common(kind, place.name, place.title, doc)
    if place.kind is Kind.TYPE:
        attributes[AttributeIds.IsAbstract] = constant(False, ua.VariantType.Boolean)
    else:
        heard = place.kind is Kind.OBJECT or place.parent is None  # a group is told nothing
        level = NOTIFIER if heard else 0
        attributes[AttributeIds.EventNotifier] = constant(level, ua.VariantType.Byte)
    return PlantNode(nodeid, attributes, lambda: references.of_place(place), place)


def _property(nodeid: ua.NodeId, place: Place, member: Member, entry: Property) -> PlantNode:
    return PlantNode(nodeid, entry.attributes, lambda: references.of_property(place, member), place)


class Nodes(dict[ua.NodeId, NodeData]):
    """All nodes by id: OPC UA's own, which are stored, and ours, which are made."""

    def __init__(self, standard: dict[ua.NodeId, NodeData], space: AddressSpace) -> None:
        super().__init__(standard)
        self._space = space

    def __missing__(self, nodeid: ua.NodeId) -> NodeData:
        node = self._space.node(nodeid) if nodeid.NamespaceIndex == INDEX else None
        if node is None:
            raise KeyError(nodeid)
        return node

    def get(self, nodeid: ua.NodeId, default: Any = None) -> Any:
        if nodeid.NamespaceIndex == INDEX:
            return self._space.node(nodeid) or default
        return super().get(nodeid, default)

    def __contains__(self, nodeid: object) -> bool:
        if isinstance(nodeid, ua.NodeId) and nodeid.NamespaceIndex == INDEX:
            return self._space.node(nodeid) is not None
        return super().__contains__(nodeid)
