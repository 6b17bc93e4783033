"""The Modbus clients of Node.js, which have several requests under way at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.places import Places
from runtime.tags import Pump
from tests.processes import until
from tests.servers.modbus import node_modbus
from tests.servers.modbus.conftest import Running
from tests.servers.modbus.station import Plant


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest) -> Path:
    return node_modbus.installed(request.config.cache)


@pytest.mark.parametrize("library", node_modbus.LIBRARIES)
def test_wire_fault_reads_together_are_all_answered_and_writes_and_refusals_understood(
    server: Running, places: Places, plant: Plant, folder: Path, library: str
) -> None:
    until(lambda: plant[Pump.Setpoint][0] == 35.0)
    found = node_modbus.round_of(folder, library, server.port, places.token())
    assert found.pop("vendor", "Calejo") == "Calejo"
    assert found == {
        "together": [35.0] * 8,
        "scaled": 3500,
        "input": 100,
        "discrete": True,
        "locked": 1,
        "stopped": True,
        "manual": 41.5,
        "missing": 2,
        "unit": 11,
    }
    assert (plant[Pump.Mode][0], plant[Pump.ManualSetpoint][0]) == (1, 41.5)
