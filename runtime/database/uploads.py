"""Uploads: from the spools into PostgreSQL, each record exactly once.

A batch is one transaction, and its records leave the spool after that. Should the process die in
between, they come again, and (source, sequence), their place in the spool, says that they are
there. What follows from an edge is written only with the edge itself.
"""

from __future__ import annotations

import base64
import contextlib
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import psycopg
import structlog

from runtime import spoolfile
from runtime.database import alert_records, audit_entries, history, partitions, safety_events
from runtime.database.names import Names
from runtime.equipment import Equipment
from runtime.places import Places
from runtime.spool import Kind
from runtime.spoolfile import Record, SpoolReader

BATCH = 2_000  # records in a transaction
ANSWER_PATIENCE = 5.0  # s that the edge of a stop waits for the answer to its request

_EVENT = """
    INSERT INTO events (source, sequence, occurred_at, scan, tag, station_id, pump_id, old_value,
                        new_value, correlation_id)
    SELECT %(source)s, sequence, to_timestamp(utc), scan, tag, station_id, pump_id, old, new,
           request
    FROM unnest(%(sequence)s::bigint[], %(utc)s::float8[], %(scan)s::bigint[], %(tag)s::text[],
                %(station)s::text[], %(pump)s::integer[], %(old)s::float8[], %(new)s::float8[],
                %(request)s::text[])
         AS edge (sequence, utc, scan, tag, station_id, pump_id, old, new, request)
    ON CONFLICT DO NOTHING RETURNING sequence
"""

_EDGES = (Kind.SAFETY, Kind.EDGE)
_ORDER = {"recorder": 1, "history": 2}  # what was asked first, then what it led to

Connection = psycopg.Connection[Any]
logger = structlog.get_logger()


class Drained(NamedTuple):
    """How many records went, and how many of them PostgreSQL refused."""

    records: int = 0
    refused: int = 0


def drain(connection: Connection, places: Places, equipment: Equipment) -> Drained:
    """Upload at most one batch of each spool. No records: nothing is left to do now.

    Raises psycopg.Error if PostgreSQL can't be reached; the records stay.
    """
    if not connection.autocommit:
        raise ValueError("uploads need a connection with autocommit: a batch must end committed")
    names = Names(equipment)
    records = refused = 0
    for path in sorted(spoolfile.files(places.spool), key=lambda path: _ORDER.get(path.stem, 0)):
        try:
            with contextlib.closing(SpoolReader(path)) as reader:
                done = _drain_one(connection, reader, names)
                records, refused = records + done.records, refused + done.refused
        except sqlite3.Error as error:
            logger.warning("spool file not readable", file=str(path), problem=str(error))
    return Drained(records, refused)


def _drain_one(connection: Connection, reader: SpoolReader, names: Names) -> Drained:
    records = _answered(connection, reader.batch(BATCH))
    if not records:
        return Drained()
    refused = _upload_or_part(connection, str(reader.identity), records, names)
    reader.done(records[-1].seq)
    return Drained(len(records), refused)


def _answered(connection: Connection, records: list[Record]) -> list[Record]:
    """The records before the first edge of a stop whose answer may still come.

    Who stopped, why and from where is in the answer, which its server spools a little later.
    """
    asked = {str(r.body["request"]): r for r in records if "request" in r.body and _is_stop(r)}
    if not asked:
        return records
    answered = audit_entries.answered(connection, asked)
    now = time.time()
    for request, record in asked.items():
        if request not in answered and abs(now - record.body["utc"]) < ANSWER_PATIENCE:
            return [earlier for earlier in records if earlier.seq < record.seq]
    return records


def _is_stop(record: Record) -> bool:
    return str(record.body.get("tag")).endswith(".EmergencyStop")


def _upload_or_part(
    connection: Connection, source: str, records: Sequence[Record], names: Names
) -> int:
    """Upload in one transaction; if PostgreSQL refuses a record, all but that one.

    How many it refused.
    """
    try:
        with connection.transaction():
            _upload(connection, source, records, names)
    except (psycopg.DataError, psycopg.IntegrityError, KeyError, TypeError, ValueError) as error:
        if len(records) > 1:
            half = len(records) // 2
            return sum(
                _upload_or_part(connection, source, part, names)
                for part in (records[:half], records[half:])
            )
        _keep_refused(connection, source, records[0], str(error).strip())
        return 1
    return 0


def _upload(connection: Connection, source: str, records: Sequence[Record], names: Names) -> None:
    edges = [record for record in records if record.kind in _EDGES]
    if edges:
        stored = _insert_edges(connection, source, edges, names)
        new = [edge for edge in edges if edge.seq in stored]
        safety_events.insert(connection, source, new, names)
    samples = [record for record in records if record.kind == Kind.SAMPLE]
    if samples:
        history.insert(connection, samples, names)
    if alerts := [record for record in records if record.kind == Kind.ALERT]:
        alert_records.insert(connection, source, alerts)
    others = [r for r in records if r.kind not in (*_EDGES, Kind.SAMPLE, Kind.ALERT)]
    entries = [audit_entries.of_record(record, names) for record in others]
    audit_entries.append(connection, source, entries)


def _insert_edges(
    connection: Connection, source: str, edges: Sequence[Record], names: Names
) -> set[int]:
    """Insert edges; the numbers of those that were not there yet."""
    bodies = [edge.body for edge in edges]
    places = [names.of(body["tag"], body["slot"]) for body in bodies]
    partitions.make(connection, "events", [body["utc"] for body in bodies])
    rows = connection.execute(
        _EVENT,
        {
            "source": source,
            "sequence": [edge.seq for edge in edges],
            "utc": [body["utc"] for body in bodies],
            "scan": [body["scan"] for body in bodies],
            "tag": [body["tag"] for body in bodies],
            "station": [station for station, _ in places],
            "pump": [pump for _, pump in places],
            "old": [body["old"] for body in bodies],
            "new": [body["new"] for body in bodies],
            "request": [_correlation(body) for body in bodies],
        },
    )
    return {row[0] for row in rows}


def _keep_refused(connection: Connection, source: str, record: Record, why: str) -> None:
    """A record that PostgreSQL refuses must neither be lost nor hold up the others."""
    logger.error("record refused by PostgreSQL", source=source, seq=record.seq, problem=why)
    if record.data:
        record = replace(record, body={"base64": base64.b64encode(record.data).decode()})
    audit_entries.append(connection, source, [audit_entries.of_refused(record, why)])


def _correlation(body: dict[str, Any]) -> str | None:
    return str(body["request"]) if "request" in body else None
