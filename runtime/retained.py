"""Retained memory: what must outlive a restart, a crash and a power cut."""

from __future__ import annotations

import mmap
import os
from pathlib import Path


class RetainedMark:
    """The number of the newest scan whose latches are on disk, for all processes to see.

    The recorder writes it; a server that has set a latch waits for it before it says "done".
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, mmap.PAGESIZE)
            self._word = memoryview(mmap.mmap(descriptor, mmap.PAGESIZE))[:8].cast("Q")
        finally:
            os.close(descriptor)

    @property
    def scan(self) -> int:
        return int(self._word[0])

    @scan.setter
    def scan(self, number: int) -> None:
        self._word[0] = number
