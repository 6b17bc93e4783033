"""A client's connection: what asyncua leaves open to whoever can reach the port, closed.

Limits before anybody has signed in: the size of a message, and how much may come at all. After it:
one session for each connection, under its own token; a client that doesn't read is dropped, and so
is one whose message makes no sense.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import structlog
from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import Buffer, ServiceError
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.server.internal_server import InternalServer
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import header_from_binary, nodeid_from_binary, uatcp_to_binary
from asyncua.ua.uaerrors import UaError

from runtime.servers import correlation
from runtime.servers.opcua.services import Serving
from runtime.servers.opcua.session import Session, is_open

HEADER = 8  # bytes: type, chunk, size
KINDS = (b"HEL", b"OPN", b"MSG", b"CLO")
LARGEST_CHUNK = 65_535  # bytes
MOST_UNKNOWN = 256 * 1024  # bytes from a client that hasn't signed in
MOST_CALLS = 10  # calls of one connection that wait for the scan
MOST_UNSENT = 8 * 1024 * 1024  # bytes for a client that doesn't read

logger = structlog.get_logger()

_CALL = ua.NodeId(ua.Int32(ObjectIds.CallRequest_Encoding_DefaultBinary))
_CREATE = ua.NodeId(ua.Int32(ObjectIds.CreateSessionRequest_Encoding_DefaultBinary))
_WITHOUT_SESSION = frozenset(
    ua.NodeId(ua.Int32(getattr(ObjectIds, f"{service}Request_Encoding_DefaultBinary")))
    for service in ("GetEndpoints", "FindServers", "ActivateSession", "CloseSecureChannel")
)


class Processor(Serving):
    """Answers the messages of one connection. asyncua's has no types, hence the ignores."""

    def __init__(
        self, server: InternalServer, transport: asyncio.Transport, limits: TransportLimits
    ) -> None:
        super().__init__(server, transport, limits)
        self._calls: set[asyncio.Task[Any]] = set()

    async def process_message(self, seqhdr: Any, body: Any) -> Any:
        waits = nodeid_from_binary(body.copy()) == _CALL and len(self._calls) < MOST_CALLS
        answer = super().process_message(seqhdr, body)  # type: ignore[no-untyped-call]
        if not waits:
            return await answer
        # A call waits for the scan. What else the client asks for, or is told, doesn't.
        call = asyncio.create_task(answer)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return True

    async def process(self, header: Any, body: Any) -> Any:
        if header.MessageType == ua.MessageType.SecureMessage and not self._connection.is_open():
            raise UaError("no secure channel")  # asyncua would take it as one without security
        return await super().process(header, body)  # type: ignore[no-untyped-call]

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        if typeid == _CREATE:
            # asyncua forgets the first of two sessions, which then stays for good.
            if is_open(self.session):
                raise ServiceError(StatusCodes.BadTooManySessions)
        elif (
            self.session is not None
            and typeid not in _WITHOUT_SESSION
            and requesthdr.AuthenticationToken != self.session.auth_token
        ):
            raise ServiceError(StatusCodes.BadSessionIdInvalid)
        with correlation.serving(requesthdr.AuditEntryId):
            answer = await super()._process_message(typeid, requesthdr, seqhdr, body)
        if isinstance(self.session, Session):
            self.session.connection, self.session.name = self, self.name
        return answer

    async def close(self) -> None:
        if isinstance(self.session, Session):
            if self.session.connection is self:
                self.session.connection = None
            else:
                self.session = None  # it goes on over another connection
        await super().close()  # type: ignore[no-untyped-call]


class Connection(OPCUAProtocol):
    """The bytes of one connection."""

    _unknown = 0  # bytes received before the client signed in

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.transport is not None:
            self.processor = Processor(self.iserver, self.transport, self.limits)
            self.processor.set_policies(self.policies)  # type: ignore[no-untyped-call]
            self.transport.set_write_buffer_limits(high=MOST_UNSENT)

    def data_received(self, data: bytes) -> None:
        session = self.processor.session if self.processor else None
        if session is None or not session.is_activated():
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
        logger.warning("client dropped", client=self.peer_name, reason="doesn't read its answers")
        if self.transport is not None:
            self.transport.abort()

    async def _process_one_msg(self, header: Any, buf: Buffer) -> bool:
        await asyncio.sleep(0)  # a client with many messages waiting holds up nobody else
        try:
            return await super()._process_one_msg(header, buf)
        except Exception as error:  # asyncua raises whatever a malformed message leads it to
            self._refuse(StatusCodes.BadDecodingError, f"sent what makes no sense: {error!r}")
            return False

    def _refuse(self, status: int, reason: str) -> None:
        """Tell the client why, and hang up."""
        logger.warning("client dropped", client=self.peer_name, reason=reason)
        self._buffer = b""
        if self.transport is not None:
            message = ua.ErrorMessage(ua.StatusCode(ua.UInt32(status)), ua.String(reason))
            kind = cast(ua.MessageType, ua.MessageType.Error)  # asyncua types it as bytes
            self.transport.write(uatcp_to_binary(kind, message))
            self.transport.close()


class Listener(BinaryServer):
    """Takes connections at a socket that is bound."""

    def __init__(
        self, server: InternalServer, bound: socket.socket, limits: TransportLimits
    ) -> None:
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
