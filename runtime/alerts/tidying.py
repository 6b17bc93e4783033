"""Keeps the outbox small: what ended long ago is forgotten, records for PostgreSQL are bounded."""

from __future__ import annotations

import sqlite3

import orjson

from runtime import spoolfile
from runtime.spool import Kind

RECORDS, GIVEN_UP = 100_000, 10_000  # records kept for PostgreSQL; how many then give way
_FORGET = (
    "delete from message where ended < :before",
    "delete from alarm where cleared < :before"
    " and not exists (select 1 from message where alarm = alarm.key)",
    "delete from attempt where message not in (select key from message)",
    "delete from chain where alarm not in (select key from alarm)",
    "delete from renewed where alarm not in (select key from alarm where cleared is null)",
)


def forget(connection: sqlite3.Connection, before: float) -> None:
    """Forget what ended before a time (UTC in s); PostgreSQL keeps it."""
    with spoolfile.transaction(connection):
        for statement in _FORGET:
            connection.execute(statement, {"before": before})
        _bound(connection)


def _bound(connection: sqlite3.Connection) -> None:
    """Have the oldest records give way while PostgreSQL takes none, and a record say so."""
    waiting = connection.execute("select count(*) from record").fetchone()[0]
    if waiting > RECORDS:
        oldest = "select seq from record order by seq limit ?"
        gone = connection.execute(f"delete from record where seq in ({oldest})", (GIVEN_UP,))
        lost = orjson.dumps({"records": gone.rowcount, "kind": Kind.ALERT})
        connection.execute(spoolfile.INSERT, (Kind.LOST, lost))
