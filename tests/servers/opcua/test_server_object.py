"""What the Server object says: how good the server is, its state, its limits, what it lacks."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua import limits
from runtime.servers.opcua.attributes import standard
from runtime.servers.opcua.references import node_id
from runtime.tag import Tag
from runtime.tags import Station, System
from tests.processes import until
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import awaited, refused

CAPABILITIES = "Server_ServerCapabilities"


def value(client: Client, name: str) -> ua.DataValue:
    found = client.get_node(standard(getattr(ObjectIds, name)))
    read: ua.DataValue = found.read_data_value(raise_on_bad_status=False)
    return read


def plain(client: Client, name: str) -> object:
    found = value(client, name)
    assert found.Value is not None
    return found.Value.Value


@pytest.mark.parametrize(
    ("shown", "level"),
    [
        ({}, 255),
        ({System.Fault: 0}, 10),
        ({System.DatabaseLost: 0}, 100),
        ({Station.Failsafe: 1}, 150),
        ({Station.Failsafe: slice(0, 2)}, 101),
    ],
)
def test_the_service_level_follows_the_health_of_scan_and_plan(
    viewer: Client, image: Image, shown: dict[Tag, int | slice], level: int
) -> None:
    with image.change():
        for tag, row in shown.items():
            image[tag][row] = True
    until(lambda: plain(viewer, "Server_ServiceLevel") == level)
    assert plain(viewer, "Server_ServerStatus_State") == ua.ServerState.Running


def test_a_scan_that_stands_still_is_a_fault_of_communication(viewer: Client, image: Image) -> None:
    image.hold()
    until(lambda: plain(viewer, "Server_ServiceLevel") == 1)
    fault = ua.ServerState.CommunicationFault
    until(lambda: plain(viewer, "Server_ServerStatus_State") == fault)
    whole = plain(viewer, "Server_ServerStatus")
    assert isinstance(whole, ua.ServerStatusDataType)
    assert whole.State == fault
    image.go_on()
    until(lambda: plain(viewer, "Server_ServiceLevel") == 255)
    until(lambda: plain(viewer, "Server_ServerStatus_State") == ua.ServerState.Running)


def test_the_limits_that_are_told_are_those_that_are_enforced(anonymous: Client) -> None:
    told = {
        f"{CAPABILITIES}_OperationLimits_MaxNodesPerRead": limits.MOST_READ,
        f"{CAPABILITIES}_OperationLimits_MaxNodesPerBrowse": limits.MOST_BROWSED,
        f"{CAPABILITIES}_OperationLimits_MaxNodesPerMethodCall": limits.MOST_CALLED,
        f"{CAPABILITIES}_OperationLimits_MaxMonitoredItemsPerCall": limits.MOST_ITEMS_AT_ONCE,
        f"{CAPABILITIES}_MaxBrowseContinuationPoints": limits.MOST_BROWSES,
        f"{CAPABILITIES}_MaxSubscriptionsPerSession": limits.MOST_SUBSCRIPTIONS,
        "Server_ServerRedundancy_RedundancySupport": 0,
        "Server_Auditing": False,
    }
    for name, expected in told.items():
        assert plain(anonymous, name) == expected
    pump = node_id("North/11/SetEmergencyStop")
    calls = [ua.CallMethodRequest(pump, pump)] * (limits.MOST_CALLED + 1)
    with refused("BadTooManyOperations"):
        awaited(anonymous, anonymous.aio_obj.uaclient.call(calls))


def test_what_the_server_does_not_have_is_not_shown(anonymous: Client) -> None:
    for name in (
        "ServerConfiguration",
        f"{CAPABILITIES}_OperationLimits_MaxNodesPerNodeManagement",
        "Server_EstimatedReturnTime",
    ):
        found = standard(getattr(ObjectIds, name))
        with refused("BadNodeIdUnknown"):
            anonymous.get_node(found).read_node_class()
    below = anonymous.nodes.server.get_children()
    assert standard(ObjectIds.ServerConfiguration) not in [found.nodeid for found in below]


def test_diagnostics_are_off_and_say_so(anonymous: Client) -> None:
    assert plain(anonymous, "Server_ServerDiagnostics_EnabledFlag") is False
    for name in ("ServerDiagnosticsSummary", "SubscriptionDiagnosticsArray"):
        found = value(anonymous, f"Server_ServerDiagnostics_{name}")
        assert found.StatusCode is not None
        assert found.StatusCode.name == "BadNotReadable"
