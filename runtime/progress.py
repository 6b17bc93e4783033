"""What a process says of itself: a counter that moves while it works, and one line of health.

The supervisor and `calejo status` judge a process by its counter, never by its being alive: a hung
process is alive too.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

_SIZE = 512
_HEAD = struct.Struct("<QQQQ")  # counter, stamp, pid, state
_TEXT = _SIZE - _HEAD.size


class State(IntEnum):
    """How a process is."""

    STARTING = 0
    GOOD = 1
    DEGRADED = 2
    STANDBY = 3


@dataclass(frozen=True)
class Health:
    """One look at a process: `age` is the time in s since its counter last moved."""

    process: str
    pid: int
    state: State
    text: str
    count: int
    age: float


class Progress:
    """The writing side; one for each process."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _SIZE)
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self._words = memoryview(self._map)[: _HEAD.size].cast("Q")
        self._words[2] = os.getpid()
        self.say(State.STARTING, "starting")
        self.beat()

    def beat(self) -> None:
        """Say that work goes on. Cheap: two stores."""
        self._words[1] = time.monotonic_ns()
        self._words[0] = self._words[0] + 1

    def say(self, state: State, text: str) -> None:
        """Say how the process is, in one line."""
        self._words[3] = int(state)
        self._map[_HEAD.size : _SIZE] = text.encode()[:_TEXT].ljust(_TEXT, b"\0")


def look(path: Path) -> Health | None:
    """The health that a process left at `path`; None if it never started."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(raw) < _SIZE:
        return None
    count, stamp, pid, state = _HEAD.unpack_from(raw)
    text = raw[_HEAD.size :].rstrip(b"\0").decode(errors="replace")
    age = (time.monotonic_ns() - stamp) * 1e-9
    return Health(path.name.removeprefix("progress-"), pid, State(state), text, count, age)
