"""A region of shared memory with one writer: triple-buffered snapshots with a sequence number.

The file lies on tmpfs: a header, then three slots of equal size.

    header (64-bit words): magic, layout, sequence, stamp, epoch, pid

The writer fills slot `sequence % 3` and then stores the sequence. A reader copies the slot of the
sequence it read and keeps the copy only if the writer has published at most one more since: only
then can the slot not have been written again. A writer killed in mid-write has touched neither the
sequence nor the slot of it, so the last snapshot stays whole.

A snapshot may begin with a head that seldom changes. Its first word stands for its content, and
the head is copied only to where that word is another, or 0. The word is 0 while the head is being
copied, so that a copy that was broken off is never taken for whole.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.shared import HEADER, SharedFile
from runtime.shared import RegionError as RegionError

MAGIC = 0x4F4A454C4143_0001  # "CALEJO", format 1
_SEQUENCE, _STAMP, _EPOCH, _PID = range(2, 6)
SLOTS = 3
WORD = 8  # bytes
ATTEMPTS = 1000
STILL, STILL_PERIODS = 1.0, 5  # s and periods, whichever is longer, until a writer stands still


def _slots(file: SharedFile, size: int) -> list[NDArray[np.uint8]]:
    return [file.memory[HEADER + k * size :][:size] for k in range(SLOTS)]


def _copy(into: NDArray[np.uint8], source: NDArray[np.uint8], head: int) -> None:
    """Copy a snapshot, its head only if that differs."""
    if head:
        mine, other = into[:WORD].view(np.uint64), source[:WORD].view(np.uint64)
        if mine[0] != other[0] or not other[0]:
            mine[0] = 0
            np.copyto(into[WORD:head], source[WORD:head])
            mine[0] = other[0]
    np.copyto(into[head:], source[head:])


class Writer:
    """The one writer of a region. Creates the file, or takes over the one that fits."""

    def __init__(self, path: Path, size: int, layout: int, head: int = 0) -> None:
        file = SharedFile(path, MAGIC, layout, SLOTS * size, create=True)
        self._words = file.words
        self._slots = _slots(file, size)
        self._head = head
        self.epoch = int(self._words[_EPOCH]) + 1
        self._words[_EPOCH] = self.epoch
        self._words[_PID] = os.getpid()

    @property
    def sequence(self) -> int:
        """Number of the last snapshot published; 0 if there is none."""
        return int(self._words[_SEQUENCE])

    def last(self) -> NDArray[np.uint8] | None:
        """The last snapshot published, to go on from."""
        return self._slots[self.sequence % SLOTS] if self.sequence else None

    def publish(self, arena: NDArray[np.uint8]) -> None:
        """Publish a copy of `arena`."""
        words = self._words
        sequence = words[_SEQUENCE] + 1
        _copy(self._slots[sequence % SLOTS], arena, self._head)
        words[_STAMP] = time.monotonic_ns()
        words[_SEQUENCE] = sequence


class Reader:
    """A reader of a region."""

    def __init__(self, path: Path, size: int, layout: int, head: int = 0) -> None:
        self._file = SharedFile(path, MAGIC, layout, SLOTS * size, create=False)
        self._words = self._file.words
        self._slots = _slots(self._file, size)
        self._head = head

    @property
    def sequence(self) -> int:
        return int(self._words[_SEQUENCE])

    @property
    def epoch(self) -> int:
        return int(self._words[_EPOCH])

    @property
    def pid(self) -> int:
        return int(self._words[_PID])

    @property
    def stamp(self) -> float:
        """Scan clock at which the last snapshot was published."""
        return self._words[_STAMP] * 1e-9

    @property
    def age(self) -> float:
        """Seconds since the last snapshot; infinite before the first."""
        return time.monotonic() - self.stamp if self.sequence else float("inf")

    def stands_still(self, period: float) -> bool:
        """Whether its writer, which publishes each `period` s, has missed too much to be alive."""
        return self.age > max(STILL, STILL_PERIODS * period)

    @property
    def replaced(self) -> bool:
        """Whether the file was made anew, so that this reader looks at a region left behind."""
        return self._file.replaced

    def read(self, into: NDArray[np.uint8]) -> int:
        """Copy the newest whole snapshot into `into`; its sequence number, 0 if there is none."""
        words, slots = self._words, self._slots
        for _ in range(ATTEMPTS):
            sequence: int = words[_SEQUENCE]
            if not sequence:
                return 0
            _copy(into, slots[sequence % SLOTS], self._head)
            if words[_SEQUENCE] - sequence <= 1:
                return sequence
            into[: min(WORD, self._head)] = 0  # what was copied may be torn
        raise RegionError(f"{self._file.path} changes faster than it can be read")
