"""Log files: one for each process, renamed when full, removed when old; no line is lost.

A line is appended whole to the file that has the name now: before each write the writer looks
whether that is still the one it has open. So a process and its successor may write to one file,
whichever of them renames it, and so may a program from outside, such as logrotate.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path


class LogFile:
    """The file `<process>.log`; past `size` bytes it becomes `<process>-<UTC>-<pid>.log`.

    Renamed files are removed when they are `keep` s old. Writing raises OSError if the disk does.
    """

    def __init__(self, directory: Path, process: str, size: float, keep: float) -> None:
        self._path = directory / f"{process}.log"
        self._size = size
        self._keep = keep
        self._descriptor = self._open()
        self._forget()

    def write(self, line: bytes) -> None:
        if self._full():
            self._rename()
        os.write(self._descriptor, line)

    def flush(self) -> None:
        """Nothing is held back."""

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)

    def _reopen(self) -> None:
        fresh = self._open()  # first: if it fails, lines go on into the file that is open
        os.close(self._descriptor)
        self._descriptor = fresh

    def _full(self) -> bool:
        """Whether the file is to be renamed; it is opened anew if another has done it."""
        mine = os.fstat(self._descriptor)
        try:
            named = os.stat(self._path)
        except FileNotFoundError:
            self._reopen()
            return False
        if named.st_ino != mine.st_ino:
            self._reopen()
            return False
        return mine.st_size >= self._size

    def _rename(self) -> None:
        with suppress(FileNotFoundError):  # another process was first
            self._path.rename(self._free())
        self._reopen()
        self._forget()

    def _free(self) -> Path:
        """A name that no file has: it sorts by time and says who renamed."""
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        return self._path.with_name(f"{self._path.stem}-{moment}-{os.getpid()}.log")

    def _forget(self) -> None:
        """Remove the renamed files that are too old."""
        for path in self._path.parent.glob(f"{self._path.stem}-[0-9]*.log"):
            with suppress(FileNotFoundError):  # another life of this process removes them too
                if time.time() - path.stat().st_mtime > self._keep:
                    path.unlink()
