"""OPC UA's own nodes, made when somebody asks for them.

asyncua makes all six thousand of them, with all their attributes and references, before the server
can start; hardly any client ever looks at more than a few hundred. Here each node keeps what it is
described by (asyncua's generated description of it), and becomes what asyncua would have made of it
when it is first read, browsed or called.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

from asyncua import ua
from asyncua.server.address_space import (
    AddressSpace,
    AttributeValue,
    NodeData,
    NodeManagementService,
)
from asyncua.server.standard_address_space import standard_address_space
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua.attributes import standard

HAS_TYPE = standard(ObjectIds.HasTypeDefinition)

Link = tuple[ua.NodeId, ua.NodeId, bool]  # reference type, target, forward


class StandardNode(NodeData):
    """A node that is described, and made at first use."""

    def __init__(self, item: ua.AddNodesItem, service: _Collecting) -> None:
        self.nodeid = cast(ua.NodeId, item.RequestedNewNodeId)
        self.call = None
        self.item: ua.AddNodesItem | None = item
        self.links: list[Link] = []
        self._service = service
        self._attributes: dict[AttributeIds, AttributeValue] = {}
        self._references: list[ua.ReferenceDescription] | None = None

    @property
    def attributes(self) -> dict[AttributeIds, AttributeValue]:
        if self.item is not None:
            item, self.item = self.item, None
            self._service._add_node_attributes(self, item, add_timestamps=False)
        return self._attributes

    @attributes.setter
    def attributes(self, value: dict[AttributeIds, AttributeValue]) -> None:
        raise AttributeError("attributes are made from the description of the node")

    @property
    def references(self) -> list[ua.ReferenceDescription]:
        if self._references is None:
            links, self.links = dict.fromkeys(self.links), []
            self._references = [self._service.describe(*link) for link in links]
        return self._references

    @references.setter
    def references(self, value: list[ua.ReferenceDescription]) -> None:
        self._references = value


class _Collecting(NodeManagementService):
    """Takes asyncua's descriptions of nodes and references, and makes nothing of them yet."""

    def __init__(self, aspace: AddressSpace) -> None:
        super().__init__(aspace)
        self.kinds: dict[ua.NodeId, ua.NodeId] = {}  # the type of each object and variable

    def try_add_nodes(
        self, addnodeitems: list[ua.AddNodesItem], *rest: Any, check: bool = True
    ) -> Generator[ua.AddNodesItem, None, None]:
        for item in addnodeitems:
            above = cast(StandardNode | None, self._aspace.get(item.ParentNodeId))
            if above is None and not item.ParentNodeId.is_null():
                yield item  # comes again once its parent is there
                continue
            node = self._aspace[item.RequestedNewNodeId] = StandardNode(item, self)
            if above is not None:
                above.links.append((item.ReferenceTypeId, node.nodeid, True))
                node.links.append((item.ReferenceTypeId, item.ParentNodeId, False))
            if not item.TypeDefinition.is_null():
                node.links.append((HAS_TYPE, item.TypeDefinition, True))
                self.kinds[node.nodeid] = item.TypeDefinition

    def try_add_references(
        self, refs: list[ua.AddReferencesItem], *rest: Any
    ) -> Generator[ua.AddReferencesItem, None, None]:
        for item in refs:
            source = cast(StandardNode | None, self._aspace.get(item.SourceNodeId))
            if source is None or item.TargetNodeId not in self._aspace:
                yield item
                continue
            forward = bool(item.IsForward)
            source.links.append((item.ReferenceTypeId, item.TargetNodeId, forward))
            if forward and item.ReferenceTypeId == HAS_TYPE:
                self.kinds[source.nodeid] = item.TargetNodeId

    def describe(self, kind: ua.NodeId, target: ua.NodeId, forward: bool) -> Any:
        """A reference as a client is told of it."""
        attributes = self._aspace[target].attributes
        values = (attributes[wanted].value for wanted in _TOLD)
        name, title, node_class = (v.Value.Value for v in values if v and v.Value)
        definition = self.kinds.get(target, ua.ExpandedNodeId())
        return ua.ReferenceDescription(
            kind, cast(ua.Boolean, forward), target, name, title, node_class, definition
        )


_TOLD = (AttributeIds.BrowseName, AttributeIds.DisplayName, AttributeIds.NodeClass)


def fill(aspace: AddressSpace) -> None:
    """Put OPC UA's own nodes into an address space."""
    standard_address_space.fill_address_space(_Collecting(aspace))  # type: ignore[no-untyped-call]
