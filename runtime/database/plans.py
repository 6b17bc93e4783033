"""Keeps the plans of the next hours in memory, and knows how old each station's newest plan is.

A notification is only a hint to look. What changed is found in plan_changes: every change made by a
transaction that the last look could not see yet, whatever order they committed in. The same look
is made every second without a hint, so a lost notification costs a second.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from psycopg import Connection

from runtime.database.arrays import aggregate
from runtime.database.board import Board
from runtime.database.connection import Guard, Source, Worker
from runtime.database.plan_times import PlanTimes
from runtime.database.schedule import NO_ROWS, Rows, Schedule

LOOK_S = 1.0
HORIZON_S = 6 * 3600
RELOAD_S = 3600.0  # how often the horizon is moved on
LIMIT_S = 10.0
_NO_TARGET = "'NaN'::float8"
_ROWS = f"""
SELECT {aggregate("plan_id", "0::int8")}, {aggregate("pump_id", "0::int4")},
    {aggregate("plan_version", "0::int4")}, {aggregate("interval_start", "'epoch'::timestamptz")},
    {aggregate("interval_end", "'epoch'::timestamptz")},
    {aggregate("target_speed_hz", _NO_TARGET)}, {aggregate("target_level_m", _NO_TARGET)},
    {aggregate("target_power_kw", _NO_TARGET)}, {aggregate("target_flow_m3h", _NO_TARGET)}
FROM pump_plans WHERE status = 'active' AND interval_end > now() AND interval_start < now() +
{HORIZON_S} * interval '1 s'
    AND plan_id BETWEEN %(first)s AND %(last)s"""
_OF_STATIONS = " AND pump_id IN (SELECT pump_id FROM pumps WHERE station_id = ANY(%(stations)s))"
_SNAPSHOT = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"
_CHANGES = """
SELECT change_id, operation, first_plan_id, last_plan_id FROM plan_changes
WHERE changed_in >= %s::xid8 ORDER BY change_id"""
LAST_ID = 2**63 - 1


class PlanReader(Worker):
    """Reads plans and heartbeats. `stations` are those of this runtime; none means all."""

    limit_s = LIMIT_S

    def __init__(
        self, board: Board, source: Source, guard: Guard, stations: tuple[str, ...] = ()
    ) -> None:
        super().__init__("plans", source, guard)
        self._board = board
        self._query = _ROWS + (_OF_STATIONS if stations else "")
        self._stations = list(stations)
        self._times = PlanTimes(board.plan_times)
        self._rows = NO_ROWS
        self._oldest = "0"  # transactions from this one on may be unknown
        self._seen: set[int] = set()  # changes by such transactions that are known all the same
        self._loaded: tuple[int, float] | None = None  # steps of the clock, time of the last load

    def begin(self, connection: Connection[Any]) -> None:
        connection.execute("LISTEN calejo_plans")
        self._loaded = None

    def work(self, connection: Connection[Any]) -> None:
        with self.limited():
            self._look(connection)
        for _ in connection.notifies(timeout=LOOK_S, stop_after=1):
            pass

    def _look(self, connection: Connection[Any]) -> None:
        oldest = _one(connection, _SNAPSHOT)[0]
        steps, now = self._board.clock.steps, time.monotonic()
        if self._loaded is None or self._loaded[0] != steps or now - self._loaded[1] > RELOAD_S:
            # What committed up to here is in the load; changes since are read again, no harm done.
            changes = self._changes(connection, oldest)
            self._rows = self._read(connection, 0, LAST_ID)
            self._times.read_all(connection)
            self._loaded = steps, now
            news = True
        else:
            changes = self._changes(connection, self._oldest)
            fresh = [change for change in changes if change[0] not in self._seen]
            for _, operation, first, last in fresh:
                self._renew(connection, first, last)
                self._times.read_changed(connection, operation, first, last)
            news = bool(fresh)
        self._oldest, self._seen = oldest, {change[0] for change in changes}
        self._times.read_heartbeats(connection)
        if news or self._board.schedule is None:
            self._board.schedule = Schedule(self._rows)
        if news or self._times.changed:
            self._board.plan_times = self._times.snapshot()
            self._board.announce()

    def _changes(self, connection: Connection[Any], since: str) -> list[tuple[Any, ...]]:
        return connection.execute(_CHANGES, [since]).fetchall()

    def _renew(self, connection: Connection[Any], first: int, last: int) -> None:
        outside = (self._rows.plan_id < first) | (self._rows.plan_id > last)
        self._rows = self._rows.take(outside).plus(self._read(connection, first, last))

    def _read(self, connection: Connection[Any], first: int, last: int) -> Rows:
        parameters = {"first": first, "last": last, "stations": self._stations}
        plan_id, pump_id, version, start, end, *targets = _one(connection, self._query, parameters)
        return Rows(
            plan_id, pump_id.astype(np.int64), version.astype(np.int64), start, end,
            np.stack(targets),
        )  # fmt: skip


def _one(connection: Connection[Any], query: str, parameters: Any = None) -> tuple[Any, ...]:
    row = connection.execute(query, parameters, binary=True).fetchone()
    assert row is not None
    return tuple(row)
