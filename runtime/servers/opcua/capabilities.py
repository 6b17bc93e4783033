"""What the Server object says of this server: what it can do, how much of it, and what it does not.

Limits are those that are enforced (`limits`). What the server lacks is left out or said to be off,
never shown as an empty value that somebody could take for one.
"""

from __future__ import annotations

from asyncua import ua
from asyncua.server.address_space import AddressSpace
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIdNames, ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua import limits
from runtime.servers.opcua.attributes import constant, standard

_CAPABILITIES = "Server_ServerCapabilities"
_OPERATIONS = f"{_CAPABILITIES}_OperationLimits"
_DIAGNOSTICS = "Server_ServerDiagnostics"

_COUNTS = {
    f"{_OPERATIONS}_MaxNodesPerRead": limits.MOST_READ,
    f"{_OPERATIONS}_MaxNodesPerWrite": limits.MOST_READ,
    f"{_OPERATIONS}_MaxNodesPerTranslateBrowsePathsToNodeIds": limits.MOST_READ,
    f"{_OPERATIONS}_MaxNodesPerBrowse": limits.MOST_BROWSED,
    f"{_OPERATIONS}_MaxNodesPerRegisterNodes": limits.MOST_REGISTERED,
    f"{_OPERATIONS}_MaxNodesPerMethodCall": limits.MOST_CALLED,
    f"{_OPERATIONS}_MaxMonitoredItemsPerCall": limits.MOST_ITEMS_AT_ONCE,
    f"{_CAPABILITIES}_MaxStringLength": limits.LARGEST_MESSAGE,
    f"{_CAPABILITIES}_MaxByteStringLength": limits.LARGEST_MESSAGE,
    f"{_CAPABILITIES}_MaxArrayLength": limits.MOST_ELEMENTS,
    f"{_CAPABILITIES}_MaxSubscriptions": limits.MOST_SUBSCRIPTIONS_OF_ALL,
    f"{_CAPABILITIES}_MaxSubscriptionsPerSession": limits.MOST_SUBSCRIPTIONS,
    f"{_CAPABILITIES}_MaxMonitoredItems": limits.MOST_ITEMS,
    f"{_CAPABILITIES}_MaxMonitoredItemsPerSubscription": limits.MOST_ITEMS,
    f"{_CAPABILITIES}_MaxMonitoredItemsQueueSize": limits.MOST_QUEUED,
}
_LEFT_OUT = (  # of services that aren't there: no limit would mean "as many as wished"
    f"{_OPERATIONS}_MaxNodesPerNodeManagement",
    f"{_OPERATIONS}_MaxNodesPerHistoryUpdateData",
    f"{_OPERATIONS}_MaxNodesPerHistoryUpdateEvents",
    f"{_CAPABILITIES}_ConformanceUnits",
    f"{_CAPABILITIES}_MaxSelectClauseParameters",
    f"{_CAPABILITIES}_MaxWhereClauseParameters",
    f"{_CAPABILITIES}_MaxLogObjectContinuationPoints",
    "Server_ServerRedundancy_CurrentServerId",
    "Server_ServerRedundancy_RedundantServerArray",
    "Server_ServerRedundancy_ServerUriArray",
    "Server_ServerRedundancy_ServerNetworkGroups",
    "Server_EstimatedReturnTime",
    "Server_LocalTime",
    "Server_UrisVersion",
    # Objects and methods that OPC UA defines and this server does not have.
    "ServerConfiguration",
    "PublishSubscribe",
    "ServerLog",
    "Server_SetSubscriptionDurable",
    "Server_RequestServerStateChange",
)
_DOUBLE, _UINT16 = ua.VariantType.Double, ua.VariantType.UInt16
_TEXT = ua.VariantType.LocalizedText
_NOT_READABLE = ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(StatusCodes.BadNotReadable)))


def tell(aspace: AddressSpace, sessions: int) -> None:
    """Fill in the Server object of a server that takes so many sessions."""
    for name, most in _COUNTS.items():
        _set(aspace, name, most, ua.VariantType.UInt32)
    _set(aspace, f"{_CAPABILITIES}_MaxSessions", sessions, ua.VariantType.UInt32)
    _set(aspace, f"{_CAPABILITIES}_MinSupportedSampleRate", limits.TICK * 1e3, _DOUBLE)
    _set(aspace, f"{_CAPABILITIES}_MaxBrowseContinuationPoints", limits.MOST_BROWSES, _UINT16)
    _set(aspace, f"{_CAPABILITIES}_MaxQueryContinuationPoints", 0, _UINT16)
    _set(aspace, f"{_CAPABILITIES}_LocaleIdArray", ["en"], ua.VariantType.String)
    _set(aspace, f"{_CAPABILITIES}_ServerProfileArray", [], ua.VariantType.String)
    _set(aspace, f"{_CAPABILITIES}_SoftwareCertificates", [], ua.VariantType.ExtensionObject)
    # A standby of ours serves nobody: whoever fails over to another server does it by address.
    _set(aspace, "Server_ServerRedundancy_RedundancySupport", 0, ua.VariantType.Int32)
    _set(aspace, "Server_Auditing", False, ua.VariantType.Boolean)  # the trail is in the database
    _set(aspace, "Server_ServerStatus_SecondsTillShutdown", 0, ua.VariantType.UInt32)
    _set(aspace, "Server_ServerStatus_ShutdownReason", ua.LocalizedText(), _TEXT)
    for name in _LEFT_OUT:
        _remove(aspace, standard(getattr(ObjectIds, name)))
    _switch_diagnostics_off(aspace)


def _switch_diagnostics_off(aspace: AddressSpace) -> None:
    """Diagnostics are not collected: Part 5 (6.3.3) has their variables say Bad_NotReadable."""
    for number, name in ObjectIdNames.items():
        node = aspace.get(standard(number)) if name.startswith(f"{_DIAGNOSTICS}_") else None
        if node is not None and AttributeIds.Value in node.attributes:
            node.attributes[AttributeIds.Value].value = _NOT_READABLE
    _set(aspace, f"{_DIAGNOSTICS}_EnabledFlag", False, ua.VariantType.Boolean)
    flag = aspace[standard(ObjectIds.Server_ServerDiagnostics_EnabledFlag)]
    for access in (AttributeIds.AccessLevel, AttributeIds.UserAccessLevel):
        flag.attributes[access] = constant(ua.AccessLevel.CurrentRead.mask, ua.VariantType.Byte)


def _set(aspace: AddressSpace, name: str, value: object, kind: ua.VariantType) -> None:
    node = aspace[standard(getattr(ObjectIds, name))]
    node.attributes[AttributeIds.Value] = constant(value, kind)


def _remove(aspace: AddressSpace, nodeid: ua.NodeId) -> None:
    """Take an optional node away, and what refers to it."""
    node = aspace.get(nodeid)
    if node is None:
        return
    for reference in node.references:
        above = aspace.get(reference.NodeId)
        if above is not None and not reference.IsForward:
            above.references[:] = [one for one in above.references if one.NodeId != nodeid]
    del aspace[nodeid]
