"""Courses of events: what plant, optimiser, engineers and operators do to a scan."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Protocol

from hypothesis.vendor.pretty import RepresentationPrinter

from runtime.clock import ManualClock
from runtime.program import Program
from runtime.requests import Ask, Result, Role
from runtime.retained import RETAINED
from runtime.scan import Scan
from runtime.tag import Area, Tag
from runtime.tags import ALARM_OF_STATE, NUMBER, TABLES, Pump, Station, System
from tests.blocks.plant import Plant
from tests.plc import Plc

STATION_OF = (0, 1, 0, 2, 1, 0)
ROWS = {"System": 1, "Station": max(STATION_OF) + 1, "Pump": len(STATION_OF)}
SHELVING = 90  # s for which alarms are shelved
Settings = dict[str, dict[str, object]]
TIMES = [
    tag
    for tag in (*System.tags(), *Station.tags(), *Pump.tags())
    if tag.area is Area.INPUT and tag.name.endswith(("Time", "Start", "End"))
]


class Stand(Plc):
    """A PLC that can be restarted, and the plant behind it, if there is one.

    Blocks keep nothing to themselves, so a restart may go on with them. `anew` builds them again.
    """

    anew = False

    def __init__(self, course: Course) -> None:
        super().__init__(course.period, course.station_of, **course.settings)
        self.settings = course.settings
        self._program = self.scan.program
        self._as_new = self.columns.arena.copy()
        self.begin(course)

    def begin(self, course: Course) -> None:
        """All as new: to build a program takes longer than most courses do."""
        self.columns.arena[:] = self._as_new
        self.plant = None if course.plant is None else Plant(course.plant, self.columns)
        self.asked: list[Ask] = []
        self.cold = False  # all but retained memory was just lost
        self.clock = ManualClock(course.period)
        self.clock.advance(course.booted)
        self._begin_scans(self._program)
        self.renew()

    def requests(self) -> Iterable[Ask]:
        self.asked = list(super().requests())
        return self.asked

    @property
    def answered(self) -> list[tuple[Ask, Result]]:
        """What was asked of the latest scan, and its answers."""
        return [(ask, self.result(ask.id)) for ask in self.asked]

    def start_anew(self) -> None:
        """A new process: nothing is left of the old one but the columns."""
        program = self._program
        if self.anew:
            program = Program(program.names, self.settings, self.columns)
        self._begin_scans(program)

    def _begin_scans(self, program: Program) -> None:
        self.scan = Scan(self.columns, program, self.clock, self.scan.period, self)
        self.scan._hang = math.inf  # a busy machine is no fault of the blocks


_STANDS: dict[str, Stand] = {}


def stand_for(course: Course, copy: int = 0) -> Stand:
    """A stand as new, which must have been left by who got this copy before."""
    key = repr((course.period, course.settings, course.station_of, copy))
    if key not in _STANDS:
        _STANDS[key] = Stand(course)
    stand = _STANDS[key]
    stand.begin(course)
    return stand


class Happening(Protocol):
    """Something that happens to plant, parameters or plans."""

    def apply(self, stand: Stand) -> None: ...


@dataclass(frozen=True)
class Change:
    """An input takes another value. A time is given by its age; None is never."""

    tag: Tag
    slot: int
    value: float | None

    def __repr__(self) -> str:
        return f"{self.tag}[{self.slot}]={self.value}"

    def apply(self, stand: Stand) -> None:
        value = 0.0 if self.value is None else self.value
        if self.tag in TIMES and self.value is not None:
            value = float(stand[System.Now][0]) - value
        stand[self.tag][self.slot] = value


@dataclass(frozen=True)
class Mood:
    """The plant behaves otherwise from now on: `what` of it becomes `value`."""

    what: str
    slot: int
    value: object

    def __repr__(self) -> str:
        return f"{self.what}[{self.slot}]={self.value}"

    def apply(self, stand: Stand) -> None:
        getattr(stand.plant, self.what)[self.slot] = self.value


@dataclass(frozen=True)
class Restart:
    """The scan process starts again, or the whole machine, whose clock then says `clock`."""

    clock: float | None = None

    def __repr__(self) -> str:
        return "warm" if self.clock is None else f"cold at {self.clock} s"

    def apply(self, stand: Stand) -> None:
        if self.clock is not None:
            self._forget(stand, self.clock)
            stand.cold = True
        stand.start_anew()

    def _forget(self, stand: Stand, clock: float) -> None:
        """All but retained memory is lost. What the database tells goes by the new clock."""
        columns = stand.columns
        kept = [(columns[tag], columns[tag].copy()) for tag in RETAINED]
        columns.arena[columns.layout.inputs :] = 0
        for column, values in kept:
            column[:] = values
        later = clock - stand.clock.now()
        for tag in TIMES:
            stand[tag][stand[tag] != 0.0] += later
        stand.clock = ManualClock(stand.clock.period, clock, stand.clock.utc())


@dataclass(frozen=True)
class Order:
    """A request. `right`: if it clears a stop, it names the one in force; if it is about an alarm,
    an engineer asks for it."""

    tag: Tag
    slot: int
    value: float
    right: bool

    def __repr__(self) -> str:
        return f"{self.tag}[{self.slot}]:={self.value}{' right' if self.right else ''}"

    def ask(self, stand: Stand, identity: int) -> Ask:
        if self.tag in ALARM_OF_STATE:
            role = Role.ENGINEER if self.right else Role.OPERATOR
            return Ask(identity, NUMBER[self.tag], self.slot, self.value, SHELVING, role)
        reference = 0
        if self.tag.name == "EmergencyStop" and self.slot < ROWS[self.tag.table]:
            (table,) = (table for table in TABLES if table.__name__ == self.tag.table)
            reference = int(stand[table.tag("EmergencyStopId")][self.slot]) ^ (not self.right)
        return Ask(identity, NUMBER[self.tag], self.slot, self.value, reference)


@dataclass(frozen=True)
class Event:
    """Something happens, some time after the last scan; then there are some scans."""

    changes: list[Happening] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    gap: float = 0.0
    collector: bool = True  # works, so that feedback is fresh
    scans: int = 1
    restart: Restart | None = None
    wall: float = 0.0  # s by which someone sets the wall clock

    def __repr__(self) -> str:
        feedback = "fresh" if self.collector else "stale"
        restart = f"{self.restart}, " if self.restart else ""
        wall = f", wall clock {self.wall:+} s" if self.wall else ""
        what = f"{self.changes} {self.orders} × {self.scans}"
        return f"<{restart}+{self.gap} s{wall}, {feedback}: {what}>"

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        printer.text(repr(self))  # as it is: all fields of all tags would be 60 kB


@dataclass(frozen=True)
class Course:
    """What happens, from the first scan on. `plant` is the seed of a plant that answers."""

    events: list[Event]
    period: float = 0.1
    settings: Settings = field(default_factory=dict)
    booted: float = 0.0  # s before or after the usual beginning
    plant: int | None = None
    station_of: tuple[int, ...] = STATION_OF

    @property
    def scans(self) -> int:
        return sum(event.scans for event in self.events)


def _latch(changes: list[Happening], latched: Callable[[Stand], None], plc: Plc) -> None:
    assert isinstance(plc, Stand)
    for change in changes:
        change.apply(plc)
    if plc.plant is not None and plc.fresh:
        plc.plant.answer(plc.scan.period)
    latched(plc)


def play(
    course: Course, stand: Stand, latched: Callable[[Stand], None] = lambda stand: None
) -> Iterator[Event]:
    """Each scan of a course, after it was executed. `latched` sees its inputs before."""
    identities = count(1)
    for event in course.events:
        if event.restart:
            event.restart.apply(stand)
        stand.clock.advance(event.gap)
        stand.clock.step_utc(event.wall)
        stand.fresh = event.collector
        for order in event.orders:
            stand.put(order.ask(stand, next(identities)))
        for number in range(event.scans):
            stand.before_scan = partial(_latch, [] if number else event.changes, latched)
            stand.step()
            yield event
