"""The Modbus process: how it starts, ends and says how it is."""

from __future__ import annotations

import os
import signal
import socket
from functools import partial

import pytest

from runtime.places import Places
from runtime.processes import UNUSABLE
from runtime.progress import State
from runtime.register_map import Copy, Meaning, Register, declared
from tests.calejo import free_ports
from tests.processes import until
from tests.servers import process as server
from tests.servers.modbus.station import Plant
from tests.servers.modbus.wire import Wire, read

process = partial(server.process, "modbus")
health = partial(server.health, "modbus")


@pytest.fixture
def port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_when_told_to(
    places: Places, plant: Plant, port: int, ending: signal.Signals
) -> None:
    with process(places, port) as running:
        until(lambda: health(places).state is State.GOOD)
        with Wire(port) as wire:
            assert wire.ask(1, read(3, 100, 2))[0] == 3
            until(lambda: "1 of 128 connections" in health(places).text)
            count = health(places).count
            until(lambda: health(places).count > count)
            running.send_signal(ending)
            assert running.wait(timeout=60) == 0
            assert wire.closed()


@pytest.mark.parametrize("period", [0.1])
def test_it_says_when_the_scan_stands_still(places: Places, plant: Plant, port: int) -> None:
    plant.hold()
    with process(places, port):
        until(lambda: "the scan has stood still for" in health(places).text)
        assert health(places).state is State.DEGRADED


def test_it_waits_for_the_first_scan(places: Places, port: int) -> None:
    with process(places, port):
        until(lambda: "the scan has not published yet" in health(places).text)


def test_a_program_that_contradicts_the_recorded_map_is_not_served_even_without_the_database(
    places: Places, plant: Plant, port: int
) -> None:
    registers = Copy(places.registers)
    moved = dict(declared())
    moved[Register("Pump", "input register", 99)] = Meaning("Vibration", "uint16", 0, None)
    with process(places, port) as running:
        until(lambda: health(places).state is State.GOOD)
        registers.keep(moved)
        assert running.wait(timeout=60) == 0
    with process(places, port) as running:
        until(lambda: "found nothing, allowed Vibration" in health(places).text)
        assert health(places).state is State.DEGRADED
        count = health(places).count
        until(lambda: health(places).count > count + 1)
        with pytest.raises(ConnectionRefusedError):
            Wire(port)
        registers.keep(declared())
        until(lambda: health(places).state is State.GOOD)


@pytest.mark.parametrize("content", ["", "[[1]]", "{", None])
def test_a_copy_of_the_map_that_is_spoilt_or_missing_says_nothing(
    places: Places, content: str | None
) -> None:
    if content is not None:
        places.registers.write_text(content)
    registers = Copy(places.registers)
    assert registers.contradiction() == ""
    registers.keep(declared())
    assert registers.contradiction() == ""
    assert "Speed" in places.registers.read_text()


def test_a_port_that_is_taken_ends_it_with_the_name_of_who_has_it(
    places: Places, port: int
) -> None:
    with socket.create_server(("127.0.0.1", port)), process(places, port) as running:
        assert running.wait(timeout=60) == UNUSABLE
    assert health(places).text.startswith(
        f"servers.modbus.listen: can't listen at 127.0.0.1 port {port}: process {os.getpid()} ("
    )
