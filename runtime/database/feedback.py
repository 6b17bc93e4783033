"""Reads the latest feedback of all pumps, again and again, and with it the database's clock."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from runtime.database.arrays import aggregate
from runtime.database.board import Board, Feedback
from runtime.database.clock import DatabaseClock
from runtime.database.connection import Guard, Source, Worker

CYCLE_S = 0.1
_NO_NUMBER = "'NaN'::float8"
_QUERY = f"""
SELECT extract(epoch FROM clock_timestamp())::float8,
    {aggregate("pump_id", "0::int4")},
    {aggregate("measured_at", "'epoch'::timestamptz")},
    {aggregate("actual_speed_hz", _NO_NUMBER)},
    {aggregate("power_kw", _NO_NUMBER)},
    {aggregate("flow_m3h", _NO_NUMBER)},
    {aggregate("wet_well_level_m", _NO_NUMBER)},
    {aggregate("running", "false::bool")},
    {aggregate("local_control", "false::bool")}
FROM pump_feedback_latest"""
_OF_STATIONS = " WHERE pump_id IN (SELECT pump_id FROM pumps WHERE station_id = ANY(%(stations)s))"


class FeedbackReader(Worker):
    """One read each cycle. `stations` are those of this runtime; none means all."""

    def __init__(
        self, board: Board, source: Source, guard: Guard, stations: tuple[str, ...] = ()
    ) -> None:
        super().__init__("feedback", source, guard)
        self._board = board
        self._query = _QUERY + (_OF_STATIONS if stations else "")
        self._stations = {"stations": list(stations)}
        self._times = MeasuredTimes()

    def work(self, connection: Connection[Any]) -> None:
        before = time.monotonic()
        with self.limited():
            row = connection.execute(self._query, self._stations, binary=True).fetchone()
        after = time.monotonic()
        assert row is not None
        wall, pump_id, measured, *values = row
        clock = self._board.clock
        clock.observe(before, wall, after)
        order = np.argsort(pump_id)
        pump_id = pump_id[order]
        times = self._times.on_scan_clock(pump_id, measured[order], clock)
        self._board.feedback = Feedback(pump_id, times, *(column[order] for column in values))
        self._board.database_time = after
        self._board.announce()
        self.pause(max(0.0, before + CYCLE_S - after))


class MeasuredTimes:
    """When each measurement was made, on the scan clock.

    A measurement keeps the time that it got when it was first seen: a step of the database's clock
    makes no old measurement fresh, and no fresh one old.
    """

    def __init__(self) -> None:
        self._pump_id: NDArray[np.int32] = np.empty(0, np.int32)
        self._measured: NDArray[np.float64] = np.empty(0)
        self._times: NDArray[np.float64] = np.empty(0)

    def on_scan_clock(
        self,
        pump_id: NDArray[np.int32],
        measured: NDArray[np.float64],
        clock: DatabaseClock,
    ) -> NDArray[np.float64]:
        """The times of measurements, by sorted `pump_id`; `measured` is on the database's clock."""
        assert clock.difference is not None
        times = measured - clock.difference
        if len(self._pump_id):
            place = np.minimum(np.searchsorted(self._pump_id, pump_id), len(self._pump_id) - 1)
            same = (self._pump_id[place] == pump_id) & (self._measured[place] == measured)
            times = np.where(same, self._times[place], times)
        self._pump_id, self._measured, self._times = pump_id, measured, times
        return times
