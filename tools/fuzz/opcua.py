"""Malformed OPC UA messages: frames, chunks and requests, before and after a channel and a session.

where       what is wrong
frame       headers and sizes, before anything has been agreed; greetings; channels never opened
discovery   requests over a channel without security
secured     requests over a secured channel without a session
session     requests of somebody who may only look
structures  what nests, announces much or names what there isn't, with and without a session
chunks      kinds, numbers, tokens and order of the chunks of a message, and their ends
renewal     requests for a new token of a channel
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
from tools.fuzz.opcua_chunks import renew, send_spoiled
from tools.fuzz.opcua_frames import frame, greeting, opening
from tools.fuzz.opcua_line import PATIENCE, HungUp, Line
from tools.fuzz.opcua_requests import read, requests
from tools.fuzz.opcua_structures import structured
from tools.fuzz.trial import Fallen

PLACES = {
    "session": 44,
    "discovery": 14,
    "structures": 14,
    "chunks": 10,
    "frame": 12,
    "renewal": 4,
    "secured": 2,
}
MARKS = 20  # messages between two that the server has to answer


class Fuzz:
    """Sends messages to the server at a port."""

    def __init__(self, port: int, certificate: bytes, seed: int) -> None:
        self._port = port
        self._certificate = certificate
        self._dice = random.Random(seed)
        self._lines: dict[str, Line] = {}
        self._used = ""  # which of them was used last
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
                self._send(kind)
                if number % MARKS == 0:
                    self.mark()
            except HungUp:
                self._drop(self._used)
            except TimeoutError:
                raise Fallen(f"no answer within {PATIENCE:.0f} s after message {number}") from None

    def _send(self, kind: str) -> None:
        dice = self._dice
        match kind:
            case "frame":
                say = dice.choice((frame, frame, greeting, opening))
                self.connections += 1
                with suppress(OSError):
                    _shout(self._port, say(dice))
            case "chunks":
                line = self._line("session")
                send_spoiled(line, dice.choice(requests(line.token)), dice)
            case "renewal":
                renew(self._line(dice.choice(("session", "discovery"))), dice)
            case "structures":
                line = self._line(dice.choice(("session", "session", "discovery", "secured")))
                line.ask(structured(line.token, dice))
            case _:
                line = self._line(kind)
                line.ask(spoiled(dice.choice(requests(line.token)), dice))

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
        self._used = kind
        if kind not in self._lines:
            self.connections += 1
            certificate = None if kind == "discovery" else self._certificate
            self._lines[kind] = Line(self._port, certificate, session=kind == "session")
        return self._lines[kind]

    def _drop(self, kind: str) -> None:
        line = self._lines.pop(kind, None)
        if line is not None:
            line.close()


def _shout(port: int, data: bytes) -> None:
    """Say something to the server and go."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(data)
