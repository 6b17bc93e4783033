"""Admission: what the scan checks of a request before the blocks see it, and its answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.alarm_wishes import AlarmWishes
from runtime.layout import REQUESTS, Columns
from runtime.requests import Ask, Result, Role
from runtime.tag import Access, Quality, Table, Tag
from runtime.tags import ALARM_OF_STATE, NUMBER, TAGS, Pump, Request, Station, System

_TABLES: dict[str, type[Table]] = {table.__name__: table for table in (System, Station, Pump)}
_MAY_WRITE = (Role.OPERATOR, Role.ENGINEER)
_STOP = Pump.EmergencyAction.number("stop")


def _groups(asks: Iterable[Ask]) -> Iterator[list[Ask]]:
    """Requests, those that belong together in one list."""
    group: list[Ask] = []
    for ask in asks:
        group.append(ask)
        if len(group) > group[0].more:
            yield group
            group = []


class Admission:
    """Puts requests into the Request rows of the image, each with the scan's answer.

    A request that is executed is one that the blocks execute in this same scan. The checks, in
    order: the tag may be written and the role may write it; the row is in use; the value is one
    that the tag can have; the emergency stop to clear is the one in force, and no pump that it is
    to stop still runs; what is asked of an alarm makes sense in its state; the tag is still what
    its asker made the value from; it is not too late. Of a group of requests none is executed
    unless all are.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._total: NDArray[Any] = columns[System.Requests]
        self._taken: NDArray[Any] = columns[System.RequestsTaken]
        self._rows: list[tuple[NDArray[Any], str]] = [
            (columns[Request.Id], "id"),
            (columns[Request.Tag], "tag"),
            (columns[Request.Slot], "slot"),
            (columns[Request.Value], "value"),
            (columns[Request.Reference], "reference"),
            (columns[Request.Role], "role"),
            (columns[Request.Source], "source"),
            (columns[Request.Deadline], "deadline"),
        ]
        self._taken_at: NDArray[Any] = columns[Request.TakenAt]
        self._result: NDArray[Any] = columns[Request.Result]
        self._tags: NDArray[Any] = columns[Request.Tag]
        self._slots: NDArray[Any] = columns[Request.Slot]
        self._values: NDArray[Any] = columns[Request.Value]
        self._stops: dict[tuple[int, int], int] = {}  # in force after the requests of this scan
        self._written: set[tuple[int, int]] = set()  # tags and rows that this scan is to write
        self._wishes = AlarmWishes(columns)

    def take(self, asks: Iterable[Ask], scan: int, now: float) -> None:
        """Admit or refuse each request, in the order of their arrival."""
        first = int(self._total[0])
        total = first
        self._stops.clear()
        self._written.clear()
        self._wishes.clear()
        for group in _groups(asks):
            for ask, result in zip(group, self._judge_all(group, now), strict=True):
                row = total % REQUESTS
                for column, field in self._rows:
                    column[row] = getattr(ask, field)
                self._taken_at[row] = scan
                self._result[row] = result
                total += 1
        self._total[0] = total
        self._taken[0] = total - first

    def asked(self, tag: Tag) -> bool:
        """Whether this scan admitted a request to write `tag`."""
        return any(self._tags[row] == NUMBER[tag] for row in self._admitted())

    def withdraw(self) -> None:
        """Take back the answers to admitted requests that this scan did not come to execute."""
        for row in self._admitted():
            written = self._columns[TAGS[int(self._tags[row])]]
            if written[self._slots[row]] != self._values[row]:
                self._result[row] = Result.PENDING

    def _admitted(self) -> list[int]:
        """The Request rows of what this scan admitted."""
        total = int(self._total[0])
        rows = (count % REQUESTS for count in range(total - int(self._taken[0]), total))
        return [row for row in rows if self._result[row] == Result.EXECUTED]

    def _judge_all(self, group: list[Ask], now: float) -> list[Result]:
        """The answers to a group, each judged in the state that the ones before it lead to."""
        if len(group) == 1:
            result = self.judge(group[0], now)
            if result is Result.EXECUTED:
                self._follow(group[0])
            return [result]
        stops, written = self._stops.copy(), self._written.copy()
        states = self._wishes.states.copy()
        results = []
        for ask in group:
            results.append(self.judge(ask, now))
            if results[-1] is Result.EXECUTED:
                self._follow(ask)
        if all(result is Result.EXECUTED for result in results):
            return results
        self._stops, self._written, self._wishes.states = stops, written, states
        kept = Result.NOT_TOGETHER
        return [kept if result is Result.EXECUTED else result for result in results]

    def judge(self, ask: Ask, now: float) -> Result:
        """The answer to a request in the state of this scan."""
        tag = TAGS[ask.tag] if ask.tag < len(TAGS) else None
        if tag is None or tag.access is not Access.REQUEST or ask.role not in _MAY_WRITE:
            return Result.NOT_WRITABLE
        table = _TABLES[tag.table]
        clears = tag.name == "EmergencyStop" and not ask.value
        # A stop that outlived its pump can still be cleared.
        if ask.slot >= self._columns.rows(table) or not (clears or self._in_use(table, ask.slot)):
            return Result.UNKNOWN_SLOT
        if not self._possible(table, tag, ask):
            return Result.OUT_OF_RANGE
        if clears:
            in_force = self._in_force(tag, ask.slot)
            if not in_force or in_force != ask.reference:
                return Result.UNKNOWN_STOP
            if self._runs_on(table, ask.slot):
                return Result.CAUSE_REMAINS
        if tag in ALARM_OF_STATE and (answer := self._wishes.judge(ask)) != Result.EXECUTED:
            return answer
        if ask.expected is not None and not self._is_still(tag, ask):
            return Result.WRONG_STATE
        return Result.EXECUTED if now <= ask.deadline else Result.TOO_LATE

    def _is_still(self, tag: Tag, ask: Ask) -> bool:
        """Whether what a request is to replace is what its asker saw, those before it included."""
        seen = self._columns.value(tag, ask.slot) == ask.expected
        return seen and (ask.tag, ask.slot) not in self._written

    def _in_force(self, latch: Tag, slot: int) -> int:
        """The stop that a latch is set by once the requests before this one are executed."""
        stop = self._columns[_TABLES[latch.table].tag("EmergencyStopId")]
        return self._stops.get((NUMBER[latch], slot), int(stop.item(slot)))

    def _follow(self, ask: Ask) -> None:
        """Remember what an admitted request leads to, for those that come after it."""
        latch = TAGS[ask.tag]
        self._written.add((ask.tag, ask.slot))
        if latch in ALARM_OF_STATE:
            self._wishes.follow(ask)
        if latch.name == "EmergencyStop":
            stop = self._in_force(latch, ask.slot) or ask.id
            self._stops[ask.tag, ask.slot] = stop if ask.value else 0

    def _in_use(self, table: type[Table], slot: int) -> bool:
        return table is System or bool(self._columns[table.tag("Configured")][slot])

    def _runs_on(self, table: type[Table], slot: int) -> bool:
        """Whether a pump in the scope of a stop is reported running though the stop stops it.

        What its local controller runs is not ours to stop.
        """
        columns = self._columns
        runs_on = np.logical_and(columns[Pump.Configured], columns[Pump.Running])
        runs_on &= np.equal(columns[Pump.RunningQuality], Quality.GOOD)
        runs_on &= np.equal(columns[Pump.EmergencyAction], _STOP)
        runs_on &= np.logical_not(columns[Pump.LocalControl])
        if table is Pump:
            return bool(runs_on[slot])
        if table is Station:
            runs_on &= np.equal(columns[Pump.Station], slot)
        return bool(runs_on.any())

    def _possible(self, table: type[Table], tag: Tag, ask: Ask) -> bool:
        value = ask.value
        if not math.isfinite(value) or not tag.low <= value <= tag.high:
            return False
        if not tag.is_float and value != int(value):
            return False
        if tag.within is None or value == 0.0:
            return True
        low, high = (self._columns.value(table.tag(name), ask.slot) for name in tag.within)
        return low <= value <= high
