"""Fixtures: a plant with the real scan, an image painted by hand, and servers that show them.

Building OPC UA's own address space takes a second or two, so each server serves all tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from asyncua.sync import Client

from runtime.places import Places
from runtime.security.accounts import Account, Accounts
from runtime.security.certificates import Identity
from tests.processes import until
from tests.servers.modbus.station import CAPACITY as PLANT_CAPACITY
from tests.servers.modbus.station import PLANT, Plant
from tests.servers.opcua.attacking import KEPT, PEOPLE, application
from tests.servers.opcua.image import CAPACITY, Image
from tests.servers.opcua.node_opcua import NodeClient, installed, running
from tests.servers.opcua.serving import Running, trusted
from tests.servers.state import state


@pytest.fixture(scope="session")
def painted_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with state(tmp_path_factory.mktemp("painted")) as places:
        yield places


@pytest.fixture(scope="session")
def painted(painted_places: Places) -> Iterator[Image]:
    image = Image(painted_places)
    yield image
    image.end()


@pytest.fixture(scope="session")
def painted_server(painted_places: Places, painted: Image) -> Iterator[Running]:
    running = Running(painted_places, CAPACITY)
    yield running
    running.end()


@pytest.fixture
def image(painted: Image, painted_server: Running) -> Iterator[Image]:
    """The painted image, as if nothing had happened before."""
    painted.equip(PLANT)
    painted.go_on()
    until(lambda: painted_server.utc == painted.utc)
    yield painted
    painted.go_on()


@pytest.fixture
def viewer(painted_server: Running, image: Image) -> Iterator[Client]:
    """An anonymous client that sees the painted image."""
    with painted_server.client() as client:
        yield client


@pytest.fixture(scope="session")
def plant_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with state(tmp_path_factory.mktemp("plant")) as places:
        yield places


@pytest.fixture(scope="session")
def plant(plant_places: Places) -> Iterator[Plant]:
    """A plant that scans."""
    plant = Plant(plant_places, period=60.0)
    plant.start()
    yield plant
    plant.end()


@pytest.fixture(scope="session")
def server(plant_places: Places, plant: Plant) -> Iterator[Running]:
    running = Running(plant_places, PLANT_CAPACITY)
    yield running
    running.end()


@pytest.fixture(scope="session")
def anonymous(server: Running) -> Iterator[Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def operator(server: Running) -> Iterator[Client]:
    """A client that has signed in with the token."""
    with server.client("operator", server.token) as client:
        yield client


@pytest.fixture(scope="session")
def neighbour(plant_places: Places) -> Identity:
    """A second application that is trusted."""
    identity = application("Neighbour")
    trusted(plant_places, identity)
    return identity


@pytest.fixture(scope="session")
def guarded(plant_places: Places, plant: Plant, neighbour: Identity) -> Iterator[Running]:
    """A server without anonymous access, and an account of each role."""
    accounts = Accounts(plant_places.accounts)
    accounts.begin(plant_places.token())
    for role in PEOPLE:
        accounts.put(f"{role}-1", Account(role=role, password=KEPT))
    running = Running(plant_places, PLANT_CAPACITY, anonymous=False)
    yield running
    running.end()


@pytest.fixture(scope="session")
def folder(pytestconfig: pytest.Config) -> Path:
    assert pytestconfig.cache is not None
    return installed(pytestconfig.cache)


@pytest.fixture(scope="session")
def node(folder: Path) -> Iterator[NodeClient]:
    with running(folder) as client:
        yield client
