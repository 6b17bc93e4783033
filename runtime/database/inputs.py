"""Puts what the readers found into the INPUTS region: one arena, one writer, one publish.

Everything goes in by slot. A pump retired or changed and the plans and feedback that go with it are
in one snapshot, so the scan sees the change between two cycles and never half of it.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime import equipment
from runtime.database.board import Board, Feedback
from runtime.database.schedule import Interval, Selection
from runtime.equipment import Equipment
from runtime.layout import Columns
from runtime.places import Places
from runtime.region import Writer
from runtime.tag import Tag
from runtime.tags import Pump, Station, System

NEVER = 0.0
NO_VALUE = math.nan

_CURRENT = (Pump.PlanSpeed, Pump.PlanLevel, Pump.PlanPower, Pump.PlanFlow)
_NEXT = (Pump.NextSpeed, Pump.NextLevel, Pump.NextPower, Pump.NextFlow)
_MEASURED: tuple[tuple[Tag, str, float], ...] = (
    (Pump.MeasuredTime, "time", NEVER),
    (Pump.MeasuredSpeed, "speed", NO_VALUE),
    (Pump.MeasuredPower, "power", NO_VALUE),
    (Pump.MeasuredFlow, "flow", NO_VALUE),
    (Pump.MeasuredLevel, "level", NO_VALUE),
    (Pump.MeasuredRunning, "running", 0),
    (Pump.MeasuredLocal, "local", 0),
)


class Inputs:
    """The inputs of the scan. They begin as a process before this one left them."""

    def __init__(self, places: Places, columns: Columns) -> None:
        layout = columns.layout
        self.columns = columns
        self._arena = columns.arena[: layout.inputs]
        self._writer = Writer(places.inputs, layout.inputs, layout.hash, layout.parameters)
        last = self._writer.last()
        if last is not None:
            self._arena[:] = last
        else:
            self._empty()
        self._filled: Equipment | None = None
        self._selection: Selection | None = None
        self._pump_ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._slots: NDArray[np.int64] = np.empty(0, np.int64)

    def plan_times(self, known: Equipment) -> dict[str, float]:
        """The time of each station's newest plan, as a process before this one knew it."""
        times = self.columns[Station.PlanTime]
        rows = len(times)
        return {
            station.station_id: float(times[station.slot])
            for station in known.stations
            if station.slot < rows and times[station.slot] != NEVER
        }

    def publish(self, board: Board) -> None:
        """Publish what is on the board."""
        columns = self.columns
        if board.equipment is not self._filled:
            self._fill(board.equipment)
        if board.feedback is not None:
            self._put_feedback(board.feedback)
        if board.schedule is not None and board.clock.difference is not None:
            self._put_plans(board, board.clock.difference)
        times = columns[Station.PlanTime]
        times.fill(NEVER)
        for station in board.equipment.stations:
            times[station.slot] = board.plan_times.get(station.station_id, NEVER)
        if board.database_time:
            columns[System.DatabaseTime][0] = board.database_time
        columns[System.DatabaseClockSteps][0] = board.clock.steps
        board.findings.put(columns)
        self._writer.publish(self._arena)

    def _empty(self) -> None:
        for tag, _, absent in _MEASURED:
            self.columns[tag].fill(absent)
        for tag in (*_CURRENT, *_NEXT):
            self.columns[tag].fill(NO_VALUE)

    def _fill(self, found: Equipment) -> None:
        equipment.fill(found, self.columns)
        pumps = sorted((pump.pump_id, pump.slot) for pump in found.pumps)
        self._pump_ids = np.array([pump_id for pump_id, _ in pumps], np.int64)
        self._slots = np.array([slot for _, slot in pumps], np.int64)
        self._filled = found

    def _put_feedback(self, feedback: Feedback) -> None:
        rows, slots = self._places(feedback.pump_id)
        for tag, name, absent in _MEASURED:
            column = self.columns[tag]
            column.fill(absent)
            column[slots] = getattr(feedback, name)[rows]

    def _put_plans(self, board: Board, difference: float) -> None:
        schedule, now = board.schedule, time.monotonic() + difference
        assert schedule is not None
        chosen = self._selection
        if chosen is None or chosen.schedule is not schedule or not chosen.holds(now):
            chosen = self._selection = schedule.at(now)
        rows, slots = self._places(chosen.pump_ids)
        self._put(chosen.current, Pump.PlanStart, Pump.PlanEnd, _CURRENT, rows, slots, difference)
        self._put(chosen.following, Pump.NextStart, Pump.NextEnd, _NEXT, rows, slots, difference)

    def _put(
        self,
        interval: Interval,
        start: Tag,
        end: Tag,
        targets: tuple[Tag, ...],
        rows: NDArray[Any],
        slots: NDArray[Any],
        difference: float,
    ) -> None:
        for tag, times in ((start, interval.start), (end, interval.end)):
            column = self.columns[tag]
            column.fill(NEVER)
            column[slots] = times[rows] - difference
        for tag, values in zip(targets, interval.targets, strict=True):
            column = self.columns[tag]
            column.fill(NO_VALUE)
            column[slots] = values[rows]

    def _places(self, pump_ids: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Which of the rows are of pumps that we have, and the slots of those."""
        if not len(self._pump_ids):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        place = np.minimum(np.searchsorted(self._pump_ids, pump_ids), len(self._pump_ids) - 1)
        rows = np.flatnonzero(self._pump_ids[place] == pump_ids)
        return rows, self._slots[place[rows]]
