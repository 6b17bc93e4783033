"""Fixtures: a running plant, and a Modbus server that shows it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvloop

from config.modbus import ModbusServer
from runtime.places import Places
from runtime.servers.listening import bind
from runtime.servers.mirror import Mirror
from runtime.servers.modbus.connection import Connection
from runtime.servers.modbus.server import Server
from runtime.servers.modbus.service import Service
from runtime.servers.modbus.tls import Security
from tests.servers.modbus.station import CAPACITY, Plant
from tests.servers.modbus.wire import Wire, write_registers
from tests.servers.state import state


class Running:
    """A Modbus server in a thread of its own."""

    def __init__(self, places: Places, settings: ModbusServer, security: Security | None) -> None:
        self._settings = settings
        self._places = places
        self._security = security
        self.bound = bind("127.0.0.1", 0, "test")
        self.port: int = self.bound.getsockname()[1]
        self.secure = bind("127.0.0.1", 0, "test") if security else None
        self._mirror = Mirror(places, CAPACITY, "modbus")
        self._loop = uvloop.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        assert self._ready.wait(60)

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        service = Service(self._mirror, self._places, self._settings.word_order)
        secure = (self.secure, self._security) if self.secure and self._security else None
        self.server = Server(service, self._settings, self.bound, secure)
        await self.server.start()
        self._ready.set()
        await self._ended.wait()
        await self.server.end()

    def connections(self) -> list[Connection]:
        held = list(self.server.active_connections.values())
        return [connection for connection in held if isinstance(connection, Connection)]

    def waits(self) -> bool:
        """Whether a connection waits for the scan."""
        return any(connection.waits for connection in self.connections())

    def close_idle(self) -> None:
        """What the process does twice a second."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(self.server.close_idle)
        self._loop.call_soon_threadsafe(done.set)
        assert done.wait(60)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """It comes to nothing meanwhile, not to new connections either."""
        begun, ended = threading.Event(), threading.Event()
        self._loop.call_soon_threadsafe(begun.set)
        self._loop.call_soon_threadsafe(ended.wait)
        assert begun.wait(60)
        try:
            yield
        finally:
            ended.set()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._mirror.close()


@contextmanager
def scanning(places: Places, period: float = 60.0) -> Iterator[Plant]:
    """A plant that scans, and has done so once."""
    plant = Plant(places, period)
    try:
        plant.start()
        yield plant
    finally:
        plant.end()


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    with state(tmp_path) as places:
        yield places


@pytest.fixture
def period() -> float:
    """What the image says of itself: with 60 s, no test machine is too slow to look alive."""
    return 60.0


@pytest.fixture
def plant(places: Places, period: float) -> Iterator[Plant]:
    with scanning(places, period) as plant:
        yield plant


@pytest.fixture
def server(places: Places, plant: Plant) -> Iterator[Running]:
    with serving(places) as running:
        yield running


@contextmanager
def serving(
    places: Places, security: Security | None = None, **settings: object
) -> Iterator[Running]:
    """A server with settings of its own."""
    chosen = ModbusServer().model_copy(update={"requests": 1_000_000} | settings)
    running = Running(places, chosen, security)
    try:
        yield running
    finally:
        running.end()


@contextmanager
def unlocked(server: Running, places: Places) -> Iterator[Wire]:
    """A connection that has shown the token."""
    with Wire(server.port) as wire:
        unlock = write_registers(90, bytes.fromhex(places.token()))
        assert wire.ask(255, unlock) == unlock[:5]
        yield wire


@pytest.fixture
def wire(server: Running) -> Iterator[Wire]:
    """A connection that may only read."""
    with Wire(server.port) as wire:
        yield wire


@pytest.fixture
def operator(server: Running, places: Places) -> Iterator[Wire]:
    """A connection that may write."""
    with unlocked(server, places) as wire:
        yield wire
