"""Who leads: a robust mutex in shared memory, whose next holder the kernel wakes when one dies.

A lock on a file would be free only after the memory of the dead, and the 400 MB that a scan process
has locked take the kernel some 40 ms. A robust mutex is free before that: what was killed can't
execute anything any more, only its memory is still there.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path

MAGIC = 0x4441454C_0001  # "LEAD", format 1
LOOK_S = 0.1  # between looks whether this process is asked to end, while it waits
_MUTEX = 64  # bytes before the mutex, in a cache line of its own
_SIZE = mmap.PAGESIZE
_SHARED = _ROBUST = 1
_NS = 1_000_000_000

_libc = ctypes.CDLL(None, use_errno=False)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class Lead:
    """The lead of one runtime. Whoever has taken it keeps it until it dies."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # held only while the mutex is made
            os.posix_fallocate(descriptor, 0, _SIZE)
            self._memory = mmap.mmap(descriptor, _SIZE)
            words = memoryview(self._memory).cast("Q")
            place = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
            self._mutex = ctypes.c_void_p(place + _MUTEX)
            if words[0] != MAGIC:
                self._make()
                words[0] = MAGIC
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # the mapping has a descriptor of its own
            os.close(descriptor)

    def _make(self) -> None:
        attributes = ctypes.create_string_buffer(16)
        _require(_libc.pthread_mutexattr_init(attributes))
        _require(_libc.pthread_mutexattr_setpshared(attributes, _SHARED))
        _require(_libc.pthread_mutexattr_setrobust(attributes, _ROBUST))
        _require(_libc.pthread_mutex_init(self._mutex, attributes))

    def take(self, waits: Callable[[], None]) -> None:
        """Wait until nobody leads any more, and lead. Signals are handled meanwhile.

        `waits` is called every LOOK_S, so that others see that this process could still lead.
        """
        while (code := self._try()) == errno.ETIMEDOUT:
            waits()
        if code == errno.EOWNERDEAD:
            code = _libc.pthread_mutex_consistent(self._mutex)
        _require(code)

    def _try(self) -> int:
        until = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + int(LOOK_S * _NS)
        limit = _Timespec(until // _NS, until % _NS)
        return int(
            _libc.pthread_mutex_clocklock(self._mutex, time.CLOCK_MONOTONIC, ctypes.byref(limit))
        )


def _require(code: int) -> None:
    if code:
        raise OSError(code, f"the lead can't be taken: {os.strerror(code)}")
