"""What the Server object says of history: what can be read, and how much at once (Part 11, 5.4)."""

from __future__ import annotations

from typing import cast

from asyncua import ua
from asyncua.server.address_space import AddressSpace
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIdNames, ObjectIds

from runtime.servers.opcua import references
from runtime.servers.opcua.aggregates import AGGREGATES
from runtime.servers.opcua.attributes import constant, standard
from runtime.servers.opcua.event_history import MOST_EVENTS
from runtime.servers.opcua.history import MOST_NODES, MOST_VALUES

_HERE = "HistoryServerCapabilities"
_LIMITS = "Server_ServerCapabilities_OperationLimits"
_FOLDERS = (f"{_HERE}_AggregateFunctions", "Server_ServerCapabilities_AggregateFunctions")
_UINT32, _BOOLEAN = ua.VariantType.UInt32, ua.VariantType.Boolean
_COUNTS = {
    f"{_HERE}_MaxReturnDataValues": MOST_VALUES,
    f"{_HERE}_MaxReturnEventValues": MOST_EVENTS,
    f"{_LIMITS}_MaxNodesPerHistoryReadData": MOST_NODES,
    f"{_LIMITS}_MaxNodesPerHistoryReadEvents": MOST_NODES,
}
_OFFERED = {
    f"{_HERE}_AccessHistoryDataCapability": True,
    f"{_HERE}_AccessHistoryEventsCapability": True,
    f"{_HERE}_ServerTimestampSupported": False,
    **{
        f"{_HERE}_{change}Capability": False
        for change in (
            *("InsertData", "ReplaceData", "UpdateData", "DeleteRaw", "DeleteAtTime"),
            *("InsertEvent", "ReplaceEvent", "UpdateEvent", "DeleteEvent", "InsertAnnotation"),
        )
    },
}


def tell(aspace: AddressSpace) -> None:
    """Fill in what is offered: to read, and never to change what was."""
    for name, most in _COUNTS.items():
        _set(aspace, name, most, _UINT32)
    for name, offered in _OFFERED.items():
        _set(aspace, name, offered, _BOOLEAN)
    points = "Server_ServerCapabilities_MaxHistoryContinuationPoints"
    _set(aspace, points, 0, ua.VariantType.UInt16)  # as many as wished: a point costs nothing
    for name in _FOLDERS:
        folder = aspace[standard(getattr(ObjectIds, name))]
        folder.references += [_to_function(function) for function in AGGREGATES]


def _set(aspace: AddressSpace, name: str, value: object, kind: ua.VariantType) -> None:
    node = aspace[standard(getattr(ObjectIds, name))]
    node.attributes[AttributeIds.Value] = constant(value, kind)


def _to_function(function: ua.NodeId) -> ua.ReferenceDescription:
    number = int(str(function.Identifier))
    name = ObjectIdNames[number].removeprefix("AggregateFunction_")
    return ua.ReferenceDescription(
        ReferenceTypeId=references.ORGANIZES,
        IsForward=cast(ua.Boolean, True),  # a name for bool
        NodeId=standard(number),
        BrowseName=ua.QualifiedName(name),
        DisplayName=ua.LocalizedText(name),
        NodeClass=ua.NodeClass.Object,
        TypeDefinition=standard(ObjectIds.AggregateFunctionType),
    )
