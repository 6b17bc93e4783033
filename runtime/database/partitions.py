"""Tables that are kept by days (UTC): a partition for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

_MAKE = """
    SELECT create_partitions(%s, day, day)
    FROM (SELECT DISTINCT (to_timestamp(utc) AT TIME ZONE 'UTC')::date AS day
          FROM unnest(%s::float8[]) AS utc) AS days
"""
_AHEAD = """
    SELECT create_partitions(%s, today - 1, today + %s)
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS clock
"""
_DROP = "SELECT drop_oldest_partition(%s, (now() AT TIME ZONE 'UTC')::date - %s)"


def make(connection: Connection[Any], table: str, times: Sequence[float]) -> None:
    """Make the partitions that records of these times (s since 1970) need.

    Most lie there already. Records may have waited long in a spool, or have been made by a clock
    that was wrong; they go where they say that they belong.
    """
    connection.execute(_MAKE, [table, list(times)])


def make_ahead(connection: Connection[Any], table: str, days: int) -> None:
    """Make the partitions from yesterday's on."""
    connection.execute(_AHEAD, [table, days])


def drop_oldest(connection: Connection[Any], table: str, keep_days: int) -> str | None:
    """Drop the oldest partition if no row in it is younger than that; its name."""
    row = connection.execute(_DROP, [table, keep_days]).fetchone()
    return row[0] if row else None
