"""The spool: what must not be lost, on disk until PostgreSQL has it.

Each producing process has a file of its own (`runtime.spoolfile`); this is its writing side.
"""

from __future__ import annotations

import atexit
import queue
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import orjson

from runtime import spoolfile
from runtime.spoolfile import Kind as Kind

LIMIT = 1 << 30  # bytes of one spool file
GIVES_WAY = (Kind.SAMPLE, Kind.EDGE)  # in this order, when there is no more room; nothing else does
GIVEN_UP = 1_000  # records that give way at a time
ROOM = 1 / 16  # share of the limit that is made free then
PENDING = 100_000  # batches that wait in memory for a disk that doesn't write
BATCH = 1_000  # batches in one commit
RETRY = 0.5  # s between attempts on a disk that doesn't write


class SpoolError(Exception):
    """Records can't be taken: the journal is closed, or memory has no room for more of them."""


@dataclass
class _Batch:
    """Records that are appended together."""

    rows: list[tuple[str, bytes]]
    position: bytes | None
    future: Future[None]


class Journal:
    """The writing side of one spool file. Appending never blocks: a thread commits in groups.

    A future is done when its records are on disk. While the disk doesn't write, records wait in
    memory, `problem` says why, and the thread keeps trying.

    A file is bounded: past `limit` bytes the oldest samples give way, when there are none left the
    oldest edges that are no safety matter, and a record of how many says so. Requests, answers,
    safety edges and notes never give way.
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.problem: str | None = None
        self._path = path
        self._limit = limit
        self._inode = 0
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"spool {path.stem}", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def append(self, kind: str, record: Mapping[str, object] | bytes) -> Future[None]:
        return self.extend([(kind, record)])

    def extend(
        self,
        records: Iterable[tuple[str, Mapping[str, object] | bytes]],
        position: bytes | None = None,
    ) -> Future[None]:
        """Append records that belong together: all or none of them will be on disk.

        `position` is kept with them: how far the producer has come in what it records.
        """
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # what is appended can't be cancelled
        if self._closing.is_set():
            future.set_exception(SpoolError(f"{self._path} is closed"))
        elif self._queue.qsize() >= PENDING:
            future.set_exception(SpoolError(f"{self._path}: {self.problem}"))
        else:
            rows = [(str(kind), _encode(record)) for kind, record in records]
            self._queue.put(_Batch(rows, position, future))
        return future

    def close(self) -> None:
        """Commit what waits, if the disk takes it now, and end the thread."""
        atexit.unregister(self.close)
        self._closing.set()
        self._queue.put(None)
        self._thread.join()
        while not self._queue.empty():  # appended while it was being closed
            if batch := self._queue.get():
                batch.future.set_exception(SpoolError(f"{self._path} is closed"))

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        last = False
        while not last:
            batches, last = self._take()
            connection = self._commit(connection, batches)
        if connection is not None:
            connection.close()

    def _take(self) -> tuple[list[_Batch], bool]:
        """What waits, at least one batch; whether the end of all was met."""
        batches: list[_Batch] = []
        batch = self._queue.get()
        while batch is not None:
            batches.append(batch)
            if len(batches) == BATCH or self._queue.empty():
                return batches, False
            batch = self._queue.get()
        return batches, True

    def _commit(
        self, connection: sqlite3.Connection | None, batches: list[_Batch]
    ) -> sqlite3.Connection | None:
        """Commit, trying again until the disk takes it or the journal is closed."""
        while batches:
            try:
                if connection is not None and self._is_gone():
                    connection.close()
                    connection = None
                if connection is None:
                    connection = spoolfile.make(self._path)
                    self._inode = self._path.stat().st_ino
                self._write(connection, batches)
            except (sqlite3.Error, OSError) as error:
                self.problem = str(error)
                if connection is not None:
                    connection.close()
                    connection = None
                if spoolfile.is_broken(error):
                    spoolfile.set_aside(self._path)
                elif self._closing.wait(RETRY):
                    for batch in batches:
                        batch.future.set_exception(error)
                    break
            else:
                self.problem = None
                for batch in batches:
                    batch.future.set_result(None)
                break
        return connection

    def _is_gone(self) -> bool:
        """Whether somebody removed or replaced the file while it was open."""
        try:
            return self._path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def _write(self, connection: sqlite3.Connection, batches: list[_Batch]) -> None:
        with spoolfile.transaction(connection):
            for batch in batches:
                connection.executemany(spoolfile.INSERT, batch.rows)
                if batch.position is not None:
                    connection.execute("update spool set position = ?", (batch.position,))
            if spoolfile.used(connection) > self._limit:
                self._make_room(connection)

    def _make_room(self, connection: sqlite3.Connection) -> None:
        oldest = "select seq from record where kind = ? order by seq limit ?"
        for kind in GIVES_WAY:
            lost = 0
            while spoolfile.used(connection) > self._limit * (1 - ROOM):
                gone = connection.execute(
                    f"delete from record where seq in ({oldest})", (kind, GIVEN_UP)
                ).rowcount
                if not gone:
                    break
                lost += gone
            if lost:
                record = {"records": lost, "kind": kind}
                connection.execute(spoolfile.INSERT, (Kind.LOST, _encode(record)))


def _encode(record: Mapping[str, object] | bytes) -> bytes:
    """As JSON; text that isn't Unicode, as a client may send, is mended rather than refused."""
    if isinstance(record, bytes):
        return record
    try:
        return orjson.dumps(record)
    except TypeError:
        mended = {
            key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
            for key, value in record.items()
        }
        return orjson.dumps(mended)
