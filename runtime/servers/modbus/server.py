"""The Modbus TCP server: pymodbus listens and shuts down, connections of our own answer.

The stock handler of pymodbus drops the second request of a segment, answers a slow write with the
transaction id of the next request, and limits nothing; so `Connection` replaces it. Its TLS counts
a failed handshake as a connection for ever and waits a minute for one; so `Doorman` looks at every
connection before it becomes one: where it comes from, and whether there is room. At the secure port
a `Guard` then asks who it is.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from time import monotonic
from typing import cast

import structlog
from pymodbus.server import ModbusTcpServer

from config.modbus import ModbusServer
from runtime.servers.modbus.access import UNKNOWN, Client, listed, role_of
from runtime.servers.modbus.connection import Connection
from runtime.servers.modbus.guard import Guard
from runtime.servers.modbus.service import Service
from runtime.servers.modbus.tls import Security

CONNECT = "connect"
ENTERING = 0.25  # share of the connections that may be proving who they are
logger = structlog.get_logger()


class Server(ModbusTcpServer):
    """Serves `service` at bound sockets: a plain one, and a secure one if there is one."""

    def __init__(
        self,
        service: Service,
        settings: ModbusServer,
        bound: socket.socket,
        secure: tuple[socket.socket, Security] | None = None,
    ) -> None:
        super().__init__([])
        self.service = service
        self.settings = settings
        self.security = secure[1] if secure else None
        self.entering: dict[Doorman, None] = {}  # the one longest at it first
        self._secure = secure
        self._listener: asyncio.Server | None = None
        backlog = settings.connections
        self.call_create = partial(
            self.loop.create_server, self.handle_new_connection, sock=bound, backlog=backlog
        )

    async def start(self) -> None:
        """Listen."""
        await self.serve_forever(background=True)
        if self._secure:
            self._listener = await self.loop.create_server(
                lambda: Doorman(self, self.security),
                sock=self._secure[0],
                backlog=self.settings.connections,
            )

    def handle_new_connection(self) -> Doorman:  # type: ignore[override]  # not one of pymodbus' yet
        return Doorman(self, None)

    async def end(self) -> None:
        """Close all connections and listen no more."""
        if self._listener:
            self._listener.close()
        for doorman in list(self.entering):
            doorman.turn_away()
        await self.shutdown()  # type: ignore[no-untyped-call]  # pymodbus'

    @property
    def clients(self) -> int:
        """Connections at this moment, those that still prove who they are included."""
        return len(self.active_connections) + len(self.entering)

    def close_idle(self) -> None:
        """Close the connections that have been silent for too long."""
        limit = monotonic() - self.settings.idle
        for connection in list(self.active_connections.values()):
            if (
                isinstance(connection, Connection)
                and connection.heard < limit
                and not connection.waits
            ):
                logger.info("idle modbus connection closed", client=connection.where)
                connection.transport.abort()


class Doorman(asyncio.Protocol):
    """A connection that is not yet let in. `security` is what the secure port asks for.

    Those that never prove who they are can keep out neither the plain port's clients nor, for long,
    others at the secure port.
    """

    def __init__(self, server: Server, security: Security | None) -> None:
        self._server = server
        self._security = security
        self._client = Client("")
        self._transport: asyncio.Transport | None = None

    def connection_made(self, accepted: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, accepted)
        peer = transport.get_extra_info("peername")
        if peer is None:  # it has gone before it was accepted
            transport.abort()
            return
        host, port = peer[:2]
        self._client.where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        server, settings = self._server, self._server.settings
        if server.clients >= settings.connections:
            logger.warning("too many modbus connections", client=self._client.where)
            transport.abort()
            return
        if self._security is not None:
            if listed(settings.secure.clients, host):
                self._ask_for_proof(transport, self._security)
                return
            self._refuse("its address is not in servers.modbus.secure.clients")
            transport.abort()
            return
        self._client.role = role_of(settings, host)
        if self._client.role is None:
            self._refuse("its address is in none of the lists of servers.modbus")
            transport.abort()
            return
        connection = Connection(server, server.service, self._client)
        transport.set_protocol(connection)
        connection.connection_made(transport)

    @property
    def where(self) -> str:
        return self._client.where

    def turn_away(self) -> None:
        """Close it."""
        self._server.entering.pop(self, None)
        if self._transport is not None:
            self._transport.abort()

    def _refuse(self, problem: str) -> None:
        self._server.service.refuse(self._client, CONNECT, "modbus", problem)

    def _ask_for_proof(self, transport: asyncio.Transport, security: Security) -> None:
        server = self._server
        if len(server.entering) >= max(1, ENTERING * server.settings.connections):
            oldest = next(iter(server.entering))
            logger.warning("too many modbus handshakes", ended=oldest.where)
            oldest.turn_away()
        server.entering[self] = None
        connection = Connection(server, server.service, self._client)
        guard = Guard(self._client, connection, self._decided, self._refuse)
        guard.begin(transport, security.context, server.settings.secure.handshake)

    def _decided(self) -> None:
        """The guard has let it in, or it is gone."""
        self._server.entering.pop(self, None)
        if self._client.who != UNKNOWN and self._client.role is None:
            self._refuse("its certificate names no role that there is")
