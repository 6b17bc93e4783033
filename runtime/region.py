"""A region of shared memory with one writer: triple-buffered snapshots with a sequence number.

The file lies on tmpfs: a header, then three slots of equal size.

    header (64-bit words): magic, layout, sequence, stamp, epoch, pid

The writer fills slot `sequence % 3` and then stores the sequence. A reader copies the slot of the
sequence it read and keeps the copy only if the writer has published at most one more since: only
then can the slot not have been written again. A writer killed in mid-write has touched neither the
sequence nor the slot of it, so the last snapshot stays whole.

The order of plain stores is enough on x86 (total store order); on other machines a barrier would be
needed, and `attach` refuses them.
"""

from __future__ import annotations

import mmap
import os
import platform
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x4F4A454C4143_0001  # "CALEJO", format 1
WORDS = 6
_MAGIC, _LAYOUT, _SEQUENCE, _STAMP, _EPOCH, _PID = range(WORDS)
HEADER = 4096
SLOTS = 3
ATTEMPTS = 1000


class RegionError(Exception):
    """A region is missing, of another layout, or could not be read whole."""


class _Mapping:
    """The mapped file: header words and slots."""

    def __init__(self, path: Path, size: int, layout: int, *, create: bool) -> None:
        if platform.machine() not in ("x86_64", "AMD64"):
            raise RegionError(f"shared memory needs x86-64, found {platform.machine()}")
        self.path = path
        self.size = size
        length = HEADER + SLOTS * size
        fresh = create and not self._fits(path, length, layout)
        if fresh:
            path.unlink(missing_ok=True)
        flags = os.O_RDWR | (os.O_CREAT if create else 0)
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            raise RegionError(f"{path} does not exist: its writer has not started") from None
        try:
            self.inode = os.fstat(descriptor).st_ino
            if fresh:
                os.posix_fallocate(descriptor, 0, length)
            elif os.fstat(descriptor).st_size != length:
                raise RegionError(f"{path} has another size than this program's layout needs")
            self._map = mmap.mmap(descriptor, length)
        finally:
            os.close(descriptor)
        self.words = memoryview(self._map).cast("B")[: WORDS * 8].cast("Q")
        whole: NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)
        self.slots = [whole[HEADER + k * size :][:size] for k in range(SLOTS)]
        if fresh:
            self.words[_LAYOUT] = layout
            self.words[_MAGIC] = MAGIC
        if self.words[_MAGIC] != MAGIC or self.words[_LAYOUT] != layout:
            raise RegionError(f"{path} is of another layout than this program's")

    @staticmethod
    def _fits(path: Path, length: int, layout: int) -> bool:
        """Whether an existing file can be taken over: a takeover keeps the last snapshot."""
        try:
            with path.open("rb") as file:
                header = np.frombuffer(file.read(WORDS * 8), np.uint64)
                return (
                    len(header) == WORDS
                    and int(header[_MAGIC]) == MAGIC
                    and int(header[_LAYOUT]) == layout
                    and path.stat().st_size == length
                )
        except FileNotFoundError:
            return False


class Writer:
    """The one writer of a region. Creates the file, or takes over the one that fits."""

    def __init__(self, path: Path, size: int, layout: int) -> None:
        self._mapping = _Mapping(path, size, layout, create=True)
        self._words = self._mapping.words
        self._slots = self._mapping.slots
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
        self._mapping = _Mapping(path, size, layout, create=False)
        self._words = self._mapping.words
        self._slots = self._mapping.slots

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

    @property
    def replaced(self) -> bool:
        """Whether the file was made anew, so that this reader looks at a region left behind."""
        try:
            return os.stat(self._mapping.path).st_ino != self._mapping.inode
        except FileNotFoundError:
            return True

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
        raise RegionError(f"{self._mapping.path} changes faster than it can be read")
