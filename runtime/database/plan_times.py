"""How old the newest plan or heartbeat of each station is, on a clock that nobody can set.

A row's age is taken once, when the row is first seen: the database's clock less the time that the
row bears, 0 if that lies in the future. From then on it ages with the scan clock. So neither a step
of a clock nor reading an old row again makes a station's plan any younger.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection

# Of each pump, the newest row that is not from the future, and whether there is one that is.
_ALL = """
SELECT station_id, max(past.created_at), extract(epoch FROM now() - max(past.created_at))::float8,
    coalesce(bool_or(future.found), false)
FROM pumps
LEFT JOIN LATERAL (
    SELECT created_at FROM pump_plans
    WHERE pump_plans.pump_id = pumps.pump_id AND created_at <= now()
    ORDER BY created_at DESC LIMIT 1
) AS past ON true
LEFT JOIN LATERAL (
    SELECT true AS found FROM pump_plans
    WHERE pump_plans.pump_id = pumps.pump_id AND created_at > now() LIMIT 1
) AS future ON true
GROUP BY station_id"""
_CHANGED = """
SELECT station_id, max(plan.created_at) FILTER (WHERE plan.created_at <= now()),
    extract(epoch FROM now() - max(plan.created_at) FILTER (WHERE plan.created_at <= now()))
        ::float8,
    bool_or(plan.created_at > now())
FROM pump_plans AS plan JOIN pumps USING (pump_id)
WHERE plan_id BETWEEN %s AND %s
GROUP BY station_id"""
_HEARTBEATS = """
SELECT station_id, beat_at, extract(epoch FROM now() - beat_at)::float8 FROM plan_heartbeats"""


class PlanTimes:
    """Station to the time of its newest plan or heartbeat; begins with what is known already."""

    def __init__(self, known: Mapping[str, float]) -> None:
        self.changed = False
        self._times = dict(known)
        self._created: dict[str, datetime] = {}  # of the newest row seen
        self._beats: dict[str, datetime] = {}

    def snapshot(self) -> dict[str, float]:
        """The times as they are now."""
        self.changed = False
        return dict(self._times)

    def read_all(self, connection: Connection[Any]) -> None:
        """Take all rows. One from the future counts only for a station without any time."""
        for station, created, age, future in connection.execute(_ALL).fetchall():
            if future and station not in self._times:
                self._take(station, 0.0)
            self._take_newer(station, created, age)

    def read_changed(
        self, connection: Connection[Any], first: int, last: int, *, inserted: bool
    ) -> None:
        """Take the rows of a change. Only an inserted one from the future was never seen before."""
        rows = connection.execute(_CHANGED, [first, last]).fetchall()
        for station, created, age, future in rows:
            if not inserted:
                self._take_newer(station, created, age)
                continue
            self._take(station, 0.0 if future else age)
            if created is not None:
                self._created[station] = max(created, self._created.get(station, created))

    def read_heartbeats(self, connection: Connection[Any]) -> None:
        """Take the heartbeats that differ from those of the last look."""
        for station, beat, age in connection.execute(_HEARTBEATS).fetchall():
            known = self._beats.get(station)
            if beat == known:
                continue
            self._beats[station] = beat
            # After a start, one from the future may be an old one from before a step of the clock.
            if age >= 0 or known is not None or station not in self._times:
                self._take(station, max(age, 0.0))

    def _take_newer(self, station: str, created: datetime | None, age: float) -> None:
        """Take a row that may have been seen before: if so, its age was another clock's."""
        known = self._created.get(station)
        if created is not None and (known is None or created > known):
            self._created[station] = created
            self._take(station, age)

    def _take(self, station: str, age: float) -> None:
        seen = time.monotonic() - age
        # What is older than the last start of this machine has a time below 0.
        if seen > self._times.get(station, float("-inf")):
            self._times[station] = seen
            self.changed = True
