"""What follows from the edges of safety tags: stops, failsafe, and the limits that acted."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from runtime.database.names import Names
from runtime.spoolfile import Record
from runtime.tags import FOREVER, Pump, Station, System

_STOP = """
    INSERT INTO emergency_stop_events (source, sequence, emergency_stop_id, event, scope,
                                       station_id, pump_id, occurred_at, actor, role, protocol,
                                       address, reason, latency_s, scan)
    SELECT edge.source, edge.sequence, coalesce(edge.stop, standing.stop, 0), edge.event,
           edge.scope, edge.station_id, edge.pump_id, edge.occurred_at,
           coalesce(asked.actor, 'unknown'),
           asked.role, asked.protocol, asked.address,
           coalesce(nullif(btrim(asked.reason), ''), 'not recorded'),
           (asked.details::json ->> 'latency')::float8, edge.scan
    FROM (VALUES (%(source)s, %(sequence)s, %(stop)s::bigint, %(event)s, %(scope)s,
                  %(station)s::text, %(pump)s::integer, to_timestamp(%(utc)s), %(scan)s))
         AS edge (source, sequence, stop, event, scope, station_id, pump_id, occurred_at, scan)
    LEFT JOIN LATERAL (
        SELECT * FROM audit_log WHERE correlation_id = %(request)s::text
        ORDER BY audit_id DESC LIMIT 1
    ) AS asked ON true
    LEFT JOIN LATERAL (
        SELECT emergency_stop_id AS stop FROM emergency_stop_events AS earlier
        WHERE (earlier.scope, earlier.event) = (edge.scope, 'set')
            AND earlier.station_id IS NOT DISTINCT FROM edge.station_id
            AND earlier.pump_id IS NOT DISTINCT FROM edge.pump_id
        ORDER BY emergency_stop_event_id DESC LIMIT 1
    ) AS standing ON edge.event = 'cleared'
"""
_FAILSAFE = """
    INSERT INTO failsafe_events (source, sequence, station_id, event, occurred_at, plan_age_s, scan)
    VALUES (%(source)s, %(sequence)s, %(station)s, %(event)s, to_timestamp(%(utc)s), %(age)s,
            %(scan)s)
"""
_END_FAILSAFES = """
    INSERT INTO failsafe_events (source, sequence, station_id, event, occurred_at, scan)
    SELECT %(source)s, %(sequence)s, newest.station_id, 'left', to_timestamp(%(utc)s), %(scan)s
    FROM (
        SELECT DISTINCT ON (station_id) station_id, event FROM failsafe_events
        WHERE station_id = ANY(%(stations)s) ORDER BY station_id, failsafe_event_id DESC
    ) AS newest
    WHERE newest.event = 'entered'
"""
_BEGIN_VIOLATION = """
    INSERT INTO safety_limit_violations (source, sequence, station_id, pump_id, limit_name,
                                         limit_value, extreme_value, started_at, ended_at, scan)
    VALUES (%(source)s, %(sequence)s, %(station)s, %(pump)s, %(limit)s, %(limit_value)s, %(value)s,
            to_timestamp(%(utc)s), to_timestamp(%(ended)s), %(scan)s)
"""
_END_VIOLATION = """
    UPDATE safety_limit_violations
    SET ended_at = greatest(started_at, to_timestamp(%(utc)s)),
        limit_value = coalesce(%(limit_value)s, limit_value),
        extreme_value = coalesce(%(value)s, extreme_value)
    WHERE pump_id = %(pump)s AND limit_name = %(limit)s AND ended_at IS NULL
"""
_END_VIOLATIONS = """
    UPDATE safety_limit_violations SET ended_at = greatest(started_at, to_timestamp(%(utc)s))
    WHERE station_id = ANY(%(stations)s) AND ended_at IS NULL
"""

_Row = dict[str, Any]
_STOPS = {
    f"{table.__name__}.EmergencyStop": table.__name__.lower() for table in (System, Station, Pump)
}
_LIMITS = Pump.Limited.flags or {}


def insert(
    connection: psycopg.Connection[Any], source: str, edges: Sequence[Record], names: Names
) -> None:
    """Write what follows from edges that are new. A cold start ends what was on before it."""
    rows = [_row(source, edge, names) for edge in edges]
    start = repr(System.FirstScan)
    with connection.cursor() as cursor:
        for cold, group in itertools.groupby(rows, lambda row: row["tag"] == start):
            if cold:
                ends = [row | {"stations": list(names.stations.values())} for row in group]
                cursor.executemany(_END_FAILSAFES, ends)
                cursor.executemany(_END_VIOLATIONS, ends)
            else:
                _insert_some(cursor, list(group))


def _row(source: str, edge: Record, names: Names) -> _Row:
    station, pump = names.of(edge.body["tag"], edge.body["slot"])
    numbers = {"source": source, "sequence": edge.seq, "station": station, "pump": pump}
    return edge.body | numbers


def _insert_some(cursor: psycopg.Cursor[Any], rows: Sequence[_Row]) -> None:
    known = [row for row in rows if row["tag"].startswith("System.") or row["station"] is not None]
    stops = [_stop(row) for row in known if row["tag"] in _STOPS]
    failsafes = [_failsafe(row) for row in known if row["tag"] == repr(Station.Failsafe)]
    begun, ended = _violations(row for row in known if row["tag"] == repr(Pump.Limited))
    for statement, values in (
        (_STOP, stops),
        (_FAILSAFE, failsafes),
        (_END_VIOLATION, ended),
        (_BEGIN_VIOLATION, begun),
    ):
        if values:
            cursor.executemany(statement, values)


def _stop(row: _Row) -> _Row:
    request = row.get("request")
    return row | {
        "scope": _STOPS[row["tag"]],
        "event": "set" if row["new"] else "cleared",
        "stop": request if row["new"] else row.get("reference"),
        "request": None if request is None else str(request),
    }


def _failsafe(row: _Row) -> _Row:
    age = row.get("plan_age")
    never = age is None or age >= FOREVER
    return row | {"event": "entered" if row["new"] else "left", "age": None if never else age}


def _violations(rows: Iterable[_Row]) -> tuple[list[_Row], list[_Row]]:
    """Violations that began, with their end if they have one, and ends of those begun before."""
    begun: list[_Row] = []
    ended: list[_Row] = []
    running: dict[tuple[int, str], _Row] = {}
    for row in rows:
        old, new = int(row["old"]), int(row["new"])
        for bit, name in _LIMITS.items():
            if not (old ^ new) >> bit & 1:
                continue
            limit, value = row.get("limits", {}).get(name, (None, None))
            found = row | {"limit": name, "limit_value": limit, "value": value, "ended": None}
            begins = new >> bit & 1
            before = running.pop((row["pump"], name), None)
            if before is not None:
                before["ended"] = max(before["utc"], row["utc"])
                if not begins and value is not None:
                    before |= {"limit_value": limit, "value": value}
            else:
                ended.append(found | {"limit_value": None, "value": None} if begins else found)
            if begins:
                running[row["pump"], name] = found
                begun.append(found)
    return begun, ended
