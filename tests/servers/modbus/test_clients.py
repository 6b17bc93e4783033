"""Clients that are not ours: libmodbus and mbpoll read, write and understand what they are told."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from runtime.places import Places
from runtime.registers import counts
from runtime.tags import Pump, System
from tests.processes import until
from tests.servers.modbus.conftest import Running
from tests.servers.modbus.libmodbus import LibModbus, ModbusError, library
from tests.servers.modbus.station import Plant

needs_libmodbus = pytest.mark.skipif(
    library() is None, reason="NOT TESTED with libmodbus: install it (Debian: libmodbus5)"
)
needs_mbpoll = pytest.mark.skipif(
    shutil.which("mbpoll") is None, reason="NOT TESTED with mbpoll: install it (Debian: mbpoll)"
)


@pytest.fixture
def client(server: Running) -> Iterator[LibModbus]:
    with LibModbus(server.port) as client:
        yield client


def refused(code: int, text: str) -> pytest.RaisesExc[ModbusError]:
    return pytest.RaisesExc(ModbusError, match=text, check=lambda error: error.code == code)


@needs_libmodbus
def test_libmodbus_reads_the_same_setpoint_as_float_and_as_counts(
    client: LibModbus, plant: Plant
) -> None:
    until(lambda: plant[Pump.Setpoint][0] == 35.0)
    until(lambda: client.floats(client.unit(1).holding_registers(100, 2)) == [35.0])
    assert client.holding_registers(160, 1) == [35 * counts(Pump.Setpoint)]
    assert client.discrete_inputs(100, 1) == [1]  # Configured
    assert len(client.input_registers(100, 100)) == 100


@needs_libmodbus
def test_libmodbus_stops_a_pump_by_coil(client: LibModbus, places: Places, plant: Plant) -> None:
    with refused(1, "Illegal function"):
        client.unit(1).write_coil(100, True)
    client.unit(255).write_token(90, places.token())
    client.unit(1).write_coil(100, True)
    assert plant[Pump.EmergencyStop].tolist() == [True] + [False] * 7
    assert client.coils(100, 1) == [1]
    with refused(3, "Illegal data value"):
        client.write_coil(100, False)


@needs_libmodbus
def test_libmodbus_writes_mode_and_manual_setpoint(
    client: LibModbus, places: Places, plant: Plant
) -> None:
    client.unit(255).write_token(90, places.token())
    client.unit(1).write_register(161, 1)
    client.write_float(104, 41.75)
    assert (plant[Pump.Mode][0], plant[Pump.ManualSetpoint][0]) == (1, 41.75)
    assert client.floats(client.holding_registers(104, 2)) == [41.75]
    until(lambda: client.floats(client.holding_registers(100, 2)) == [41.75])
    client.unit(255).write_coils(1, [1])
    assert plant.asked[-1].value == 1


@needs_libmodbus
@pytest.mark.parametrize("period", [0.1])
def test_libmodbus_understands_the_exceptions(client: LibModbus, plant: Plant) -> None:
    with refused(2, "Illegal data address"):
        client.unit(1).holding_registers(300, 1)
    with refused(11, "Target device failed to respond"):
        client.unit(9).holding_registers(0, 1)
    plant.hold()
    with refused(4, "Slave device or server failure"):
        while True:
            client.unit(1).holding_registers(100, 1)
    assert client.unit(255).discrete_inputs(4, 1) == [0]


def mbpoll(server: Running, *arguments: str) -> str:
    command = ["mbpoll", "-m", "tcp", "-p", str(server.port), "-1", "-q", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


@needs_mbpoll
def test_mbpoll_reads_floats_counts_and_bits(server: Running, plant: Plant) -> None:
    until(lambda: plant[Pump.Setpoint][0] == 35.0)
    until(
        lambda: (
            "[100]: \t35\n" in mbpoll(server, "-a1", "-0", "-r100", "-t4:float", "-B", "127.0.0.1")
        )
    )
    assert "[160]: \t3500\n" in mbpoll(server, "-a1", "-0", "-r160", "-t4", "127.0.0.1")
    assert "[100]: \t1" in mbpoll(server, "-a1", "-0", "-r100", "-t1", "127.0.0.1")
    assert "[0]: \t0" in mbpoll(server, "-a255", "-0", "-r0", "-t0", "127.0.0.1")


@needs_mbpoll
def test_mbpoll_shows_why_a_write_is_refused(server: Running, plant: Plant) -> None:
    out = mbpoll(server, "-a1", "-0", "-r100", "-t0", "127.0.0.1", "1")
    assert "Illegal function" in out
    assert not plant[Pump.EmergencyStop].any()
    out = mbpoll(server, "-a9", "-0", "-r0", "-t4", "127.0.0.1")
    assert "Target device failed to respond" in out
    assert plant[System.Requests][0] == 0
