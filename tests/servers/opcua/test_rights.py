"""What each role may do is told, and enforced."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from runtime.servers.opcua.references import node_id
from tests.processes import until
from tests.servers.modbus.station import Plant
from tests.servers.opcua.attacking import (
    PASSWORD,
    PEOPLE,
)
from tests.servers.opcua.calling import called, text
from tests.servers.opcua.serving import (
    Running,
    awaited,
)
from tests.servers.state import refusals


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_call_and_write_is_told_and_enforced(
    guarded: Running, plant: Plant, person: str
) -> None:
    controls = person in ("operator", "engineer")
    executable = ua.ReadValueId(
        node_id("North/11/SetEmergencyStop"), ua.IntegerId(AttributeIds.UserExecutable)
    )
    level = ua.ReadValueId(node_id("North/11/Setpoint"), ua.IntegerId(AttributeIds.UserAccessLevel))
    with guarded.client(f"{person}-1", PASSWORD) as client:
        wanted = ua.ReadParameters(NodesToRead=[executable, level])
        told = awaited(client, client.aio_obj.uaclient.read(wanted))
        may, may_write = (value.Value.Value for value in told if value.Value)
        assert may is controls
        assert not may_write & ua.AccessLevel.CurrentWrite.mask
        asked = len(plant.asked)
        result = called(client, "North/11", "North/11/SetEmergencyStop", text("drill"))
        assert result.StatusCode.name == ("Good" if controls else "BadUserAccessDenied")
        assert len(plant.asked) == asked + controls
        if controls:
            assert plant.asked[-1].role.name == person.upper()
            called(client, "North/11", "North/11/ClearEmergencyStop", text("over"))


def test_a_refused_call_says_who_and_from_where(guarded: Running) -> None:
    with guarded.client("viewer-1", PASSWORD) as client:
        called(client, "North/11", "North/11/SetEmergencyStop", text("smoke"))
    until(lambda: any(found["why"] == "smoke" for found in refusals(guarded.spool, 0)))
    record = next(found for found in refusals(guarded.spool, 0) if found["why"] == "smoke")
    assert (record["who"], record["role"]) == ("viewer-1", "VIEWER")
    assert record["where"].startswith("127.0.0.1:")
    assert record["details"]["problem"] == "BadUserAccessDenied"
