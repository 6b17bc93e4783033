"""The audit log as one snapshot of the database has it, for its verification."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from runtime.audit.chain import COLUMNS, Point
from runtime.audit.verification import Log

_HEADER = b"PGCOPY\n\xff\r\n\0"
_HEADER_SIZE = len(_HEADER) + 8  # flags, and the length of an extension that there isn't
_TRAILER = b"\xff\xff"
_COPY = sql.SQL(
    "COPY (SELECT {} FROM audit_log ORDER BY audit_id) TO STDOUT (FORMAT binary)"
).format(sql.SQL(", ").join(map(sql.Identifier, COLUMNS)))
_DROPS = """
    SELECT details FROM audit_log WHERE source = 'audit' AND action = 'drop audit entries'
    ORDER BY audit_id
"""


@contextmanager
def snapshot(connection: psycopg.Connection[Any]) -> Iterator[Log]:
    """The log as it is now; its rows are read as they are asked for, once."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SET LOCAL client_encoding = 'UTF8'")
        drops = [_drop(text) for (text,) in connection.execute(_DROPS)]
        yield Log(
            identity(connection), head(connection), list(filter(None, drops)), _rows(connection)
        )


def identity(connection: psycopg.Connection[Any]) -> str:
    """Which database it is."""
    row = connection.execute("SELECT installation_id::text FROM installation").fetchone()
    assert row is not None
    return str(row[0])


def head(connection: psycopg.Connection[Any]) -> Point:
    """The newest entry."""
    row = connection.execute("SELECT audit_id, hash FROM audit_head").fetchone()
    return Point(row[0], bytes(row[1])) if row else Point()


def _drop(details: str) -> Point | None:
    """The starting point that an entry of retention names, if it is still readable."""
    try:
        values = json.loads(details)
        return Point(int(values["through"]), bytes.fromhex(values["hash"]))
    except (ValueError, TypeError, KeyError):
        return None


def _rows(connection: psycopg.Connection[Any]) -> Iterator[bytes]:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for block in copy:
            row = bytes(block)
            if row.startswith(_HEADER):
                row = row[_HEADER_SIZE:]
            if row and row != _TRAILER:
                yield row
