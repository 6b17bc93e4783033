"""The story of a request: all records that bear one id, from PostgreSQL and from the spools.

A request has the id of the client's own request (`trace`), which may have led to several, and the
number that the scan knows it by, which is the correlation_id of what follows. Either finds both.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from psycopg import Connection
from psycopg.rows import dict_row

from runtime import spoolfile
from runtime.database.names import Names
from runtime.equipment import Equipment
from runtime.places import Places
from runtime.spool import Kind

LIMIT = 1_000  # records of one kind
WAITING = 64 << 20  # bytes of a spool that are searched
ROUNDS = 3  # from the id given to its trace, to all numbers of that, to their records

_AUDIT = """
    SELECT occurred_at AS at, actor, role, protocol, address, action, object, result, reason,
           correlation_id, details::jsonb AS details, 'audit_log' AS found_in
    FROM audit_log
    WHERE correlation_id = ANY(%(ids)s) OR details::jsonb ->> 'trace' = ANY(%(ids)s)
    ORDER BY audit_id LIMIT %(limit)s
"""
_EVENTS = """
    SELECT occurred_at AS at, scan, tag, station_id AS station, pump_id AS pump, old_value,
           new_value, correlation_id, source, sequence, 'events' AS found_in
    FROM events WHERE correlation_id = ANY(%(ids)s) ORDER BY scan, event_id LIMIT %(limit)s
"""
# What changed in the same scan in the same place: what the request led to at once.
_CONSEQUENCES = """
    SELECT occurred_at AS at, scan, tag, station_id AS station, pump_id AS pump, old_value,
           new_value, source, sequence, 'events' AS found_in
    FROM events
    WHERE (source, scan) = (%(source)s, %(scan)s) AND occurred_at = %(at)s
      AND correlation_id IS NULL
      AND (%(station)s::text IS NULL OR station_id = %(station)s)
      AND (%(pump)s::integer IS NULL OR pump_id = %(pump)s)
    ORDER BY event_id LIMIT %(limit)s
"""
_STOPS = """
    SELECT occurred_at AS at, emergency_stop_id, event, scope, station_id AS station,
           pump_id AS pump, actor, reason, scan, latency_s, 'emergency_stop_events' AS found_in
    FROM emergency_stop_events
    WHERE (source, sequence) IN (SELECT * FROM unnest(%(sources)s::text[], %(sequences)s::bigint[]))
       OR emergency_stop_id::text = ANY(%(ids)s)
    ORDER BY emergency_stop_event_id LIMIT %(limit)s
"""
_LIMITS = """
    SELECT started_at AS at, ended_at, station_id AS station, pump_id AS pump, limit_name,
           limit_value, extreme_value, scan, 'safety_limit_violations' AS found_in
    FROM safety_limit_violations
    WHERE (source, sequence) IN (SELECT * FROM unnest(%(sources)s::text[], %(sequences)s::bigint[]))
    ORDER BY violation_id LIMIT %(limit)s
"""
_ORDER = ("audit_log", "events", "emergency_stop_events", "safety_limit_violations")
Row = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """What is known, in the order of time; `ids` are all that these records go by."""

    ids: tuple[str, ...]
    steps: tuple[Row, ...]


def tell(
    connection: Connection[Any] | None, places: Places, equipment: Equipment, identity: str
) -> Story:
    """The story of an id; without a connection what waits in the spools."""
    ids = {identity}
    waiting: list[Row] = []
    found: list[Row] = []
    for _ in range(ROUNDS):
        known = set(ids)
        waiting = list(_waiting(places, Names(equipment), ids))
        found = _asked(connection, _AUDIT, ids) if connection else []
        ids |= {name for row in (*found, *waiting) for name in _ids(row)}
        if ids == known:
            break
    if connection:
        found += _followed(connection, ids)
    ordered = sorted([*found, *waiting], key=lambda row: (row["at"], _place(row)))
    return Story(tuple(sorted(ids)), tuple(_without_nothing(row) for row in ordered))


def _place(row: Row) -> int:
    """Among records of the same moment, the request comes before what follows from it."""
    return _ORDER.index(row["found_in"]) if row["found_in"] in _ORDER else len(_ORDER)


def _ids(row: Row) -> Iterator[str]:
    if row.get("correlation_id"):
        yield row["correlation_id"]
    if trace := (row.get("details") or {}).get("trace"):
        yield trace


def _asked(
    connection: Connection[Any], query: str, ids: Collection[str], **more: object
) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        parameters = {"ids": sorted(ids), "limit": LIMIT, **more}
        return cursor.execute(query, parameters).fetchall()


def _followed(connection: Connection[Any], ids: Collection[str]) -> list[Row]:
    """The edges that a scan made of the requests, and what follows from them."""
    direct = _asked(connection, _EVENTS, ids)
    along = [event for edge in direct for event in _asked(connection, _CONSEQUENCES, ids, **edge)]
    by_mark = {(event.pop("source"), event.pop("sequence")): event for event in (*direct, *along)}
    events = list(by_mark.values())
    marks = {
        "sources": [source for source, _ in by_mark],
        "sequences": [sequence for _, sequence in by_mark],
    }
    later = [_asked(connection, query, ids, **marks) for query in (_STOPS, _LIMITS)]
    return [*events, *(row for rows in later for row in rows)]


def _waiting(places: Places, names: Names, ids: Collection[str]) -> Iterator[Row]:
    """What is not yet in PostgreSQL."""
    for path in spoolfile.files(places.spool):
        try:
            with contextlib.closing(spoolfile.SpoolReader(path)) as reader:
                records = reader.batch(-1, WAITING)
        except (sqlite3.Error, orjson.JSONDecodeError):
            continue
        for record in records:
            body = record.body
            numbers = {str(body[key]) for key in ("id", "request", "correlation") if key in body}
            if record.kind != Kind.SAMPLE and not {*numbers, body.get("trace")}.isdisjoint(ids):
                yield _of_spool(path.stem, record.kind, body, names)


def _of_spool(spool: str, kind: str, body: Mapping[str, Any], names: Names) -> Row:
    at = next(body[key] for key in ("answered_at", "asked_at", "utc", "at") if key in body)
    row: Row = {"at": datetime.fromtimestamp(at, UTC), "found_in": f"spool {spool}"}
    if kind in (Kind.SAFETY, Kind.EDGE):
        station, pump = names.of(body["tag"], body["slot"])
        row |= {"station": station, "pump": pump, "tag": body["tag"], "scan": body["scan"]}
        row |= {"old_value": body["old"], "new_value": body["new"]}
        return row | {"correlation_id": str(body["request"])}
    if kind == Kind.REFUSED:
        row |= {"action": body["action"], "object": body["object"], "result": "refused"}
    else:
        row |= {"action": f"set {body['tag'].partition('.')[2]}"}
        row |= {"object": names.path(body["tag"], body["slot"])}
        row |= {"result": body.get("result", "asked").lower().replace("_", " ")}
        row |= {"correlation_id": str(body["id"])}
    details = {k: body[k] for k in ("value", "scan", "latency", "durable", "trace") if k in body}
    return row | {
        "actor": body["who"],
        "role": (body["role"] or "").lower(),
        "protocol": body["source"].lower(),
        "address": body["where"],
        "reason": body["why"],
        "details": details,
    }


def _without_nothing(row: Row) -> Row:
    return {name: value for name, value in row.items() if value not in (None, "")}
