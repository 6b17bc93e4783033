"""The story of a request: all records that bear one id, from PostgreSQL and from the spools.

A request has the id of the client's own request (`trace`), which may have led to several, and the
number that the scan knows it by, which is the correlation_id of what follows. Either finds both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from runtime.database import trace_alerts, trace_waiting
from runtime.database.asking import Ask, Row
from runtime.database.names import Names
from runtime.equipment import Equipment
from runtime.places import Places

LIMIT = 1_000  # records of one kind
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
    SELECT found.* FROM unnest(
        %(sources)s::text[], %(scans)s::bigint[], %(times)s::timestamptz[], %(stations)s::text[],
        %(pumps)s::integer[]
    ) AS edge (source, scan, at, station, pump) CROSS JOIN LATERAL (
        SELECT occurred_at AS at, scan, tag, station_id AS station, pump_id AS pump, old_value,
               new_value, source, sequence, 'events' AS found_in
        FROM events
        WHERE (events.source, events.scan) = (edge.source, edge.scan) AND occurred_at = edge.at
          AND correlation_id IS NULL
          AND (edge.station IS NULL OR station_id = edge.station)
          AND (edge.pump IS NULL OR pump_id = edge.pump)
        ORDER BY event_id LIMIT %(limit)s
    ) AS found LIMIT %(limit)s
"""
_STOPS = """
    SELECT occurred_at AS at, emergency_stop_id::text, event, scope, station_id AS station,
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
_FAILSAFES = """
    SELECT occurred_at AS at, station_id AS station, event AS failsafe, plan_age_s, scan,
           'failsafe_events' AS found_in
    FROM failsafe_events
    WHERE (source, sequence) IN (SELECT * FROM unnest(%(sources)s::text[], %(sequences)s::bigint[]))
    ORDER BY failsafe_event_id LIMIT %(limit)s
"""
_ORDER = (
    *("audit_log", "events", "emergency_stop_events", "failsafe_events"),
    *("safety_limit_violations", "alerts", "alert_attempts"),
)


@dataclass(frozen=True)
class Story:
    """What is known, in the order of time; `ids` are all that these records go by."""

    ids: tuple[str, ...]
    steps: tuple[Row, ...]


def tell(
    ask: Ask | None,
    places: Places,
    equipment: Equipment,
    identity: str,
    searched: int = trace_waiting.SEARCHED,
) -> Story:
    """The story of an id; if nobody can be asked, what waits in the spools.

    `searched` is how many bytes of each spool are looked through.
    """
    ids = {identity}
    waiting: list[Row] = []
    found: list[Row] = []
    for _ in range(ROUNDS):
        known = set(ids)
        waiting = list(trace_waiting.waiting(places, Names(equipment), ids, searched))
        found = ask(_AUDIT, {"ids": sorted(ids), "limit": LIMIT}) if ask else []
        ids |= {name for row in (*found, *waiting) for name in _ids(row)}
        if ids == known:
            break
    if ask:
        found += _followed(ask, ids)
    records = [*found, *waiting]
    edges = [row for row in records if "tag" in row]
    outbox = trace_waiting.outbox(places, searched) if edges else []
    records += trace_alerts.told(ask, outbox, edges, LIMIT)
    ordered = sorted(records, key=lambda row: (row["at"], _place(row)))
    return Story(tuple(sorted(ids)), tuple(_without_nothing(row) for row in ordered))


def _place(row: Row) -> int:
    """Among records of the same moment, the request comes before what follows from it."""
    return _ORDER.index(row["found_in"]) if row["found_in"] in _ORDER else len(_ORDER)


def _ids(row: Row) -> Iterator[str]:
    if row.get("correlation_id"):
        yield row["correlation_id"]
    if trace := (row.get("details") or {}).get("trace"):
        yield trace


def _followed(ask: Ask, ids: Collection[str]) -> list[Row]:
    """The edges that a scan made of the requests, and what follows from them."""
    named = {"ids": sorted(ids), "limit": LIMIT}
    direct = ask(_EVENTS, named)
    places = {
        f"{name}s": [edge[name] for edge in direct]
        for name in ("source", "scan", "station", "pump")
    }
    times = {"times": [edge["at"] for edge in direct]}
    along = ask(_CONSEQUENCES, named | places | times) if direct else []
    by_mark = {(event.pop("source"), event.pop("sequence")): event for event in (*direct, *along)}
    marks = named | {
        "sources": [source for source, _ in by_mark],
        "sequences": [sequence for _, sequence in by_mark],
    }
    later = [row for query in (_STOPS, _FAILSAFES, _LIMITS) for row in ask(query, marks)]
    return [*by_mark.values(), *later]


def _without_nothing(row: Row) -> Row:
    return {name: value for name, value in row.items() if value not in (None, "")}
