"""The plans of all pumps in memory: which interval holds now, which one comes next.

Where several versions cover a moment the highest counts. So an interval lasts until its end, or
until one of a higher version begins; and when that one ends, what is left of the lower one is next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Numbers = NDArray[np.int64]
TARGETS = ("speed", "level", "power", "flow")
NONE = -1


@dataclass(frozen=True)
class Rows:
    """Active plan rows as columns. Times are s since 1970 on the database's clock."""

    plan_id: Numbers
    pump_id: Numbers
    version: Numbers
    start: Reals
    end: Reals
    targets: Reals  # one row for each of TARGETS; NaN where the plan has none

    def __len__(self) -> int:
        return len(self.plan_id)

    def take(self, index: NDArray[np.bool_] | Numbers) -> Rows:
        """Some of the rows."""
        return Rows(
            self.plan_id[index],
            self.pump_id[index],
            self.version[index],
            self.start[index],
            self.end[index],
            self.targets[:, index],
        )

    def plus(self, other: Rows) -> Rows:
        """These rows and others."""
        return Rows(
            np.concatenate((self.plan_id, other.plan_id)),
            np.concatenate((self.pump_id, other.pump_id)),
            np.concatenate((self.version, other.version)),
            np.concatenate((self.start, other.start)),
            np.concatenate((self.end, other.end)),
            np.concatenate((self.targets, other.targets), axis=1),
        )


NO_ROWS = Rows(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0),
    np.empty(0),
    np.empty((len(TARGETS), 0)),
)


@dataclass(frozen=True)
class Interval:
    """One interval of each pump: `start` = `end` = 0 and targets NaN where there is none."""

    start: Reals
    end: Reals
    targets: Reals


@dataclass(frozen=True)
class Selection:
    """What holds at a time and next, for the pumps of `pump_ids`; good from `since` to `until`."""

    schedule: Schedule
    pump_ids: Numbers
    current: Interval
    following: Interval
    since: float
    until: float

    def holds(self, now: float) -> bool:
        """Whether it is what the schedule has at the time `now`, too."""
        return self.since <= now < self.until


class Schedule:
    """All rows, sorted so that of several of one pump the highest version comes last."""

    def __init__(self, rows: Rows = NO_ROWS) -> None:
        self.rows = rows.take(np.lexsort((rows.start, rows.version, rows.pump_id)))
        self.pump_ids, first = np.unique(self.rows.pump_id, return_index=True)
        self._first = first
        self._pump = np.repeat(np.arange(len(first)), np.diff([*first, len(rows)]))

    def at(self, now: float) -> Selection:
        """What holds at the time `now`, and what comes next."""
        if not len(self.rows):
            empty = Interval(np.empty(0), np.empty(0), NO_ROWS.targets)
            return Selection(self, self.pump_ids, empty, empty, now, np.inf)
        times = np.full(len(self.pump_ids), now)
        row, end = self._covering(times)
        # Next begins where this one ends; after a gap, or with none now, where any begins.
        begin = np.where(row == NONE, self._next_start(times, row), end)
        following, following_end = self._covering(begin)
        gap = (following == NONE) & np.isfinite(begin)
        begin = np.where(gap, self._next_start(begin, following), begin)
        late, late_end = self._covering(begin)
        following, following_end = np.where(gap, (late, late_end), (following, following_end))
        following = following.astype(np.int64)
        changes = np.concatenate((end[row != NONE], begin[following != NONE]))
        return Selection(
            self,
            self.pump_ids,
            self._interval(row, self.rows.start[row], end),
            self._interval(following, begin, following_end),
            now,
            float(np.min(changes, initial=np.inf)),
        )

    def _covering(self, times: Reals) -> tuple[Numbers, Reals]:
        """The row of the highest version that covers each pump's time, and until when it counts."""
        when = times[self._pump]
        covers = np.flatnonzero((self.rows.start <= when) & (when < self.rows.end))
        row = np.full(len(self.pump_ids), NONE)
        row[self._pump[covers]] = covers  # the last assignment counts: the highest version
        return row, np.minimum(self.rows.end[row], self._next_start(times, row))

    def _next_start(self, times: Reals, row: Numbers) -> Reals:
        """When the next row of each pump begins; of one that has a row, a higher version's."""
        version = np.where(row == NONE, NONE, self.rows.version[row])
        later = (self.rows.start > times[self._pump]) & (self.rows.version > version[self._pump])
        starts = np.where(later, self.rows.start, np.inf)
        return np.asarray(np.minimum.reduceat(starts, self._first))

    def _interval(self, row: Numbers, start: Reals, end: Reals) -> Interval:
        there = row != NONE
        return Interval(
            np.where(there, start, 0.0),
            np.where(there, end, 0.0),
            np.where(there, self.rows.targets[:, row], np.nan),
        )
