"""The history of alerts: what the outbox says became of each message, and every attempt.

A record tells the whole state of its message, so that only the newest of an outbox counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from runtime.spoolfile import Record

_ALERT = """
    INSERT INTO alerts (alert_key, source, sequence, alarm_key, kind, channel, tag, station_id,
                        pump_id, priority, title, message, value, limit_value, raised_at,
                        created_at, state, attempts, last_error, ended_at, digest_key)
    VALUES (%(key)s, %(source)s, %(sequence)s, %(alarm)s, %(kind)s, %(channel)s, %(tag)s,
            %(station)s, %(pump)s, %(priority)s, %(title)s, %(text)s, %(value)s, %(limit)s,
            to_timestamp(%(since)s), to_timestamp(%(created)s), %(state)s, %(attempts)s, %(error)s,
            to_timestamp(%(ended)s), %(digest)s)
    ON CONFLICT (alert_key) DO UPDATE
    SET (source, sequence, state, attempts, last_error, ended_at, digest_key)
        = (EXCLUDED.source, EXCLUDED.sequence, EXCLUDED.state, EXCLUDED.attempts,
           EXCLUDED.last_error, EXCLUDED.ended_at, EXCLUDED.digest_key)
    WHERE alerts.source <> EXCLUDED.source OR alerts.sequence < EXCLUDED.sequence
"""
_ATTEMPT = """
    INSERT INTO alert_attempts (source, sequence, alert_key, attempt, attempted_at, took_s, outcome,
                                error)
    VALUES (%(source)s, %(sequence)s, %(key)s, %(number)s, to_timestamp(%(at)s), %(took)s,
            %(outcome)s, %(error)s)
    ON CONFLICT DO NOTHING
"""


def insert(connection: Connection[Any], source: str, records: Sequence[Record]) -> None:
    """Store what records of an outbox say."""
    rows = [_row(source, record) for record in records]
    attempts = [
        _plain(row["attempt"]) | {name: row[name] for name in ("source", "sequence", "key")}
        for row in rows
        if "attempt" in row
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_ALERT, [_plain(row) for row in rows])
        if attempts:
            cursor.executemany(_ATTEMPT, attempts)


def _row(source: str, record: Record) -> dict[str, Any]:
    fields = record.body["fields"]
    told = {name: fields.get(name) or None for name in ("station", "pump", "value", "limit")}
    about = {"tag": fields.get("tag"), "since": fields.get("since")}
    return record.body | told | about | {"source": source, "sequence": record.seq}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """What PostgreSQL takes: values, and text without the character 0."""
    return {
        name: value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
        for name, value in row.items()
        if not isinstance(value, dict)
    }
