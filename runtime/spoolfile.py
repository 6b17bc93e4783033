"""One file of the spool: its format, and its reading side.

SQLite, write-ahead log, synchronous=FULL. A record is known for ever by the identity of its file
and its number in it: numbers are never used again, and a file made anew has a new identity, so
that PostgreSQL can take each record exactly once.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

BUSY = 5.0  # s to wait for the other side's transaction
BATCH = 1 << 20  # bytes of records that are read at a time


class Kind(StrEnum):
    """What a record is about."""

    REQUEST = "request"  # an operator's request, before it is put to the scan
    ANSWER = "answer"  # what became of it
    REFUSED = "refused"  # a request that was refused before it was put to the scan
    SAFETY = "safety"  # an edge of a recorded tag that is a safety matter
    EDGE = "edge"  # an edge of any other recorded tag
    SAMPLE = "sample"  # values for the history, as bytes (`runtime.samples`)
    LOST = "lost"  # how many records of a kind gave way
    ALERT = "alert"  # how a message of the outbox is, with its newest attempt
    NOTE = "note"  # what the runtime itself did or found: an entry of the audit log


_SCHEMA = """
create table if not exists spool (identity text not null, position blob not null);
create table if not exists record (
    seq integer primary key autoincrement,
    kind text not null,
    body blob not null
);
"""
INSERT = "insert into record (kind, body) values (?, ?)"


@dataclass(frozen=True)
class Record:
    """One record; `seq` is its number in its spool. Samples are bytes, all others a body."""

    seq: int
    kind: str
    body: dict[str, Any] = field(default_factory=dict)
    data: bytes = b""


class SpoolReader:
    """The reading side of one spool file: take the oldest, then say up to where they are safe."""

    def __init__(self, path: Path) -> None:
        self._connection = _connect(path)
        row = self._connection.execute("select identity from spool").fetchone()
        self.identity = uuid.UUID(row[0])

    def batch(self, limit: int, size: int = BATCH) -> list[Record]:
        """The oldest records, at most `limit`, and no more once they are `size` bytes."""
        rows = self._connection.execute(
            "select seq, kind, body from record order by seq limit ?", (limit,)
        )
        records: list[Record] = []
        taken = 0
        for seq, kind, data in rows:
            if kind == Kind.SAMPLE:
                records.append(Record(seq, kind, data=data))
            else:
                records.append(Record(seq, kind, orjson.loads(data)))
            taken += len(data)
            if taken >= size:
                break
        return records

    def done(self, upto: int) -> None:
        """Forget the records up to number `upto`."""
        with transaction(self._connection):
            self._connection.execute("delete from record where seq <= ?", (upto,))

    @property
    def highest(self) -> int:
        """The highest number that the file has given to a record."""
        row = self._connection.execute("select seq from sqlite_sequence").fetchone()
        return int(row[0]) if row else 0

    def renew(self) -> None:
        """Make it another file, as far as PostgreSQL is concerned."""
        self.identity = uuid.uuid4()
        with transaction(self._connection):
            self._connection.execute("update spool set identity = ?", (str(self.identity),))

    @property
    def backlog(self) -> int:
        """How many records wait."""
        return int(self._connection.execute("select count(*) from record").fetchone()[0])

    def close(self) -> None:
        self._connection.close()


def position(path: Path) -> bytes | None:
    """The position that was last kept in a spool file; None if there is none."""
    try:
        with contextlib.closing(_connect(path)) as connection:
            return bytes(connection.execute("select position from spool").fetchone()[0])
    except sqlite3.Error:
        return None


def files(directory: Path) -> list[Path]:
    """The spool files that there are."""
    return sorted(directory.glob("*.db"))


def _connect(path: Path) -> sqlite3.Connection:
    """Open a file that is there."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=BUSY, isolation_level=None)


def make(path: Path) -> sqlite3.Connection:
    """Open a file to write to it; it is made unless it is there."""
    fresh = not path.exists()
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        with transaction(connection):
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(
                "insert into spool select ?, x'' where not exists (select 1 from spool)",
                (str(uuid.uuid4()),),
            )
        if fresh:
            _keep_entry(path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_entry(directory: Path) -> None:
    """Force a directory to disk, so that a power cut does not take a new file away."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise
    connection.commit()


def used(connection: sqlite3.Connection) -> int:
    """Bytes in use; pages that became free are used again before the file grows."""
    pages, free, size = (
        int(connection.execute(f"pragma {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def is_broken(error: Exception) -> bool:
    """Whether the file is no spool any more, as after a fault of the disk."""
    return getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path) -> None:
    """Keep a broken file for whoever can rescue it, with its log, which must not meet a new one."""
    mark = uuid.uuid4().hex[:8]
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        with contextlib.suppress(FileNotFoundError):
            part.rename(path.with_name(f"{path.name}.broken-{mark}{suffix}"))
