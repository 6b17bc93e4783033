"""Sampling: the recorder's part that writes the history into a spool of its own.

A spool of its own, so that no amount of samples stands before an edge on the way to PostgreSQL or
takes the room of one. When the disk fills up, samples end first: the last RESERVE bytes are for
edges, requests and retained memory.
"""

from __future__ import annotations

import os
from concurrent.futures import Future
from pathlib import Path

from config.records import History
from runtime.layout import Columns
from runtime.samples import Sampler, encode
from runtime.spool import Journal, Kind
from runtime.tags import System

NAME = "history"
LIMIT = 1 << 30  # bytes of the spool of samples
RESERVE = 256 << 20  # bytes of the disk that samples leave free


class Sampling:
    """Looks at the columns every `history.interval` and spools what is to be kept of them."""

    def __init__(self, columns: Columns, directory: Path, history: History) -> None:
        self._columns = columns
        self._directory = directory
        self._interval = history.interval
        self._sampler = Sampler(columns, history.silence)
        self._journal = Journal(directory / f"{NAME}.db", LIMIT)
        self._written: Future[None] | None = None
        self._next = float("-inf")
        self._lost = 0

    def step(self, now: float) -> None:
        """Sample, if it is time to, from columns that hold a new image."""
        if now < self._next or (self._written is not None and not self._written.done()):
            return
        late = now - self._next > self._interval
        self._next = now + self._interval if late else self._next + self._interval
        samples = self._sampler.take(now)
        if not samples:
            return
        if self._is_short_of_room():
            self._lost += 1
            return
        value = self._columns.value
        record = encode(int(value(System.Scan)), value(System.TimeUtc), samples)
        if self._lost:
            self._journal.append(Kind.LOST, {"records": self._lost, "kind": Kind.SAMPLE})
            self._lost = 0
        self._written = self._journal.append(Kind.SAMPLE, record)

    @property
    def problem(self) -> str | None:
        """Why there is no history at the moment; None if there is."""
        if self._lost:
            return f"no history: less than {RESERVE >> 20} MiB of disk left"
        return self._journal.problem

    def close(self) -> None:
        self._journal.close()

    def _is_short_of_room(self) -> bool:
        try:
            disk = os.statvfs(self._directory)
        except OSError:
            return False  # the journal will say what is wrong
        return disk.f_bavail * disk.f_frsize < RESERVE
