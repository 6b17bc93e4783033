"""What people look for in the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import psycopg
from psycopg.rows import dict_row

from runtime.audit.wanted import Wanted
from runtime.database.asking import Ask, Row

BATCH = 1_000  # rows that are held at a time
_WHERE = """
    FROM audit_log
    WHERE (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR occurred_at < %(until)s)
      AND (%(user)s::text IS NULL OR lower(actor) = lower(%(user)s))
      AND (%(result)s::text IS NULL OR result = lower(%(result)s))
      AND (%(correlation)s::text IS NULL OR correlation_id = %(correlation)s
           OR details::jsonb ->> 'trace' = %(correlation)s)
      AND (%(action)s::text IS NULL OR position(lower(%(action)s) IN lower(action)) > 0)
      AND (%(object)s::text IS NULL OR position(lower(%(object)s) IN lower(object)) > 0)
      AND (%(text)s::text IS NULL OR position(lower(%(text)s) IN lower(concat_ws(
            chr(10), actor, role, protocol, address, action, object, result, reason, details,
            correlation_id))) > 0)
"""
_COLUMNS = """
    SELECT audit_id AS number, occurred_at, recorded_at, actor AS "user", role, protocol, address,
           action, object, result, reason, correlation_id, details, encode(hash, 'hex') AS hash
"""
_BEFORE = """
      AND (%(before)s::bigint IS NULL OR audit_id < %(before)s)
    ORDER BY audit_id DESC LIMIT %(limit)s
"""
GROUPS = {"user": "actor", "action": "action", "result": "result"}


def newest(ask: Ask, wanted: Wanted, limit: int, before: int | None = None) -> list[Row]:
    """The newest entries that fit, of those before a number if one is given; the newest first."""
    parameters = asdict(wanted) | {"limit": limit, "before": before}
    return ask(f"{_COLUMNS} {_WHERE} {_BEFORE}", parameters)


def every(connection: psycopg.Connection[Any], wanted: Wanted) -> Iterator[Row]:
    """All entries that fit, in order, a batch at a time. Needs a transaction."""
    with connection.cursor("every_audit_entry", row_factory=dict_row) as cursor:
        cursor.itersize = BATCH
        cursor.execute(f"{_COLUMNS} {_WHERE} ORDER BY audit_id", asdict(wanted))
        yield from cursor


def counts(connection: psycopg.Connection[Any], wanted: Wanted) -> dict[str, dict[str, int]]:
    """How many entries fit, by user, by action, by result; the most frequent first."""
    return {
        name: dict(
            connection.execute(
                f"SELECT {column}, count(*) {_WHERE} GROUP BY 1 ORDER BY 2 DESC, 1",
                asdict(wanted),
            ).fetchall()
        )
        for name, column in GROUPS.items()
    }
