"""Every scan of a course, as arrays: `trace.pump.Setpoint[scan, slot]`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np

from runtime.layout import Layout, is_input
from runtime.requests import Ask, Result
from runtime.tag import Table
from runtime.tags import SHOWN, TAGS, Pump, Request, Station, System
from tests.blocks.courses import Course, Event, Stand, play, stand_for

Array: TypeAlias = Any  # of NumPy: scans by pumps

GOOD = 2
FILLING = 1  # Station.FlowDirection
_SHOWN = {table.__name__ for table in SHOWN}


@lru_cache
def _numbers(layout: Layout) -> list[int]:
    """Where in an image the numbers are that are not inputs, counted in eights of bytes."""
    return [
        offset // 8 + row
        for tag, offset in layout.offsets.items()
        if tag.is_float and not is_input(tag) and tag.table in _SHOWN
        for row in range(layout.capacity.rows(tag.table))
    ]


class Image:
    """The tags of one table in all scans, by name: an array of scans by rows for each."""

    def __init__(self, images: Array, stand: Stand, table: type[Table], of: Array | None) -> None:
        self._images, self._stand, self._table, self._of = images, stand, table, of

    def __getattr__(self, name: str) -> Array:
        tag = self._table.tag(name)
        column = self._stand.columns[tag]
        start = self._stand.columns.layout.offsets[tag]
        found: Array = self._images[:, start : start + column.nbytes].view(column.dtype)
        if self._of is not None:
            found = found[:, self._of]
        setattr(self, name, found)
        return found


class Trace:
    """What a course led to. `pump`, `was` and `station` have a column for each pump: its tags, its
    tags before the scan, and those of its station. `low` to `before` follow from parameters alone.
    """

    def __init__(self, course: Course, stand: Stand | None = None) -> None:
        self.course = course
        self.stand = stand = stand or stand_for(course)
        columns = stand.columns
        end = columns.layout.offsets[Request.Id]
        before = np.empty((course.scans, end), np.uint8)
        after = np.empty((course.scans, end), np.uint8)
        self.answers: list[list[tuple[Ask, Result]]] = []
        self.events: list[Event] = []
        self._number = 0

        def latched(stand: Stand) -> None:
            before[self._number] = columns.arena[:end]

        for event in play(course, stand, latched):
            after[self._number] = columns.arena[:end]
            self._number += 1
            self.events.append(event)
            self.answers.append(list(stand.answered))
        self.scans = course.scans
        of = np.array(course.station_of)
        self.images = after
        self.system = Image(after, stand, System, None)
        self.pump = Image(after, stand, Pump, None)
        self.was = Image(before, stand, Pump, None)
        self.station = Image(after, stand, Station, of)
        self.station_was = Image(before, stand, Station, of)
        self.stations = Image(after, stand, Station, None)
        self.elapsed: Array = self.system.Elapsed

    @cached_property
    def begins(self) -> Array:
        """The scans before which all but retained memory was lost."""
        found = np.zeros(len(self.events), bool)
        found[0] = True
        scan = 0
        for event in self.course.events:
            if event.restart is not None and event.restart.clock is not None:
                found[scan] = True
            scan += event.scans
        return found

    @cached_property
    def abandoned(self) -> Array:
        """The scans in which SCADA has been silent for so long that stations go without it."""
        watchdog = self.course.settings["watchdog"]
        found = np.zeros((len(self.events), 1), bool)
        heartbeat, changed = 0.0, 0.0
        for scan, now in enumerate(self.system.Now[:, 0]):
            if self.begins[scan]:
                heartbeat, changed = 0.0, now
            for ask, result in self.answers[scan]:
                beats = TAGS[ask.tag] is System.Heartbeat and result is Result.EXECUTED
                if beats and ask.value != heartbeat:
                    heartbeat, changed = ask.value, now
            found[scan] = now - changed >= watchdog["scada_timeout"]
        return found & (watchdog["without_scada"] == "default")

    @property
    def numbers(self) -> Array:
        """All numbers that the scan writes, of all rows, side by side."""
        return self.images.view(float)[:, _numbers(self.stand.columns.layout)]

    @property
    def max_age(self) -> float:
        """How old feedback may be."""
        return 30.0

    @cached_property
    def high(self) -> Array:
        return np.minimum(self.pump.MaxSpeed, self.pump.HardMaxSpeed)

    @cached_property
    def low(self) -> Array:
        return np.minimum(np.maximum(self.pump.MinSpeed, self.pump.HardMinSpeed), self.high)

    @cached_property
    def step(self) -> Array:
        """The most that the rate of change allows in each scan."""
        found: Array = self.pump.MaxSpeedChange * self.elapsed
        return found

    def within(self, speed: Array) -> Array:
        """A speed as the limits of now allow it; 0 stays 0."""
        return np.where(speed > 0.0, np.minimum(np.maximum(speed, self.low), self.high), 0.0)

    @cached_property
    def default(self) -> Array:
        return self.within(self.pump.DefaultSetpoint)

    @cached_property
    def before(self) -> Array:
        """The setpoint before, as the limits of now allow it."""
        return self.within(self.was.Setpoint)

    @cached_property
    def filling(self) -> Array:
        return self.station.FlowDirection == FILLING

    @cached_property
    def level_good(self) -> Array:
        return self.station.LevelQuality == GOOD

    def any_of_station(self, pumps: Array) -> Array:
        """Whether it is so of any pump of the same station."""
        of = np.array(self.course.station_of)
        return np.stack([pumps[:, of == station].any(axis=1) for station in of], axis=1)

    def beyond(self, level: Array) -> Array:
        """Whether the level is at this one or beyond it, on the side that needs pumping."""
        known = self.station.Level
        return np.where(self.filling, known <= level, known >= level)

    def short_of(self, level: Array) -> Array:
        """Whether the level is at this one or short of it, on the side that protects the pump."""
        known = self.station.Level
        return np.where(self.filling, known >= level, known <= level)

    def story(self, scan: int, slot: int) -> Iterator[str]:
        """What the last scans up to one did to a pump: all that was not 0, then what changed."""
        yield f"pump {slot} of station {self.course.station_of[slot]}, scan {scan} of {self.scans}"
        first = max(0, scan - 4)
        for number in range(first, scan + 1):
            told = []
            for image, table in ((self.station, Station), (self.pump, Pump)):
                for tag in table.tags():
                    column = getattr(image, tag.name)[:, slot]
                    news = (
                        column[number] if number == first else column[number] != column[number - 1]
                    )
                    if news:
                        told.append(f"{tag} {column[number]:.12g}")
            yield f"{number}: +{self.elapsed[number, 0]:g} s, {', '.join(told)}"
