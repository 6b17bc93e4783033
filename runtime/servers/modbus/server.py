"""The Modbus TCP server: pymodbus listens and shuts down, connections of our own answer.

The stock handler of pymodbus drops the second request of a segment, answers a slow write with the
transaction id of the next request, and limits nothing; so `Connection` replaces it. Its TLS counts
a failed handshake as a connection for ever and waits a minute for one; so `Doorman` looks at every
connection before it becomes one: where it comes from, whether there is room, and, at the secure
port, who it is.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import partial
from time import monotonic
from typing import cast

import structlog
from pymodbus.server import ModbusTcpServer

from config.modbus import ModbusServer
from runtime.servers.modbus.access import Client, listed, role_of
from runtime.servers.modbus.connection import Connection, peer_certificate
from runtime.servers.modbus.service import Service
from runtime.servers.modbus.tls import Security, identity

CONNECT = "connect"
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
        self.entering: set[Doorman] = set()
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
    """A connection that is not yet let in. `security` is what the secure port asks for."""

    def __init__(self, server: Server, security: Security | None) -> None:
        self._server = server
        self._security = security
        self._client = Client("")
        self._transport: asyncio.Transport | None = None
        self._proving: asyncio.Task[None] | None = None

    def connection_made(self, accepted: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, accepted)
        host, port = transport.get_extra_info("peername")[:2]
        self._client.where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        server, settings = self._server, self._server.settings
        if server.clients >= settings.connections:
            logger.warning("too many modbus connections", client=self._client.where)
            transport.abort()
            return
        if self._security is None:
            self._client.role = role_of(settings, host)
            if self._client.role is None:
                self._refuse("its address is in none of the lists of servers.modbus")
                return
            self._let_in(transport)
        elif not listed(settings.secure.clients, host):
            self._refuse("its address is not in servers.modbus.secure.clients")
        else:
            server.entering.add(self)
            transport.pause_reading()
            self._proving = server.loop.create_task(self._prove(transport, self._security))

    def turn_away(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.abort()

    def _refuse(self, problem: str) -> None:
        self._server.service.refuse(self._client, CONNECT, "modbus", problem)
        self.turn_away()

    def _let_in(self, transport: asyncio.Transport) -> None:
        connection = Connection(self._server, self._server.service, self._client)
        transport.set_protocol(connection)
        connection.connection_made(transport)

    async def _prove(self, transport: asyncio.Transport, security: Security) -> None:
        """Take the handshake, or what there is of it within its time."""
        server = self._server
        connection = Connection(server, server.service, self._client)
        try:
            secured = await server.loop.start_tls(
                transport,
                connection,
                security.context,
                server_side=True,
                ssl_handshake_timeout=server.settings.secure.handshake,
            )
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            self._refuse(f"TLS: {reason}")
        else:
            if secured is None:  # gone in the last moment
                return
            self._client.who, self._client.role = identity(peer_certificate(secured))
            if self._client.role is None:
                server.service.refuse(
                    self._client, CONNECT, "modbus", "its certificate names no role that there is"
                )
            connection.connection_made(secured)
        finally:
            server.entering.discard(self)
