"""An OPC UA server in a thread, and a client for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar

import pytest
from asyncua import ua
from asyncua.crypto.security_policies import SecurityPolicy, SecurityPolicyBasic256Sha256
from asyncua.crypto.uacrypto import CertProperties
from asyncua.sync import Client, SyncNode, ThreadLoop
from asyncua.ua.uaerrors import UaStatusCodeError

from runtime.layout import Capacity
from runtime.places import Places
from runtime.security.certificates import Identity, self_signed
from runtime.security.trust import Trust
from runtime.servers.listening import bind
from runtime.servers.mirror import Mirror
from runtime.servers.opcua.process import POLL
from runtime.servers.opcua.references import node_id
from runtime.servers.opcua.server import OpcUaServer
from runtime.tags import System

T = TypeVar("T")
APPLICATION = "urn:calejo:tests"


@cache
def station() -> Identity:
    """The application certificate of the tests' clients."""
    return self_signed("Test", APPLICATION, (), datetime.now(UTC))


def trusted(places: Places, *identities: Identity) -> None:
    """Let these applications connect to the server of a state directory: by default the tests'."""
    trust = Trust(places.certificates / "opcua")
    for identity in identities or (station(),):
        trust.add(identity.certificate)


class Clients:
    """Clients that share a loop: one that ends its own leaves its transport half closed."""

    def __init__(self) -> None:
        self._loop = ThreadLoop()
        self._loop.start()

    @contextmanager
    def signed_in(
        self,
        url: str,
        user: str = "",
        password: str = "",
        identity: Identity | None = None,
        policy: type[SecurityPolicy] = SecurityPolicyBasic256Sha256,
    ) -> Iterator[Client]:
        """A client at a server, over an encrypted channel: anonymous without a user."""
        client = self.client(url, identity or station(), policy)
        if user:
            client.set_user(user)
            client.set_password(password)
        with client:
            yield client

    def client(self, url: str, identity: Identity | None, policy: type[SecurityPolicy]) -> Client:
        """A client that isn't connected yet; without an identity, one without security."""
        client = Client(url, timeout=60, tloop=self._loop)
        client.application_uri = APPLICATION
        if identity is not None:
            client.set_security(
                policy,
                CertProperties(identity.der, "der"),
                CertProperties(identity.key_pem, "pem"),
                mode=ua.MessageSecurityMode.SignAndEncrypt,
            )
        return client

    def end(self) -> None:
        self._loop.post(_settled())
        self._loop.stop()


class Running:
    """A server in a thread of its own, as the process runs it."""

    def __init__(
        self,
        places: Places,
        capacity: Capacity,
        connections: int = 16,
        idle: float = 60.0,
        anonymous: bool = True,
    ) -> None:
        trusted(places)
        self._clients = Clients()
        self.bound = bind("127.0.0.1", 0, "test")
        self.port: int = self.bound.getsockname()[1]
        self.url = f"opc.tcp://127.0.0.1:{self.port}/calejo"
        self.token = places.token()
        self.spool = places.spool / "opcua.db"
        self._mirror = Mirror(places, capacity, "opcua")
        self.server = OpcUaServer(self._mirror, places, self.bound, connections, idle, anonymous)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        assert self._ready.wait(60)

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        await self.server.start()
        await self.server.follow()
        self._ready.set()
        while not self._ended.is_set():
            await self.server.follow()
            await asyncio.sleep(POLL)
        await self.server.stop()

    @property
    def utc(self) -> float:
        """When the scan was that it shows, if somebody looks now."""
        self._loop.call_soon_threadsafe(self.server.core.freshness.look)
        return self._mirror.columns.value(System.TimeUtc)

    def sever(self) -> None:
        """Break all connections."""
        for transport in list(self.server.core.asyncio_transports):
            self._loop.call_soon_threadsafe(transport.abort)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._mirror.close()
        self._clients.end()

    def unconnected(self, identity: Identity | None, policy: type[SecurityPolicy]) -> Client:
        """A client that has not said anything yet; without an identity, one without security."""
        return self._clients.client(self.url, identity, policy)

    @contextmanager
    def client(
        self,
        user: str = "",
        password: str = "",
        identity: Identity | None = None,
        policy: type[SecurityPolicy] = SecurityPolicyBasic256Sha256,
    ) -> Iterator[Client]:
        """A signed-in client: anonymous without a user."""
        with self._clients.signed_in(self.url, user, password, identity, policy) as client:
            yield client


async def _settled() -> None:
    """Every connection that is closed by now has been cleaned up."""
    for _ in range(10):
        await asyncio.sleep(0)


def node(client: Client, path: str) -> SyncNode:
    return client.get_node(node_id(path))


def read(client: Client, path: str) -> ua.DataValue:
    """The value of a tag, whatever its status."""
    value: ua.DataValue = node(client, path).read_data_value(raise_on_bad_status=False)
    return value


def status(value: ua.DataValue) -> str:
    assert value.StatusCode is not None
    return value.StatusCode.name


def number(value: ua.DataValue) -> float | None:
    return None if value.Value is None else value.Value.Value


def awaited(client: Client, coroutine: Awaitable[T]) -> T:
    """What a service of the asynchronous client underneath answers."""

    async def answer() -> T:
        return await coroutine

    return client.tloop.post(answer())


@contextmanager
def refused(name: str) -> Iterator[None]:
    """Inside, a service or call is refused with the status code of this name."""
    with pytest.raises(UaStatusCodeError) as caught:
        yield
    assert ua.StatusCode(ua.UInt32(caught.value.code)).name == name
