"""Requests of every OPC UA service, to be spoiled: well-formed, about nodes that are there."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import struct_to_binary

from runtime.servers.opcua.references import OBJECTS, node_id

PUMP = "North/11"


@lru_cache(8)
def requests(token: ua.NodeId) -> list[bytes]:
    """One body for each, of the session with this token."""
    value, setpoint = ua.IntegerId(AttributeIds.Value), node_id(f"{PUMP}/Setpoint")
    reading = ua.ReadValueId(setpoint, value)
    number = ua.DataValue(ua.Variant(41.5, ua.VariantType.Double))
    array = ua.DataValue(ua.Variant([1, 2, 3], ua.VariantType.Int32, [ua.Int32(3)]))
    nested = ua.DataValue(ua.Variant([ua.Variant("a"), ua.Variant(1.0)], ua.VariantType.Variant))
    writing = [ua.WriteValue(setpoint, value, "", wrong) for wrong in (number, array, nested)]
    writing.append(ua.WriteValue(node_id(f"{PUMP}/ManualSetpoint"), value, "", number))
    reason = ua.Variant("why", ua.VariantType.String)
    stop = ua.CallMethodRequest(node_id(PUMP), node_id(f"{PUMP}/SetEmergencyStop"), [reason])
    mode = ua.CallMethodRequest(node_id(PUMP), node_id(f"{PUMP}/SetMode"), [reason, reason])
    element: Any = ua.RelativePathElement  # whose types are no types
    step = element(node_id("x"), False, True, ua.QualifiedName("Calejo", 2))
    deadband = ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, ua.UInt32(1), ua.Double(1.0))
    wishes = ua.MonitoringParameters(ua.IntegerId(1), ua.Duration(100.0), deadband, 5, True)
    item = ua.MonitoredItemCreateRequest(reading, ua.MonitoringMode.Reporting, wishes)
    event = ua.MonitoringParameters(Filter=ua.EventFilter())
    of_event = ua.MonitoredItemCreateRequest(ua.ReadValueId(OBJECTS), RequestedParameters=event)
    acknowledged = [ua.SubscriptionAcknowledgement(ua.IntegerId(1), ua.Counter(1))]
    details = ua.HistoryReadParameters(NodesToRead=[ua.HistoryReadValueId(setpoint)])
    subscription = ua.IntegerId(1)
    found: list[Any] = [
        ua.GetEndpointsRequest(Parameters=ua.GetEndpointsParameters("opc.tcp://a:1/b")),
        ua.FindServersRequest(Parameters=ua.FindServersParameters("opc.tcp://a:1/b")),
        ua.ReadRequest(Parameters=ua.ReadParameters(NodesToRead=[reading] * 5)),
        ua.WriteRequest(Parameters=ua.WriteParameters(writing)),
        ua.CallRequest(Parameters=ua.CallParameters([stop, mode])),
        ua.BrowseRequest(
            Parameters=ua.BrowseParameters(NodesToBrowse=[ua.BrowseDescription(node_id(PUMP))])
        ),
        ua.BrowseNextRequest(Parameters=ua.BrowseNextParameters(True, [b"point"])),
        ua.TranslateBrowsePathsToNodeIdsRequest(
            Parameters=ua.TranslateBrowsePathsToNodeIdsParameters(
                [ua.BrowsePath(OBJECTS, ua.RelativePath([step, step]))]
            )
        ),
        ua.RegisterNodesRequest(Parameters=ua.RegisterNodesParameters([setpoint])),
        ua.CreateSubscriptionRequest(
            Parameters=ua.CreateSubscriptionParameters(ua.Duration(100.0), 10, 3, 0, True, 0)
        ),
        ua.ModifySubscriptionRequest(Parameters=ua.ModifySubscriptionParameters(subscription)),
        ua.CreateMonitoredItemsRequest(
            Parameters=ua.CreateMonitoredItemsParameters(
                subscription, ua.TimestampsToReturn.Both, [item, of_event]
            )
        ),
        ua.SetPublishingModeRequest(
            Parameters=ua.SetPublishingModeParameters(True, [subscription])
        ),
        ua.PublishRequest(Parameters=ua.PublishParameters(acknowledged)),
        ua.RepublishRequest(Parameters=ua.RepublishParameters(subscription, ua.Counter(1))),
        ua.DeleteSubscriptionsRequest(Parameters=ua.DeleteSubscriptionsParameters([subscription])),
        ua.TransferSubscriptionsRequest(
            Parameters=ua.TransferSubscriptionsParameters([subscription], True)
        ),
        ua.HistoryReadRequest(Parameters=details),
        ua.AddNodesRequest(Parameters=ua.AddNodesParameters([ua.AddNodesItem(OBJECTS)])),
        ua.DeleteNodesRequest(
            Parameters=ua.DeleteNodesParameters([ua.DeleteNodesItem(node_id(PUMP))])
        ),
        ua.CreateSessionRequest(Parameters=ua.CreateSessionParameters(ClientNonce=b"n" * 32)),
        ua.ActivateSessionRequest(
            Parameters=ua.ActivateSessionParameters(
                UserIdentityToken=ua.UserNameIdentityToken("x", "operator", b"x" * 256)
            )
        ),
    ]
    for request in found:
        request.RequestHeader.AuthenticationToken = token
    return [struct_to_binary(request) for request in found]


def read(token: ua.NodeId) -> bytes:
    """A request that is right: whoever answers it is well."""
    request = ua.ReadRequest()
    request.RequestHeader.AuthenticationToken = token
    status = ua.ReadValueId(node_id("System/Live"), ua.IntegerId(AttributeIds.Value))
    request.Parameters = ua.ReadParameters(NodesToRead=[status])
    return struct_to_binary(request)
