"""One Modbus TCP connection: frames in, answers out, each with the transaction id it came with.

Answers keep the order of the requests: while a write waits for the scan, later requests of the same
connection wait behind it, up to BACKLOG of them; one more is answered "busy" at once. A client that
doesn't read its answers isn't read from either, nor one that asks more often than it may.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import structlog
from pymodbus.server.requesthandler import ServerRequestHandler

from runtime.servers import correlation
from runtime.servers.modbus.access import Client
from runtime.servers.modbus.pdu import Code, Refusal, exception
from runtime.servers.modbus.service import Pending, Service

if TYPE_CHECKING:
    from runtime.servers.modbus.server import Server

BACKLOG = 16  # requests behind a write
TURN = 200  # requests of one connection before others have their turn
PAUSE = 0.02  # s in which a client that asks too often is not listened to
_HEADER = struct.Struct(">HHHB")  # transaction, protocol, length of what follows, unit
_READ = struct.Struct(">HHHBBHH")  # header and a read
_REGISTERS = struct.Struct(">HHHBBB")  # header and the head of its answer
_LENGTHS = range(2, 255)  # unit and protocol data unit

logger = structlog.get_logger()


class Frame(NamedTuple):
    """A request as it came."""

    transaction: int
    unit: int
    pdu: bytes

    def reply(self, pdu: bytes) -> bytes:
        return _HEADER.pack(self.transaction, 0, len(pdu) + 1, self.unit) + pdu

    def refuse(self, refusal: Refusal) -> bytes:
        return self.reply(exception(self.pdu[0], refusal.code))


class Connection(ServerRequestHandler):
    """Replaces how pymodbus handles the data of a connection, and nothing else of it."""

    transport: asyncio.Transport
    server: Server

    def __init__(self, server: Server, service: Service, client: Client) -> None:
        super().__init__(server, None, None, None)  # type: ignore[no-untyped-call]  # pymodbus'
        self.client = client
        self.heard = service.now
        self._service = service
        self._registers = service.registers
        self._rate = server.settings.requests
        self._room, self._counted = self._rate, service.now
        self._input = bytearray()
        self._behind: deque[Frame] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._full = self._broken = self._ended = False
        self._attached = False

    @property
    def where(self) -> str:
        return self.client.where

    @property
    def waits(self) -> bool:
        """Whether we owe an answer that the scan has not given yet."""
        return self._writing is not None

    @property
    def _open(self) -> bool:
        return self._attached and not self._ended and not self.transport.is_closing()

    def callback_connected(self) -> None:
        self._attached = True
        self.server.active_connections[self.unique_id] = self
        self.listener = self.server
        outstanding = int(self.server.settings.outstanding)
        self.transport.set_write_buffer_limits(high=outstanding, low=outstanding // 4)

    def callback_disconnected(self, exc: Exception | None) -> None:
        """What the scan was asked for stays asked for; what waits behind it is dropped."""
        self._ended = True
        self._behind.clear()

    def data_received(self, data: bytes) -> None:
        if len(data) == _READ.size and not self._input and self._writing is None and self._room:
            transaction, protocol, length, unit, function, address, count = _READ.unpack(data)
            if protocol == 0 and length == 6 and self.client.role is not None:
                found = self._registers(unit, function, address, count)
                if found is not None:
                    self._room -= 1
                    self.heard = self._service.now
                    size = 2 * count
                    head = _REGISTERS.pack(transaction, 0, size + 3, unit, function, size)
                    self.transport.write(head + found)
                    return
        self._input += data
        self._work()

    def pause_writing(self) -> None:
        self._full = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self._full = False
        self._go_on()

    def _go_on(self) -> None:
        if not self._full and not self._broken and self._open:
            self.transport.resume_reading()
            self._work()

    def _work(self) -> None:
        """Answer what has come, one turn of it at a time."""
        self._service.refresh()
        answers = []
        for taken, frame in enumerate(self._frames(), 1):
            answers.append(self._take(frame))
            if taken == TURN:
                self._pause(0.0)
                break
        self.transport.write(b"".join(answers))
        if self._broken:
            self.transport.pause_reading()
            self._end_if_nothing_is_owed()

    def _frames(self) -> Iterator[Frame]:
        """The whole frames of the input, up to what can't be one: that ends the connection."""
        while len(self._input) >= _HEADER.size:
            transaction, protocol, length, unit = _HEADER.unpack_from(self._input)
            if protocol != 0 or length not in _LENGTHS:
                self._broken = True
                return
            end = _HEADER.size - 1 + length
            if len(self._input) < end:
                return
            if not self._has_room():
                self._pause(PAUSE)
                return
            frame = Frame(transaction, unit, bytes(self._input[_HEADER.size : end]))
            del self._input[:end]
            yield frame

    def _has_room(self) -> bool:
        """Whether one more request may be taken now: as many as the rate allows, a second's at
        most at once."""
        if self._room == 0:
            now = self._service.now
            self._room = min(self._rate, int((now - self._counted) * self._rate))
            if self._room == 0:
                return False
            self._counted = now
        self._room -= 1
        return True

    def _pause(self, seconds: float) -> None:
        self.transport.pause_reading()
        self.loop.call_later(seconds, self._go_on)

    def _take(self, frame: Frame) -> bytes:
        """The answer to a request, or nothing while it has to wait."""
        self.heard = self._service.now
        if self._writing is not None:
            if len(self._behind) < BACKLOG:
                self._behind.append(frame)
                return b""
            busy = Refusal(Code.BUSY, "too many requests wait behind a write")
            self._service.record(frame.unit, frame.pdu, busy, self.client)
            return frame.refuse(busy)
        answer = self._answer(frame)
        if isinstance(answer, bytes):
            return answer
        self._writing = self.loop.create_task(self._write(frame, answer))
        return b""

    def _answer(self, frame: Frame) -> bytes | Pending:
        try:
            answer = self._service.answer(frame.unit, frame.pdu, self.client)
        except Refusal as refusal:
            self._service.record(frame.unit, frame.pdu, refusal, self.client)
            return frame.refuse(refusal)
        return frame.reply(answer) if isinstance(answer, bytes) else answer

    async def _write(self, frame: Frame, pending: Pending) -> None:
        """Perform a write, then answer what has come behind it."""
        try:
            self._send(await self._perform(frame, pending))
            while self._behind:
                self._service.refresh()
                frame = self._behind.popleft()
                answer = self._answer(frame)
                if isinstance(answer, Pending):
                    answer = await self._perform(frame, answer)
                self._send(answer)
        finally:
            self._writing = None
            if self._broken and self._open:
                self._end_if_nothing_is_owed()

    async def _perform(self, frame: Frame, pending: Pending) -> bytes:
        with correlation.serving():
            try:
                return frame.reply(await self._service.perform(pending, self.client))
            except Refusal as refusal:
                logger.warning("modbus write refused", client=self.where, why=refusal.why)
                return frame.refuse(refusal)
            except Exception:
                logger.exception("modbus write failed", client=self.where)
                return frame.refuse(Refusal(Code.DEVICE_FAILURE))

    def _end_if_nothing_is_owed(self) -> None:
        if self._writing is None:
            logger.warning("not modbus", client=self.where)
            self.transport.close()

    def _send(self, answer: bytes) -> None:
        if self._open:
            self.transport.write(answer)
