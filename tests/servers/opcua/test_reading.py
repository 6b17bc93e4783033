"""A read that has been prepared answers as one that has not."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.attribute_ids import AttributeIds

from runtime.servers.opcua.reading import MOST_PLANS, Reading
from runtime.servers.opcua.values import OWN
from runtime.tags import Pump, System, shown
from tests.processes import until
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import Running, awaited, node, read, status

PATHS = [
    *(f"North/11/{tag.name}" for tag in shown(Pump)),
    *(f"System/{tag.name}" for tag in shown(System) if tag not in OWN),
    *("North/12/Setpoint", "South/Level"),  # retired, Bad
]


def _read(client: Client, *wanted: ua.ReadValueId) -> list[ua.DataValue]:
    found: list[ua.DataValue] = awaited(
        client, client.aio_obj.uaclient.read(ua.ReadParameters(NodesToRead=list(wanted)))
    )
    return found


def _value(client: Client, path: str, **wishes: object) -> ua.ReadValueId:
    return ua.ReadValueId(node(client, path).nodeid, ua.IntegerId(AttributeIds.Value), **wishes)


def test_all_values_are_what_each_is_beside_an_attribute(
    painted_server: Running, viewer: Client, image: Image
) -> None:
    with image.change():
        image[Pump.Setpoint][0], image[Pump.TargetSpeed][0] = 12.5, float("inf")
    until(lambda: node(viewer, "North/11/Setpoint").read_value() == 12.5)
    steady = [path for path in PATHS if path != "System/Scan"]
    values = [_value(viewer, path) for path in steady]
    name = ua.ReadValueId(values[0].NodeId, ua.IntegerId(AttributeIds.BrowseName))
    usual = _read(viewer, *values, name)[:-1]  # the name lets all be read as usual
    known = len(painted_server.server.core.reading._plans)
    for _ in range(2):
        prepared = _read(viewer, *values)
        assert len(painted_server.server.core.reading._plans) == known + 1
        for path, one, other in zip(steady, prepared, usual, strict=True):
            assert (one.Value, one.StatusCode) == (other.Value, other.StatusCode), path
            assert one.SourceTimestamp == other.SourceTimestamp, path


def test_a_read_that_comes_again_has_the_values_of_its_time(viewer: Client, image: Image) -> None:
    for speed in (1.0, 2.0):
        with image.change():
            image[Pump.Setpoint][0] = speed
        until(lambda: node(viewer, "North/11/Setpoint").read_value() == speed)  # noqa: B023
    with image.change():
        image[Pump.Configured][0] = False
    until(lambda: status(read(viewer, "North/11/Setpoint")) == "BadOutOfService")


@pytest.mark.parametrize(
    "path", ["North/11", "North/99/Setpoint", "North/11/Setpoint/EURange", "System/Live"]
)
def test_what_is_no_value_of_a_tag_is_not_prepared(
    painted_server: Running, viewer: Client, path: str
) -> None:
    known = len(painted_server.server.core.reading._plans)
    _read(viewer, _value(viewer, path))
    assert len(painted_server.server.core.reading._plans) == known


def test_only_so_many_reads_are_remembered(painted_server: Running, viewer: Client) -> None:
    core = painted_server.server.core
    reading = Reading(core.aspace, core.reading._values)
    for _ in range(MOST_PLANS + 5):
        reading._remember(len(reading._plans).to_bytes(4, "little") * (1 + _), [])
    assert len(reading._plans) <= MOST_PLANS
    assert reading._octets == sum(map(len, reading._plans))
