"""A region of shared memory with one writer: triple-buffered snapshots with a sequence number.

The file lies on tmpfs: a header, then three slots of equal size.

    header (64-bit words): magic, layout, sequence, stamp, epoch, pid

The writer fills slot `sequence % 3` and then stores the sequence. A reader copies the slot of the
sequence it read and keeps the copy only if the writer has published at most one more since: only
then can the slot not have been written again. A writer killed in mid-write has touched neither the
sequence nor the slot of it, so the last snapshot stays whole.
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
ATTEMPTS = 1000
STILL, STILL_PERIODS = 1.0, 5  # s and periods, whichever is longer, until a writer stands still


def _slots(file: SharedFile, size: int) -> list[NDArray[np.uint8]]:
    return [file.memory[HEADER + k * size :][:size] for k in range(SLOTS)]


class Writer:
    """The one writer of a region. Creates the file, or takes over the one that fits."""

    def __init__(self, path: Path, size: int, layout: int) -> None:
        file = SharedFile(path, MAGIC, layout, SLOTS * size, create=True)
        self._words = file.words
        self._slots = _slots(file, size)
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
        np.copyto(self._slots[sequence % SLOTS], arena)
        words[_STAMP] = time.monotonic_ns()
        words[_SEQUENCE] = sequence


class Reader:
    """A reader of a region."""

    def __init__(self, path: Path, size: int, layout: int) -> None:
        self._file = SharedFile(path, MAGIC, layout, SLOTS * size, create=False)
        self._words = self._file.words
        self._slots = _slots(self._file, size)

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
            np.copyto(into, slots[sequence % SLOTS])
            if words[_SEQUENCE] - sequence <= 1:
                return sequence
        raise RegionError(f"{self._file.path} changes faster than it can be read")
