"""The server as a client sees it that has nothing in common with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from runtime.tags import Pump, Station
from tests.servers.modbus.station import Plant
from tests.servers.opcua.image import Image
from tests.servers.opcua.node_opcua import NodeClient
from tests.servers.opcua.serving import Running


@pytest.fixture
def viewer(node: NodeClient, painted_server: Running, image: Image) -> Iterator[NodeClient]:
    """Anonymous, at the painted image."""
    with node.signed_in(painted_server.url) as client:
        yield client


@pytest.fixture
def operator(node: NodeClient, server: Running) -> Iterator[NodeClient]:
    with node.signed_in(server.url, "operator", server.token) as client:
        yield client


def test_it_reads_values_with_units_ranges_status_and_times(
    viewer: NodeClient, image: Image
) -> None:
    with image.change():
        image[Pump.Setpoint][0] = 41.5
    viewer.do("monitor", paths=["North/11/Setpoint"], interval=100)
    while viewer.told()["value"] != 41.5:
        pass
    value = viewer.do("read", path="North/11/Setpoint")
    assert (value["status"], value["type"], value["value"]) == ("Good", "Double", 41.5)
    assert datetime.fromisoformat(value["source"]) == image.scanned
    unit = viewer.do("read", path="North/11/Setpoint/EngineeringUnits")["value"]
    assert (unit["displayName"]["text"], unit["unitId"]) == ("Hz", 4740186)
    scale = viewer.do("read", path="North/11/Setpoint/EURange")["value"]
    assert (scale["low"], scale["high"]) == (0, 100)
    states = viewer.do("read", path="North/11/Mode/EnumStrings")["value"]
    assert [state["text"] for state in states] == ["Auto", "Manual"]
    retired = viewer.do("read", path="North/12/Setpoint")
    assert (retired["status"], retired["value"]) == ("BadOutOfService", None)


def test_it_finds_nodes_by_path_and_by_browsing(operator: NodeClient) -> None:
    assert operator.do("find", path="Calejo/North/11/Setpoint") == ["North/11/Setpoint"]
    assert operator.do("browse", path="/") == ["NodeVersion", "System", "North", "South"]
    assert {"Level", "11", "SetEmergencyStop"} <= set(operator.do("browse", path="North"))


def test_it_browses_in_parts(operator: NodeClient) -> None:
    whole = operator.do("browse", path="North/11")
    parts = operator.do("page", path="North/11", most=40)
    assert parts["names"] == whole
    assert parts["sizes"][:-1] == [40] * (len(whole) // 40)


def test_it_calls_typed_methods_and_hears_of_each_argument(operator: NodeClient) -> None:
    def invoked(method: str, *inputs: list[object]) -> dict[str, object]:
        called: dict[str, object] = operator.do(
            "invoke", object="North/11", method=f"/PumpType/{method}", inputs=inputs
        )
        return called

    assert invoked("SetMode", ["Byte", 1], ["String", "by hand"])["status"] == "Good"
    assert operator.do("read", path="North/11/Mode")["value"] == 1
    speed = invoked("SetManualSetpoint", ["Double", 40.5], ["String", ""])
    assert speed == {"status": "Good", "inputs": ["Good", "Good"]}
    wrong = invoked("SetMode", ["String", "Auto"], ["String", ""])
    assert wrong == {"status": "BadInvalidArgument", "inputs": ["BadTypeMismatch", "Good"]}
    assert invoked("SetMode", ["Byte", 0])["status"] == "BadArgumentsMissing"
    assert invoked("SetMode", ["Byte", 0], ["String", ""])["status"] == "Good"


def test_it_is_told_changes_and_that_the_scan_stands_still(
    viewer: NodeClient, image: Image
) -> None:
    paths = ["North/11/Setpoint", "South/Failsafe"]
    assert viewer.do("monitor", paths=paths, interval=100) == ["Good", "Good"]
    assert {viewer.told()["path"] for _ in paths} == set(paths)
    with image.change():
        image[Station.Failsafe][1] = True
    change = viewer.told()
    assert (change["path"], change["status"], change["value"]) == ("South/Failsafe", "Good", True)
    image.hold()
    still = [viewer.told() for _ in paths]
    assert {value["path"] for value in still} == set(paths)
    for value in still:
        assert (value["status"], value["value"]) == ("BadNoCommunication", None)
        assert datetime.fromisoformat(value["source"]) == image.scanned


def test_it_finds_back_to_its_subscription_when_the_connection_breaks(
    viewer: NodeClient, painted_server: Running, image: Image
) -> None:
    viewer.do("monitor", paths=["North/11/Setpoint"], interval=100)
    assert viewer.told()["value"] == 0
    painted_server.sever()
    assert viewer.told() == {"connection": "reestablished"}
    with image.change():
        image[Pump.Setpoint][0] = 12.5
    while viewer.told()["value"] != 12.5:
        pass


@pytest.mark.parametrize("place", ["System", "South", "North/13"])
def test_the_operator_stops_and_clears(operator: NodeClient, plant: Plant, place: str) -> None:
    stopped = operator.do("call", object=place, method="SetEmergencyStop", reason="smoke")
    assert stopped["status"] == "Good"
    request, scan, latency = stopped["outputs"]
    assert operator.do("read", path=f"{place}/EmergencyStopId")["value"] == request
    assert int(scan) > 0
    assert 0 < latency < 2
    refused = operator.do("call", object=place, method="ClearEmergencyStop", reason="")
    assert refused["status"] == "BadInvalidArgument"
    assert operator.do("read", path=f"{place}/EmergencyStop")["value"] is True
    cleared = operator.do("call", object=place, method="ClearEmergencyStop", reason="no smoke")
    assert cleared["status"] == "Good"
    assert operator.do("read", path=f"{place}/EmergencyStop")["value"] is False


def test_the_operator_does_not_write(operator: NodeClient) -> None:
    assert operator.do("write", path="North/11/Setpoint", value=50.0) == "BadNotWritable"


def test_anonymous_neither_writes_nor_calls(viewer: NodeClient) -> None:
    assert viewer.do("write", path="North/11/Setpoint", value=50.0) == "BadUserAccessDenied"
    refused = viewer.do("call", object="System", method="SetEmergencyStop", reason="?")
    assert (refused["status"], refused["outputs"]) == ("BadUserAccessDenied", [])


@pytest.mark.parametrize(
    "policy", ["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]
)
def test_every_policy_carries_a_sign_in_and_values(
    node: NodeClient, server: Running, plant: Plant, policy: str
) -> None:
    with node.signed_in(server.url, "operator", server.token, policy) as client:
        assert client.do("read", path="System/Scan")["status"] == "Good"


@pytest.mark.parametrize("user", ["admin", "operator"])
def test_nobody_signs_in_without_the_token(node: NodeClient, server: Running, user: str) -> None:
    with (
        pytest.raises(AssertionError, match="BadUserAccessDenied"),
        node.signed_in(server.url, user, "admin"),
    ):
        pass
