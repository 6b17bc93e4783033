"""Fuzzing the Modbus server: the real process, over real sockets, beside a scan that is watched.

Most frames come by connections without a right to write: nothing may be asked of the scan
for them. The others come by connections that have shown the token: what is asked for them must be
a value that a client may ask for. Every frame must be answered once, in order, by an answer that
the standard allows; what is no Modbus must end its connection. The process must live on, answer
others, stay as large as it was, and hold no connection that is over.
"""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass, field

from runtime.requests import Ask, Role, Source
from runtime.tag import Access
from runtime.tags import TAGS
from tools.bench import bed
from tools.bench.lateness import run, until_served
from tools.fuzz.frames import Frame, Frames
from tools.fuzz.stand import Plant, descriptors, memory

CONNECTIONS = 8  # of each kind
BATCH = 16  # frames under way on a connection: as many as may wait behind a write
PATIENCE = 30.0  # s for an answer
LOCKED = 0.8  # share of the frames that come by connections that may not write
WARM = 0.2  # share of the frames after which memory is measured first
GROWTH = 8 << 20  # octets that the process may have grown since then
_HEADER = struct.Struct(">HHHB")


class Fault(Exception):
    """The server did what it must not; the message says what, and to which frame."""


@dataclass
class Findings:
    """What a run came to."""

    frames: int = 0
    answers: int = 0
    exceptions: int = 0
    closed: int = 0
    asked: int = 0
    seconds: float = 0.0
    grown: int = 0
    functions: set[int] = field(default_factory=set)


class Line:
    """One connection, opened anew whenever the server has to close it."""

    def __init__(self, port: int, token: bytes, frames: Frames, findings: Findings) -> None:
        self._port = port
        self._token = token
        self._frames = frames
        self._found = findings
        self._sent: list[Frame] = []
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        self._file = self._socket.makefile("rb")
        # An answer says that the server holds the connection: from now on it counts.
        pdu = struct.pack(">BHH", 3, 0, 1)
        if self._token:
            pdu = struct.pack(">BHHB", 16, 90, len(self._token) // 2, len(self._token))
            pdu += self._token
        frame = _HEADER.pack(0, 0, len(pdu) + 1, 255) + pdu
        self._socket.sendall(frame)
        self._receive(Frame(frame, 0, 255, pdu))

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, count: int) -> None:
        """Send frames, cut anywhere; the last at the latest by which the connection ends."""
        for _ in range(count):
            self._sent.append(self._frames.next())
            if self._sent[-1].ends:
                break
        octets = b"".join(frame.octets for frame in self._sent)
        cut = self._frames.cut(len(octets))
        self._socket.sendall(octets[:cut])
        self._socket.sendall(octets[cut:])

    def check(self) -> None:
        """Look at the answers to all that was sent."""
        sent, self._sent = self._sent, []
        for frame in sent:
            self._found.frames += 1
            if frame.ends:
                self._expect_end(frame)
            else:
                self._receive(frame)

    def _receive(self, frame: Frame) -> None:
        try:
            transaction, protocol, length, unit = _HEADER.unpack(self._file.read(_HEADER.size))
            pdu = self._file.read(length - 1)
        except (OSError, struct.error) as error:
            raise Fault(f"no answer ({error}) to {frame.octets.hex(' ')}") from None
        if protocol != 0 or len(pdu) != length - 1 or not frame.fits(transaction, unit, pdu):
            raise Fault(f"{frame.octets.hex(' ')} was answered by {pdu.hex(' ')} of {transaction}")
        self._found.answers += 1
        self._found.exceptions += pdu[0] >> 7
        self._found.functions.add(pdu[0] & 0x7F)

    def _expect_end(self, frame: Frame) -> None:
        try:
            ended = self._file.read(1) == b""
        except ConnectionError:
            ended = True
        except OSError:
            ended = False
        if not ended:
            raise Fault(f"the connection goes on after {frame.octets.hex(' ')}")
        self._found.closed += 1
        self.close()
        self._open()


def fuzz(frames: int, seed: int) -> Findings:
    """Send so many frames; raises Fault at the first thing that is wrong."""
    found = Findings()
    with bed.state() as places:
        environ = bed.settings(10) | {"CALEJO_STATE": str(places.root), "CALEJO_LOG": "error"}
        config = bed.loaded(environ)
        places.prepare()
        plant = Plant(places, config, bed.sample_equipment(config))
        port = config.servers.modbus.listen.port
        token = bytes.fromhex(places.token())
        with plant.running(), run(environ, "runtime", "process", "modbus") as process:
            until_served(port)
            stream = Frames(seed)
            locked = [Line(port, b"", stream, found) for _ in range(CONNECTIONS)]
            began, warm, held = time.monotonic(), 0, 0
            while found.frames < frames * LOCKED:
                _exchange(locked)
                if not warm and found.frames >= frames * WARM:
                    warm = memory(process.pid)
                    held = descriptors(process.pid) - len(locked)
            if plant.asked:
                raise Fault(f"without the token the scan was asked {plant.asked[0]}")
            unlocked = [Line(port, token, stream, found) for _ in range(CONNECTIONS)]
            while found.frames < frames:
                _exchange(unlocked)
            _check(plant.asked)
            if process.poll() is not None:
                raise Fault(f"the server ended with {process.returncode}")
            found.grown = memory(process.pid) - warm
            found.asked = len(plant.asked)
            found.seconds = time.monotonic() - began
            until_served(port)
            for line in (*locked, *unlocked):
                line.close()
            _await_closed(process.pid, held)
    if found.grown > GROWTH:
        raise Fault(f"the server has grown by {found.grown / 1e6:.1f} MB")
    return found


def _await_closed(pid: int, held: int) -> None:
    """Wait until the process holds no more descriptors than when nobody was connected."""
    deadline = time.monotonic() + PATIENCE
    while (left := descriptors(pid)) > held:
        if time.monotonic() > deadline:
            raise Fault(f"the server holds {left} descriptors, {held} before")
        time.sleep(0.05)


def _exchange(lines: list[Line]) -> None:
    for line in lines:
        line.send(BATCH)
    for line in lines:
        line.check()


def _check(asked: list[Ask]) -> None:
    """Everything that was asked is what a client with the token may ask."""
    for ask in asked:
        tag = TAGS[ask.tag]
        sound = tag.access is Access.REQUEST and tag.low <= ask.value <= tag.high
        clears = tag.name == "EmergencyStop" and not ask.value
        if not sound or clears or (ask.role, ask.source) != (Role.OPERATOR, Source.MODBUS):
            raise Fault(f"the scan was asked {ask}")
