"""The Modbus TCP server: pymodbus listens and shuts down, connections of our own answer.

The stock handler of pymodbus drops the second request of a segment, answers a slow write with the
transaction id of the next request, and limits nothing; so `Connection` replaces it.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial

import structlog
from pymodbus.server import ModbusTcpServer

from runtime.servers.modbus.connection import Connection
from runtime.servers.modbus.service import Service

logger = structlog.get_logger()


class Server(ModbusTcpServer):
    """Serves `service` at a bound socket.

    At most `connections` at a time; one that has been silent for `idle` seconds is closed.
    """

    def __init__(
        self, service: Service, bound: socket.socket, connections: int, idle: float
    ) -> None:
        super().__init__([])
        self._service = service
        self._connections = connections
        self._idle = idle
        self.call_create = partial(
            self.loop.create_server, self.handle_new_connection, sock=bound, backlog=connections
        )

    def callback_new_connection(self) -> Connection:
        return Connection(self, self._service, self._connections)

    @property
    def clients(self) -> int:
        """Connections at this moment."""
        return len(self.active_connections)

    def close_idle(self) -> None:
        """Close the connections that have been silent for too long."""
        limit = asyncio.get_running_loop().time() - self._idle
        for connection in list(self.active_connections.values()):
            if (
                isinstance(connection, Connection)
                and connection.heard < limit
                and not connection.waits
            ):
                logger.info("idle modbus connection closed", client=connection.where)
                connection.transport.abort()
