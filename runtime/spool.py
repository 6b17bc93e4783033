"""The spool: what must not be lost, on disk until PostgreSQL has it.

Each producing process has a file of its own (SQLite, write-ahead log, synchronous=FULL). A record
is known for ever by the identity of its file and its number in it: numbers are never used again,
and a file made anew has a new identity, so PostgreSQL can take each record exactly once.

A file is bounded: past LIMIT the oldest edges that are no safety matter give way, and a record of
how many says so. Requests, answers and safety edges never give way.
"""

from __future__ import annotations

import atexit
import contextlib
import queue
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

LIMIT = 1 << 30  # bytes of one spool file
GIVEN_UP = 10_000  # records that give way at a time
PENDING = 100_000  # batches that wait in memory for a disk that doesn't write
BATCH = 1_000  # batches in one commit
RETRY = 0.5  # s between attempts on a disk that doesn't write
BUSY = 5.0  # s to wait for the other side's transaction

_SCHEMA = """
create table if not exists spool (identity text not null);
create table if not exists record (
    seq integer primary key autoincrement,
    kind text not null,
    body blob not null
);
"""


class Kind(StrEnum):
    """What a record is about."""

    REQUEST = "request"  # an operator's request, before it is put to the scan
    ANSWER = "answer"  # what became of it
    SAFETY = "safety"  # an edge of a recorded tag that is a safety matter
    EDGE = "edge"  # an edge of any other recorded tag: gives way when space runs out
    LOST = "lost"  # how many edges gave way


class SpoolError(Exception):
    """Records can't be taken: the journal is closed, or memory has no room for more of them."""


_Rows = list[tuple[str, bytes]]
_Batch = tuple[_Rows, Future[None]]


class Journal:
    """The writing side of one spool file. Appending never blocks: a thread commits in groups.

    A future is done when its records are on disk. While the disk doesn't write, records wait in
    memory, `problem` says why, and the thread keeps trying.
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

    def extend(self, records: Iterable[tuple[str, Mapping[str, object]]]) -> Future[None]:
        """Append records that belong together: all or none of them will be on disk."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # what is appended can't be cancelled
        if self._closing.is_set():
            future.set_exception(SpoolError(f"{self._path} is closed"))
        elif self._queue.qsize() >= PENDING:
            future.set_exception(SpoolError(f"{self._path}: {self.problem}"))
        else:
            rows = [(str(kind), orjson.dumps(record)) for kind, record in records]
            self._queue.put((rows, future))
        return future

    def close(self) -> None:
        """Commit what waits, if the disk takes it now, and end the thread."""
        atexit.unregister(self.close)
        self._closing.set()
        self._queue.put(None)
        self._thread.join()
        while not self._queue.empty():  # appended while it was being closed
            if batch := self._queue.get():
                batch[1].set_exception(SpoolError(f"{self._path} is closed"))

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
        rows = [row for rows, _ in batches for row in rows]
        while batches:
            try:
                connection = connection or _open(self._path)
                self._write(connection, rows)
            except (sqlite3.Error, OSError) as error:
                self.problem = str(error)
                if connection is not None:
                    connection.close()
                    connection = None
                if _is_broken(error):
                    _set_aside(self._path)
                elif self._closing.wait(RETRY):
                    for _, future in batches:
                        future.set_exception(error)
                    break
            else:
                self.problem = None
                for _, future in batches:
                    future.set_result(None)
                break
        return connection

    def _write(self, connection: sqlite3.Connection, rows: _Rows) -> None:
        with _transaction(connection):
            connection.executemany("insert into record (kind, body) values (?, ?)", rows)
            if _used(connection) > self._limit:
                oldest = "select seq from record where kind = ? order by seq limit ?"
                gone = connection.execute(
                    f"delete from record where seq in ({oldest})", (Kind.EDGE, GIVEN_UP)
                )
                if gone.rowcount:
                    lost = (Kind.LOST, orjson.dumps({"records": gone.rowcount}))
                    connection.execute("insert into record (kind, body) values (?, ?)", lost)


@dataclass(frozen=True)
class Record:
    """One record; `seq` is its number in its spool."""

    seq: int
    kind: str
    body: dict[str, Any]


class SpoolReader:
    """The reading side of one spool file: take the oldest, then say up to where they are safe."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY, isolation_level=None
        )
        row = self._connection.execute("select identity from spool").fetchone()
        self.identity = uuid.UUID(row[0])

    def batch(self, limit: int) -> list[Record]:
        """The oldest records, at most `limit`."""
        rows = self._connection.execute(
            "select seq, kind, body from record order by seq limit ?", (limit,)
        )
        return [Record(seq, kind, orjson.loads(body)) for seq, kind, body in rows]

    def done(self, upto: int) -> None:
        """Forget the records up to number `upto`."""
        with _transaction(self._connection):
            self._connection.execute("delete from record where seq <= ?", (upto,))

    @property
    def backlog(self) -> int:
        """How many records wait."""
        return int(self._connection.execute("select count(*) from record").fetchone()[0])

    def close(self) -> None:
        self._connection.close()


def files(directory: Path) -> list[Path]:
    """The spool files that there are."""
    return sorted(directory.glob("*.db"))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        with _transaction(connection):
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(
                "insert into spool select ? where not exists (select 1 from spool)",
                (str(uuid.uuid4()),),
            )
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise
    connection.commit()


def _used(connection: sqlite3.Connection) -> int:
    """Bytes in use; pages that became free are used again before the file grows."""
    pages, free, size = (
        int(connection.execute(f"pragma {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _is_broken(error: Exception) -> bool:
    """Whether the file is no spool any more, as after a fault of the disk."""
    return getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _set_aside(path: Path) -> None:
    """Keep a broken file for whoever can rescue it, with its log, which must not meet a new one."""
    mark = uuid.uuid4().hex[:8]
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        with contextlib.suppress(FileNotFoundError):
            part.rename(path.with_name(f"{path.name}.broken-{mark}{suffix}"))
