"""The node of a condition: what ConditionId names, made when somebody asks for it.

It is one plain object with references to what can be called on it, which are the methods of its
type: a whole instance would be 117 nodes. What a condition is, its events say.
"""

from __future__ import annotations

from typing import cast

from asyncua import ua
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua import references
from runtime.servers.opcua.address_space import NOTIFIER, PlantNode
from runtime.servers.opcua.condition import NAME, OF_PROCESS, OF_SYSTEM
from runtime.servers.opcua.condition_methods import SHELVING
from runtime.servers.opcua.members import common, constant, members_of, standard
from runtime.servers.opcua.plant import Kind, Place, Plant
from runtime.servers.opcua.references import References, node_id
from runtime.tags import System

HAS_CONDITION = standard(ObjectIds.HasCondition)
MACHINE = standard(ObjectIds.ShelvedStateMachineType)
_METHODS = (
    ("ConditionType", ("Enable", "Disable", "AddComment")),
    ("AcknowledgeableConditionType", ("Acknowledge", "Confirm")),
    ("AlarmConditionType", ("Reset", "RemoveFromService", "PlaceInService")),
)
_SHELVING = (("ShelvedStateMachineType", ("TimedShelve", "OneShotShelve", "Unshelve")),)


class ConditionNodes:
    """Turns paths that end with the name of a condition into nodes."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def node(self, path: str) -> PlantNode | None:
        """The node of `<object>/<alarm>/Condition`, or of its state machine of shelving."""
        of_shelving = path.endswith(f"/{NAME}/{SHELVING}")
        above, _, last = path.removesuffix(f"/{SHELVING}").rpartition("/")
        owner, _, name = above.rpartition("/")
        place = self._plant.get(owner)
        member = members_of(place.table).get(name) if place else None
        if last != NAME or place is None or member is None or member.tag is None:
            return None
        if place.kind is not Kind.OBJECT:
            return None
        if member.tag.alarm is None:
            return None
        return _shelving(place, above) if of_shelving else _condition(place, above, name)


def _condition(place: Place, above: str, name: str) -> PlantNode:
    kind = OF_SYSTEM if place.table is System else OF_PROCESS
    doc = f"The alarm {name} of {place.title} as a condition."
    attributes = common(ua.NodeClass.Object, name, name, doc)
    attributes[AttributeIds.EventNotifier] = constant(0, ua.VariantType.Byte)

    def refer() -> References:
        source = references.to_place(place, HAS_CONDITION, forward=False)
        machine = _to_object(f"{above}/{NAME}/{SHELVING}", SHELVING, MACHINE)
        return [source, _to_type(kind), machine, *_to_methods(_METHODS)]

    return PlantNode(node_id(f"{above}/{NAME}"), attributes, refer, place)


def _shelving(place: Place, above: str) -> PlantNode:
    attributes = common(ua.NodeClass.Object, SHELVING, SHELVING, "Methods that shelve the alarm.")
    attributes[AttributeIds.BrowseName] = constant(
        ua.QualifiedName(SHELVING), ua.VariantType.QualifiedName
    )
    attributes[AttributeIds.EventNotifier] = constant(0, ua.VariantType.Byte)
    return PlantNode(
        node_id(f"{above}/{NAME}/{SHELVING}"),
        attributes,
        lambda: [_to_type(MACHINE), *_to_methods(_SHELVING)],
        place,
    )


def _to_methods(owners: tuple[tuple[str, tuple[str, ...]], ...]) -> References:
    return [
        _reference(
            references.HAS_COMPONENT,
            standard(getattr(ObjectIds, f"{owner}_{name}")),
            name,
            ua.NodeClass.Method,
        )
        for owner, names in owners
        for name in names
    ]


def _to_object(path: str, name: str, kind: ua.ExpandedNodeId) -> ua.ReferenceDescription:
    found = _reference(references.HAS_COMPONENT, node_id(path), name, ua.NodeClass.Object)
    found.TypeDefinition = kind
    return found


def _to_type(kind: ua.NodeId) -> ua.ReferenceDescription:
    target = standard(int(str(kind.Identifier)))
    return _reference(references.HAS_TYPE, target, "", ua.NodeClass.ObjectType)


def _reference(
    kind: ua.NodeId, target: ua.ExpandedNodeId, name: str, node_class: ua.NodeClass
) -> ua.ReferenceDescription:
    return ua.ReferenceDescription(
        ReferenceTypeId=kind,
        IsForward=cast(ua.Boolean, True),  # a name for bool
        NodeId=target,
        BrowseName=ua.QualifiedName(name),
        DisplayName=ua.LocalizedText(name),
        NodeClass=node_class,
    )


def listening(aspace: Standard) -> None:
    """Let clients listen to events at the Server object, and read those that were."""
    server = aspace[standard(ObjectIds.Server)]
    server.attributes[AttributeIds.EventNotifier] = constant(NOTIFIER, ua.VariantType.Byte)
