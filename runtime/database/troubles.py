"""What is wrong with the database, in one line that an operator understands."""

from __future__ import annotations

import re

import psycopg
from psycopg import errors

from runtime.database.installation import ForeignDatabaseError
from runtime.database.migrations import SchemaError
from runtime.database.postmaster import ServerError


class Frozen(Exception):
    """The server took a call and did not answer in time."""


class ReadOnlyServer(Exception):
    """The server answers, and would store nothing: a standby, or one that was set so."""


SPEAKING = (Frozen, ReadOnlyServer, SchemaError, ServerError, ForeignDatabaseError)
"""Errors whose own words tell an operator enough."""

READ_ONLY = "read-only server"
# What refuses a connection has words only: those of libpq, and of servers that speak English.
_MEANINGS = (
    ("password authentication failed", "wrong password or user"),
    ("no password supplied", "wrong password or user"),
    ("too many clients", "out of connections"),
    ("remaining connection slots", "out of connections"),
    ("too many connections", "out of connections"),
    ("session is read-only", READ_ONLY),
    ("hot standby mode", READ_ONLY),
    ("starting up", "server is starting"),
    ("not yet accepting connections", "server is starting"),
    ("in recovery mode", "server is starting"),
    ("shutting down", "server is stopping"),
    ("administrator command", "connection ended by the server"),
    ("timeout expired", "unreachable or frozen"),
)
_TYPES = (
    (errors.DiskFull, "disk full"),
    (errors.ReadOnlySqlTransaction, READ_ONLY),
    (errors.OperationalError, "unreachable"),
)
_REFUSED = re.compile(r"connection failed: connection to (server .+?) failed: (?:FATAL: )?(.+)")
_HINT = re.compile(r" (Is the server running|This probably means) .*")


def words(error: Exception) -> str:
    """An error in one line, as the health shows it."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    text = " ".join((said or str(error)).split()) or type(error).__name__
    if isinstance(error, SPEAKING):
        return text
    told = _HINT.sub("", text)
    if refused := _REFUSED.fullmatch(told):
        told = f"{refused[2]} ({refused[1]})"
    meaning = next((meaning for sign, meaning in _MEANINGS if sign in text), None)
    if meaning is None or not isinstance(error, psycopg.OperationalError):
        meaning = next((word for kind, word in _TYPES if isinstance(error, kind)), None)
    return f"{meaning}: {told}" if meaning else told
