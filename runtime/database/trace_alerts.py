"""Who was told of the alarms that a request raised, acknowledged or ended, and by which attempts.

A message names the occurrence of an alarm: tag, place, and since when. An edge that raises an alarm
begins an occurrence; any other edge of the alarm, or of its state, is about the newest one before
it, and what happened to its messages after that edge is what the edge led to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from runtime.database.asking import Ask, Row
from runtime.tags import ALARMS

SAME = timedelta(milliseconds=1)  # between two times that are one: they were rounded differently
_ALARM_OF = {repr(tag): repr(found.tag) for found in ALARMS for tag in (found.tag, found.state)}
_MESSAGES = """
    WITH edge AS (
        SELECT * FROM unnest(
            %(alarms)s::text[], %(stations)s::text[], %(pumps)s::integer[],
            %(times)s::timestamptz[], %(raised)s::boolean[]
        ) WITH ORDINALITY AS edge (tag, station, pump, at, raised, number)
    ), occurrence AS (
        SELECT DISTINCT ON (edge.number) alarm_key, edge.at
        FROM edge JOIN alerts ON alerts.tag = edge.tag
            AND coalesce(station_id, '') = coalesce(edge.station, '')
            AND coalesce(pump_id, 0) = coalesce(edge.pump, 0)
            AND raised_at <= edge.at + %(same)s
            AND (NOT edge.raised OR raised_at >= edge.at - %(same)s)
        ORDER BY edge.number, raised_at DESC
    ), told AS (
        SELECT alert_key, digest_key FROM occurrence JOIN alerts USING (alarm_key)
        WHERE greatest(created_at, ended_at) >= occurrence.at
    )
    SELECT created_at AS at, alert_key AS message, kind, channel, tag AS alarm,
           station_id AS station, pump_id AS pump, priority, title, state, ended_at,
           digest_key AS digest, 'alerts' AS found_in
    FROM alerts
    WHERE alert_key IN (SELECT alert_key FROM told UNION SELECT digest_key FROM told)
    ORDER BY sequence LIMIT %(limit)s
"""
_ATTEMPTS = """
    SELECT attempted_at AS at, alert_key AS message, channel, attempt, outcome, took_s, error,
           'alert_attempts' AS found_in
    FROM alert_attempts JOIN alerts USING (alert_key)
    WHERE alert_key = ANY(%(messages)s)
    ORDER BY alert_attempts.sequence LIMIT %(limit)s
"""


def told(ask: Ask | None, outbox: Iterable[Row], edges: Iterable[Row], limit: int) -> list[Row]:
    """Messages that follow from edges, with their attempts.

    `outbox` are records that are not yet in PostgreSQL: they are newer than what is there.
    """
    alarming = [
        edge | {"tag": _ALARM_OF[edge["tag"]]} for edge in edges if edge["tag"] in _ALARM_OF
    ]
    found: list[Row] = []
    if ask and alarming:
        found = ask(_MESSAGES, _columns(alarming) | {"limit": limit})
        messages = {"messages": [row["message"] for row in found], "limit": limit}
        found += ask(_ATTEMPTS, messages) if found else []
    return list(_newest([*found, *_waiting(list(outbox), alarming)]))


def _columns(edges: Sequence[Row]) -> dict[str, Any]:
    return {
        "alarms": [edge["tag"] for edge in edges],
        "stations": [edge.get("station") for edge in edges],
        "pumps": [edge.get("pump") for edge in edges],
        "times": [edge["at"] for edge in edges],
        "raised": [not edge["old_value"] for edge in edges],
        "same": SAME,
    }


def _waiting(outbox: Sequence[Row], edges: Sequence[Row]) -> Iterator[Row]:
    follow = [body for body in outbox if any(_follows(body, edge) for edge in edges)]
    keys = {body["key"] for body in follow} | {body["digest"] for body in follow}
    for body in outbox:
        if body["key"] in keys:
            yield from _of_outbox(body)


def _follows(body: Row, edge: Row) -> bool:
    fields = body["fields"]
    place = (fields.get("tag"), fields.get("station") or None, fields.get("pump") or None)
    if place != (edge["tag"], edge.get("station"), edge.get("pump")):
        return False
    since, at = _time(fields["since"]), edge["at"]
    if not edge["old_value"]:
        return bool(abs(since - at) <= SAME)
    return bool(since <= at + SAME and _time(body["ended"] or body["created"]) >= at)


def _of_outbox(body: Row) -> Iterator[Row]:
    fields = body["fields"]
    whole = {"message": body["key"], "channel": body["channel"], "found_in": "spool alerts"}
    yield whole | {
        "at": _time(body["created"]),
        **{name: body[name] for name in ("kind", "priority", "title", "state", "digest")},
        "alarm": fields.get("tag"),
        "station": fields.get("station"),
        "pump": fields.get("pump"),
        "ended_at": _time(body["ended"]) if body["ended"] else None,
    }
    if tried := body.get("attempt"):
        about = {"at": _time(tried["at"]), "attempt": tried["number"], "took_s": tried["took"]}
        yield whole | about | {"outcome": tried["outcome"], "error": tried["error"]}


def _newest(rows: Iterable[Row]) -> Iterable[Row]:
    """Each message and attempt once, as it was told last."""
    return {(row["message"], row.get("attempt")): row for row in rows}.values()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
