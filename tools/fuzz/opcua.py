"""Malformed OPC UA messages: frames, chunks and requests, before and after a channel and a session.

where       what is wrong
frame       headers and sizes, before anything has been agreed
discovery   requests over a channel without security
secured     requests over a secured channel without a session
session     requests of somebody who may only look
chunks      kinds, numbers and order of the chunks of a message
"""

from __future__ import annotations

import random
import socket
from collections import Counter
from contextlib import suppress

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary

from tools.fuzz.mutation import spoiled
from tools.fuzz.opcua_line import GREETING, PATIENCE, HungUp, Line
from tools.fuzz.opcua_requests import read, requests
from tools.fuzz.trial import Fallen

PLACES = {"session": 60, "discovery": 18, "chunks": 10, "frame": 10, "secured": 2}
MARKS = 20  # messages between two that the server has to answer


class Fuzz:
    """Sends messages to the server at a port."""

    def __init__(self, port: int, certificate: bytes, seed: int) -> None:
        self._port = port
        self._certificate = certificate
        self._dice = random.Random(seed)
        self._lines: dict[str, Line] = {}
        self.sent: Counter[str] = Counter()
        self.connections = 0

    def close(self) -> None:
        for line in self._lines.values():
            line.close()

    def run(self, count: int) -> None:
        """Send so many messages; raises Fallen."""
        kinds, weights = list(PLACES), list(PLACES.values())
        for number in range(count):
            kind = self._dice.choices(kinds, weights)[0]
            self.sent[kind] += 1
            try:
                if kind == "frame":
                    self._frame()
                elif kind == "chunks":
                    self._chunks(self._line("session"))
                else:
                    line = self._line(kind)
                    line.ask(spoiled(self._dice.choice(requests(line.token)), self._dice))
                if number % MARKS == 0:
                    self.mark()
            except HungUp:
                self._drop("session" if kind == "chunks" else kind)
            except TimeoutError:
                raise Fallen(f"no answer within {PATIENCE:.0f} s after message {number}") from None

    def mark(self) -> None:
        """See that a well-behaved session is served, over a new connection if need be."""
        for _ in range(10):
            line = self._line("session")
            try:
                answer = line.answer(line.ask(read(line.token)))
                if nodeid_from_binary(answer.copy()) == ua.ReadResponse().TypeId:
                    value = struct_from_binary(ua.ReadResponse, Buffer(bytes(answer)))
                    assert value.Results
                    return
            except HungUp:
                pass
            self._drop("session")  # spoiled by what was sent before: its session may have ended
        raise Fallen("no session is served any more")

    def _line(self, kind: str) -> Line:
        if kind not in self._lines:
            self.connections += 1
            certificate = None if kind == "discovery" else self._certificate
            self._lines[kind] = Line(self._port, certificate, session=kind == "session")
        return self._lines[kind]

    def _drop(self, kind: str) -> None:
        line = self._lines.pop(kind, None)
        if line is not None:
            line.close()

    def _frame(self) -> None:
        """A connection of its own: greeting and channel are spoiled, or left out."""
        self.connections += 1
        kind = self._dice.choice((b"HEL", b"OPN", b"MSG", b"CLO", b"ACK", b"ERR", b"RHE"))
        body = self._dice.randbytes(self._dice.choice((0, 4, 28, 300, 5_000)))
        size = self._dice.choice((len(body) + 8, len(body) + 8, 0, 8, 12, 65_536, 2**31))
        flag = self._dice.choice((b"F", b"C", b"A", b"\0"))
        data = kind + flag + size.to_bytes(4, "little") + body
        data = self._dice.choice((b"", GREETING)) + self._dice.choice(
            (data, spoiled(data, self._dice))
        )
        with suppress(OSError):
            _shout(self._port, data)

    def _chunks(self, line: Line) -> None:
        dice = self._dice
        body = dice.choice(requests(line.token))
        chunks = line.chunks(body)
        chunk = dice.choice(chunks)
        match dice.randrange(7):
            case 0:
                chunk.SequenceHeader.SequenceNumber += dice.choice((-1, 1, 1_000))
            case 1:
                chunk.SequenceHeader.RequestId += 1
            case 2:
                chunk.MessageHeader.ChannelId += 1
            case 3:
                chunk.MessageHeader.ChunkType = ua.ChunkType.Abort
            case 4:
                chunk.MessageHeader.ChunkType = ua.ChunkType.Intermediate
            case 5:
                dice.shuffle(chunks)
            case 6:
                chunk.Body = spoiled(chunk.Body, dice)
        for each in chunks:
            line.send(each.to_binary())


def _shout(port: int, data: bytes) -> None:
    """Say something to the server and go."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(data)
