"""Reading the history of alarms: each change of a state, with who asked for it and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.database.historian import Historian

_CHANGES = """
    WITH found AS (
        SELECT event_id, occurred_at, tag, station_id, pump_id, old_value, new_value,
               correlation_id
        FROM events
        WHERE tag LIKE '%%State' AND tag = ANY(%(tags)s) AND {place} AND {bounds} AND {rest}
        ORDER BY occurred_at {order}, event_id {order} LIMIT %(most)s
    )
    SELECT event_id, extract(epoch FROM occurred_at)::float8, tag, station_id, pump_id,
           old_value, new_value, asked.actor, asked.reason
    FROM found LEFT JOIN LATERAL (
        SELECT actor, reason FROM audit_log WHERE correlation_id = found.correlation_id
        ORDER BY audit_id DESC LIMIT 1
    ) AS asked ON true
    ORDER BY occurred_at {order}, event_id {order}
"""
_FORWARDS = "occurred_at >= to_timestamp(%(low)s) AND occurred_at < to_timestamp(%(high)s)"
_BACKWARDS = "occurred_at > to_timestamp(%(low)s) AND occurred_at <= to_timestamp(%(high)s)"


@dataclass(frozen=True)
class Change:
    """The state of an alarm became another one at a time, in s since 1970.

    `tag` is that of the state. `actor` and `reason` are of who asked for it, None: nobody did.
    """

    number: int
    at: float
    tag: str
    station: str | None
    pump: int | None
    old: float
    new: float
    actor: str | None
    reason: str | None


@dataclass(frozen=True)
class Extent:
    """Whose alarms: those of a station and its pumps, of one pump, or, with neither, of all."""

    tags: Sequence[str]
    station: str | None = None
    pump: int | None = None


async def changes(
    historian: Historian,
    extent: Extent,
    period: tuple[float, float],
    newest_first: bool,
    after: tuple[float, int] | None,
    most: int,
) -> list[Change]:
    """At most so many, from the low end up to, but without, the high one (reversed: without low).

    `after` is time and number of the last one that is known. Raises Busy, Away.
    """
    place = "true"
    if extent.station is not None:
        place = "station_id = %(station)s"
    if extent.pump is not None:
        place += " AND pump_id = %(pump)s"
    query = _CHANGES.format(
        place=place,
        bounds=_BACKWARDS if newest_first else _FORWARDS,
        rest=_rest(newest_first) if after else "true",
        order="DESC" if newest_first else "",
    )
    at, number = after or (0.0, 0)
    wanted = {"tags": list(extent.tags), "station": extent.station, "pump": extent.pump}
    bounds = {"low": period[0], "high": period[1], "at": at, "number": number, "most": most}
    return [Change(*row) for row in await historian.ask(query, wanted | bounds)]


def _rest(newest_first: bool) -> str:
    sign = "<" if newest_first else ">"
    return f"(occurred_at, event_id) {sign} (to_timestamp(%(at)s), %(number)s)"
