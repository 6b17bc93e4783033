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
from enum import StrEnum
from pathlib import Path

import orjson

from runtime import spoolfile

LIMIT = 1 << 30  # bytes of one spool file
GIVEN_UP = 10_000  # records that give way at a time
PENDING = 100_000  # batches that wait in memory for a disk that doesn't write
BATCH = 1_000  # batches in one commit
RETRY = 0.5  # s between attempts on a disk that doesn't write


class Kind(StrEnum):
    """What a record is about."""

    REQUEST = "request"  # an operator's request, before it is put to the scan
    ANSWER = "answer"  # what became of it
    SAFETY = "safety"  # an edge of a recorded tag that is a safety matter
    EDGE = "edge"  # an edge of any other recorded tag: gives way when space runs out
    LOST = "lost"  # how many edges gave way


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

    A file is bounded: past `limit` bytes the oldest edges that are no safety matter give way, and
    a record of how many says so. Requests, answers and safety edges never give way.
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.problem: str | None = None
        self._path = path
        self._limit = limit
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"spool {path.stem}", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def append(self, kind: str, record: Mapping[str, object]) -> Future[None]:
        return self.extend([(kind, record)])

    def extend(
        self, records: Iterable[tuple[str, Mapping[str, object]]], position: bytes | None = None
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
                connection = connection or spoolfile.make(self._path)
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

    def _write(self, connection: sqlite3.Connection, batches: list[_Batch]) -> None:
        with spoolfile.transaction(connection):
            for batch in batches:
                connection.executemany(spoolfile.INSERT, batch.rows)
                if batch.position is not None:
                    connection.execute("update spool set position = ?", (batch.position,))
            if spoolfile.used(connection) > self._limit:
                oldest = "select seq from record where kind = ? order by seq limit ?"
                gone = connection.execute(
                    f"delete from record where seq in ({oldest})", (Kind.EDGE, GIVEN_UP)
                )
                if gone.rowcount:
                    connection.execute(
                        spoolfile.INSERT, (Kind.LOST, _encode({"records": gone.rowcount}))
                    )


def _encode(record: Mapping[str, object]) -> bytes:
    """As JSON; text that isn't Unicode, as a client may send, is mended rather than refused."""
    try:
        return orjson.dumps(record)
    except TypeError:
        mended = {
            key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
            for key, value in record.items()
        }
        return orjson.dumps(mended)
