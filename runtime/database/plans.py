"""Keeps the plans of the next hours in memory, and knows how old each station's newest plan is.

A notification is only a hint to look. What changed is found in plan_changes: every change made by a
transaction that the last look could not see yet, whatever order they committed in. The same look
is made every second without a hint, so a lost notification costs a second.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
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
INSERT = "INSERT"
NEAR = 10_000  # ids; ranges so near to each other are read as one
Change = tuple[int, str, int, int]  # number, operation, first and last plan_id


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
        self._steps = 0  # of the database's clock, at the last load
        self._reload_at = 0.0

    def begin(self, connection: Connection[Any]) -> None:
        connection.execute("LISTEN calejo_plans")
        self._reload_at = 0.0

    def work(self, connection: Connection[Any]) -> None:
        began = time.monotonic()
        with self.limited():
            self._look(connection)
        # Under a flood of changes this thread leaves half of the interpreter's time to others.
        self.pause(min(time.monotonic() - began, LOOK_S))
        for _ in connection.notifies(timeout=LOOK_S, stop_after=1):
            pass

    def _look(self, connection: Connection[Any]) -> None:
        # Found before reading: what commits in between is read now, and once more next time.
        oldest = _one(connection, _SNAPSHOT)[0]
        changes = connection.execute(_CHANGES, [min(self._oldest, oldest, key=int)]).fetchall()
        fresh = [change for change in changes if change[0] not in self._seen]
        steps, now = self._board.clock.steps, time.monotonic()
        if steps != self._steps or now > self._reload_at:
            self._rows = self._read(connection, 0, LAST_ID)
            self._times.read_all(connection)
            self._steps, self._reload_at = steps, now + RELOAD_S
            news = True
        else:
            self._take(connection, fresh)
            news = bool(fresh)
        self._oldest, self._seen = oldest, {change[0] for change in changes}
        self._times.read_heartbeats(connection)
        if news:
            self._board.schedule = Schedule(self._rows)
        if news or self._times.changed:
            self._board.plan_times = self._times.snapshot()
            self._board.announce()

    def _take(self, connection: Connection[Any], changes: Sequence[Change]) -> None:
        """Read what changes name. Inserts apart: only they can bring rows never seen before."""
        for inserts in (True, False):
            of_kind = [(first, last) for _, op, first, last in changes if inserts == (op == INSERT)]
            for first, last in joined(of_kind):
                outside = (self._rows.plan_id < first) | (self._rows.plan_id > last)
                self._rows = self._rows.take(outside).plus(self._read(connection, first, last))
                self._times.read_changed(connection, first, last, inserted=inserts)

    def _read(self, connection: Connection[Any], first: int, last: int) -> Rows:
        parameters = {"first": first, "last": last, "stations": self._stations}
        plan_id, pump_id, version, start, end, *targets = _one(connection, self._query, parameters)
        return Rows(
            plan_id, pump_id.astype(np.int64), version.astype(np.int64), start, end,
            np.stack(targets),
        )  # fmt: skip


def joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges with those that overlap, or nearly do, made one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + NEAR:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def _one(connection: Connection[Any], query: str, parameters: Any = None) -> tuple[Any, ...]:
    row = connection.execute(query, parameters, binary=True).fetchone()
    assert row is not None
    return tuple(row)
