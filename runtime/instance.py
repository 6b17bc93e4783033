"""One runtime for each state directory: the lock, the shared memory, what an earlier life left."""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from runtime.places import Places, StateError
from runtime.progress import look
from runtime.requests import make_pipe

_LOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid
LAST_BREATH = 2.0  # s for a killed process to be gone

logger = structlog.get_logger()


@contextmanager
def taken(places: Places) -> Iterator[None]:
    """Prepare the places and hold them; at the end remove the shared memory.

    A record lock, because the kernel tells who holds it, and a child doesn't inherit it.
    """
    places.prepare()
    with places.lock.open("ab") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StateError(
                f"state directory {places.root}: in use by process {holder(places)}; end that, or"
                " set CALEJO_STATE to another directory"
            ) from None
        _prepare_shared(places)
        try:
            yield
        finally:
            shutil.rmtree(places.shared, ignore_errors=True)  # of which parts may be gone already


def holder(places: Places) -> int | None:
    """The process that runs this state directory; None if none does.

    Not for the holder itself: closing the file would give its lock up.
    """
    try:
        with places.lock.open("rb") as lock:
            asked = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, pid = _LOCK.unpack(fcntl.fcntl(lock, fcntl.F_GETLK, asked))
    except OSError:
        return None
    return None if kind == fcntl.F_UNLCK else pid


def _prepare_shared(places: Places) -> None:
    """Shared memory of an earlier life stays, for the scan to go on from; its processes go."""
    places.shared.mkdir(mode=0o700, exist_ok=True)
    if places.shared.stat().st_uid != os.getuid():
        raise StateError(f"shared memory {places.shared}: belongs to another user; remove it")
    for path in places.shared.glob("progress-*"):
        health = look(path)
        if health is not None and _is_ours(health.pid, places):
            logger.warning("left-over process killed", name=health.process, pid=health.pid)
            _kill(health.pid)
        path.unlink()
    for path in places.shared.glob("log-level-*"):
        path.unlink()
    make_pipe(places.requests)


def _is_ours(pid: int, places: Places) -> bool:
    """Whether a process has this shared memory mapped: its number alone proves nothing."""
    try:
        with open(f"/proc/{pid}/maps") as maps:
            return any(f"{places.shared}/" in line for line in maps)
    except OSError:
        return False


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [], LAST_BREATH)
        finally:
            os.close(descriptor)
