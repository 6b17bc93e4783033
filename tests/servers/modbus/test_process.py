"""The Modbus process: how it starts, ends and says how it is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.places import Places
from runtime.processes import UNUSABLE
from runtime.progress import Health, State, look
from tests.servers.modbus.station import CAPACITY, Plant, until
from tests.servers.modbus.wire import Wire, read

ROOT = Path(__file__).parents[3]


@contextmanager
def process(places: Places, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {
        "CALEJO_STATE": str(places.root),
        "CALEJO_CONFIG": str(ROOT / "scan.yaml"),
        "CALEJO_CAPACITY_STATIONS": str(CAPACITY.stations),
        "CALEJO_CAPACITY_PUMPS": str(CAPACITY.pumps),
        "CALEJO_SERVERS_MODBUS_LISTEN": f"127.0.0.1:{port}",
    }
    command = [sys.executable, "-P", "-m", "runtime", "process", "modbus"]
    with subprocess.Popen(command, env=environment) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.kill()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def health(places: Places) -> Health:
    found = look(places.progress("modbus"))
    return found or Health("modbus", 0, State.STARTING, "", 0, 0.0)


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
            assert running.wait(timeout=10) == 0
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


def test_a_port_that_is_taken_ends_it_with_the_name_of_who_has_it(
    places: Places, port: int
) -> None:
    with socket.create_server(("127.0.0.1", port)), process(places, port) as running:
        assert running.wait(timeout=20) == UNUSABLE
    assert health(places).text.startswith(
        f"servers.modbus.listen: can't listen at 127.0.0.1 port {port}: process {os.getpid()} ("
    )
