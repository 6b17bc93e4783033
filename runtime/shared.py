"""A file on tmpfs that several processes map: the base of image, inputs and event ring.

It begins with a header of 64-bit words, of which the first two say what it is: the magic number of
its kind, and the signature of the layout. Whoever would read the same bytes differently is refused.

The order of plain stores is enough on x86 (total store order); on other machines a barrier would be
needed, so they are refused too.
"""

from __future__ import annotations

import mmap
import os
import platform
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEADER = 4096  # bytes
_MAGIC, _SIGNATURE = range(2)


class RegionError(Exception):
    """A region of shared memory is missing, of another layout, or could not be read whole."""


class SharedFile:
    """The mapped file: `words` of the header, and all `memory`.

    `create` makes the file unless there is one that fits, which is taken over; `fresh` says which.
    """

    def __init__(self, path: Path, magic: int, signature: int, size: int, *, create: bool) -> None:
        if platform.machine() not in ("x86_64", "AMD64"):
            raise RegionError(f"shared memory needs x86-64, found {platform.machine()}")
        self.path = path
        length = HEADER + size
        self.fresh = create and not _fits(path, magic, signature, length)
        if self.fresh:
            path.unlink(missing_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
        except FileNotFoundError:
            raise RegionError(f"{path} does not exist: its writer has not started") from None
        try:
            self._inode = os.fstat(descriptor).st_ino
            if self.fresh:
                os.posix_fallocate(descriptor, 0, length)
            elif os.fstat(descriptor).st_size != length:
                raise RegionError(f"{path} has another size than this program's layout needs")
            mapped = mmap.mmap(descriptor, length)
        finally:
            os.close(descriptor)
        self.words = memoryview(mapped)[:HEADER].cast("Q")
        self.memory: NDArray[np.uint8] = np.frombuffer(mapped, np.uint8)
        if self.fresh:
            self.words[_SIGNATURE] = signature
            self.words[_MAGIC] = magic
        if self.words[_MAGIC] != magic or self.words[_SIGNATURE] != signature:
            raise RegionError(f"{path} is of another layout than this program's")

    @property
    def replaced(self) -> bool:
        """Whether the file was made anew, so that this is a mapping of one left behind."""
        try:
            return os.stat(self.path).st_ino != self._inode
        except FileNotFoundError:
            return True


def _fits(path: Path, magic: int, signature: int, length: int) -> bool:
    try:
        with path.open("rb") as file:
            begins = file.read(16) == struct.pack("<QQ", magic, signature)
            return begins and path.stat().st_size == length
    except FileNotFoundError:
        return False
