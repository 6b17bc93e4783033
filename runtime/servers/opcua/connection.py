"""A client's connection: what asyncua leaves open to whoever can reach the port, closed.

Limits before anybody has signed in: the size of a message, how much may come at all, for how long,
and over how many connections. After it: a client that doesn't read is dropped, and so is one whose
message makes no sense. What the messages say is the `processor`'s.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, cast

import structlog
from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import Buffer
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import header_from_binary, uatcp_to_binary
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from runtime.servers.opcua import decoding
from runtime.servers.opcua.processor import Processor

if TYPE_CHECKING:
    from runtime.servers.opcua.core import Core

HEADER = 8  # bytes: type, chunk, size
KINDS = (b"HEL", b"OPN", b"MSG", b"CLO")
LARGEST_CHUNK = 65_535  # bytes
MOST_UNKNOWN = 256 * 1024  # bytes from a client that hasn't signed in
LEAST_PENDING = 4  # connections that may be without a session at a time; or a quarter of all
MOST_UNSENT = 8 * 1024 * 1024  # bytes for a client that doesn't read

logger = structlog.get_logger()
decoding.harden()


class Connection(OPCUAProtocol):
    """The bytes of one connection."""

    iserver: Core
    _unknown = 0  # bytes received before the client signed in

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.transport is not None:
            self.processor = Processor(self.iserver, self.transport, self.limits)
            self.processor.set_policies(self.policies)  # type: ignore[no-untyped-call]
            self.transport.set_write_buffer_limits(high=MOST_UNSENT)
            self._make_room()

    def connection_lost(self, ex: BaseException | None) -> None:
        """Leave nothing behind: what refers to itself stays until it is searched for."""
        super().connection_lost(ex)
        self._task = self._activation_watchdog_task = None  # their endings hold this connection
        if self.processor is not None:
            self.closing_tasks[-1].add_done_callback(self._forget)

    def _forget(self, closing: asyncio.Task[Any]) -> None:
        if closing in self.closing_tasks:  # where asyncua would keep it for up to 10 s
            self.closing_tasks.remove(closing)
        if not closing.cancelled() and (error := closing.exception()):
            logger.error("connection not closed", client=self.peer_name, reason=repr(error)[:200])

    def _make_room(self) -> None:
        """Of too many that don't sign in, drop the one that hasn't for longest.

        Who signs in does it in a moment: nobody can keep him out by holding connections open.
        """
        pending = [one for one in self.clients if not cast(Connection, one).is_signed_in]
        if len(pending) > max(LEAST_PENDING, self.iserver.max_connections // 4):
            cast(Connection, pending[0]).drop("others want to sign in")

    @property
    def is_signed_in(self) -> bool:
        session = self.processor.session if self.processor else None
        return session is not None and session.is_activated()

    def drop(self, reason: str) -> None:
        """Hang up at once, and make room at once: more connections may be waiting already."""
        if self in self.clients:
            self.clients.remove(self)
        logger.warning("client dropped", client=self.peer_name, reason=reason)
        if self.transport is not None:
            self.transport.abort()

    async def _activation_watchdog(self) -> None:
        """Drop a connection without a session: one that never had one, or whose session ended."""
        while True:
            await asyncio.sleep(self.iserver.max_pending_activation_seconds)
            if not self.is_signed_in:
                self.drop("has no session")
                return

    def data_received(self, data: bytes) -> None:
        if not self.is_signed_in:
            self._unknown += len(data)
            if self._unknown > MOST_UNKNOWN:
                self._refuse(StatusCodes.BadTcpMessageTooLarge, "sent too much without signing in")
                return
        self._buffer += data
        while len(self._buffer) >= HEADER:
            size = int.from_bytes(self._buffer[4:HEADER], "little")
            if self._buffer[:3] not in KINDS:
                self._refuse(StatusCodes.BadTcpMessageTypeInvalid, "doesn't speak OPC UA")
                return
            if not HEADER < size <= LARGEST_CHUNK:
                self._refuse(StatusCodes.BadTcpMessageTooLarge, f"announced {size} bytes")
                return
            if len(self._buffer) < size:
                return
            message, self._buffer = Buffer(self._buffer[:size]), self._buffer[size:]
            try:
                self.messages.put_nowait((header_from_binary(message), message))
            except asyncio.QueueFull:
                self._refuse(
                    StatusCodes.BadTcpServerTooBusy, "sends faster than it can be answered"
                )
                return
            except UaError:
                self._refuse(StatusCodes.BadTcpMessageTypeInvalid, "doesn't speak OPC UA")
                return

    def pause_writing(self) -> None:
        """More waits to be sent than may."""
        self.drop("doesn't read its answers")

    async def _process_one_msg(self, header: Any, buf: Buffer) -> bool:
        await asyncio.sleep(0)  # a client with many messages waiting holds up nobody else
        try:
            return await super()._process_one_msg(header, buf)
        except UaStatusCodeError as error:
            self._refuse(error.code, "refused", error)
        except Exception as error:  # asyncua raises whatever a malformed message leads it to
            opens = header.MessageType == ua.MessageType.SecureOpen
            failed = StatusCodes.BadSecurityChecksFailed if opens else StatusCodes.BadDecodingError
            self._refuse(failed, "sent what makes no sense", error)
        return False

    def _refuse(self, status: int, reason: str, error: Exception | None = None) -> None:
        """Tell the client in general terms why, ourselves in detail, and hang up."""
        detail = {"error": repr(error)[:200]} if error else {}
        logger.warning("client dropped", client=self.peer_name, reason=reason, **detail)
        self._buffer = b""
        if self.transport is not None:
            message = ua.ErrorMessage(ua.StatusCode(ua.UInt32(status)), ua.String(reason))
            kind = cast(ua.MessageType, ua.MessageType.Error)  # asyncua types it as bytes
            self.transport.write(uatcp_to_binary(kind, message))
            self.transport.close()


class Listener(BinaryServer):
    """Takes connections at a socket that is bound."""

    def __init__(self, server: Core, bound: socket.socket, limits: TransportLimits) -> None:
        host, port = bound.getsockname()[:2]
        super().__init__(server, host, port, limits)
        self._bound = bound

    def _make_protocol(self) -> Connection:
        return Connection(
            self.iserver, self._policies, self.clients, self.closing_tasks, self.limits
        )

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make_protocol, sock=self._bound)
        self.cleanup_task = asyncio.create_task(self._close_task_loop())

    async def stop(self) -> None:
        for transport in self.iserver.asyncio_transports:
            transport.abort()  # closing would wait for clients that don't read
        await super().stop()
