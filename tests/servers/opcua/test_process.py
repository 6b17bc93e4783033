"""The OPC UA process: how it starts, ends and says how it is."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
from asyncua.sync import Client

from runtime.places import Places
from runtime.processes import UNUSABLE
from runtime.progress import State
from tests.calejo import free_ports
from tests.processes import until
from tests.servers import process as server
from tests.servers.modbus.station import Plant
from tests.servers.opcua.serving import Clients, read, status, trusted
from tests.servers.state import state

process = partial(server.process, "opcua")
health = partial(server.health, "opcua")
PATIENCE = 40.0  # s: building the address space takes a second, on a machine with time for it


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    with state(tmp_path) as places:
        yield places


@pytest.fixture
def port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture
def clients() -> Iterator[Clients]:
    clients = Clients()
    yield clients
    clients.end()


def signed_in(clients: Clients, places: Places, port: int) -> AbstractContextManager[Client]:
    """The operator of a new state directory, at an application that is trusted by now."""
    trusted(places)
    url = f"opc.tcp://127.0.0.1:{port}/calejo"
    return clients.signed_in(url, "operator", places.token())


def test_it_serves_before_there_is_a_plant_and_fills_when_there_is_one(
    places: Places, port: int, clients: Clients
) -> None:
    with process(places, port) as running:
        until(lambda: "the scan has not published yet" in health(places).text, PATIENCE)
        with signed_in(clients, places, port) as client:
            assert status(read(client, "System/Scan")) == "BadWaitingForInitialData"
            assert status(read(client, "System/Live")) == "Good"
            assert status(read(client, "System/ImageAge")) == "BadNoValue"
            assert status(read(client, "North/11/Setpoint")) == "BadNodeIdUnknown"
            plant = Plant(places, period=60.0)
            plant.start()
            try:
                until(lambda: status(read(client, "North/11/Setpoint")) == "Good")
                subscription = client.create_subscription(100, None)
                until(
                    lambda: (
                        "1 of 128 connections, 1 sessions, 0 monitored items" in health(places).text
                    )
                )
                until(lambda: health(places).state is State.GOOD)
                count = health(places).count
                until(lambda: health(places).count > count)
                subscription.delete()
            finally:
                plant.end()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=60) == 0


def test_it_knows_the_plant_of_yesterday_before_the_first_scan(
    places: Places, port: int, clients: Clients
) -> None:
    Plant(places, period=60.0).end()  # leaves its equipment list
    with process(places, port):
        until(lambda: "connections" in health(places).text, PATIENCE)
        with signed_in(clients, places, port) as client:
            assert status(read(client, "North/11/Setpoint")) == "BadWaitingForInitialData"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_clients_do_not_keep_it_from_ending(
    places: Places, port: int, ending: signal.Signals
) -> None:
    with process(places, port) as running:
        until(lambda: "connections" in health(places).text, PATIENCE)
        with socket.create_connection(("127.0.0.1", port)) as silent:
            until(lambda: "1 of 128 connections" in health(places).text)
            running.send_signal(ending)
            assert running.wait(timeout=60) == 0
            assert silent.recv(1) == b""


def test_a_port_that_is_taken_ends_it_with_the_name_of_who_has_it(
    places: Places, port: int
) -> None:
    with socket.create_server(("127.0.0.1", port)), process(places, port) as running:
        assert running.wait(timeout=PATIENCE) == UNUSABLE
    assert health(places).text.startswith(
        f"servers.opcua.listen: can't listen at 127.0.0.1 port {port}: process {os.getpid()} ("
    )
