"""Courses of events: what plant, optimiser, engineers and operators do to a scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count

from hypothesis.vendor.pretty import RepresentationPrinter

from runtime.requests import Ask
from runtime.tag import Area, Tag
from runtime.tags import NUMBER, TABLES, Pump, Station, System
from tests.plc import Plc

STATION_OF = (0, 1, 0, 2, 1, 0)
ROWS = {"System": 1, "Station": max(STATION_OF) + 1, "Pump": len(STATION_OF)}
SETTINGS: dict[str, dict[str, object]] = {
    "feedback": {"max_age": 30.0},
    "supervision": {"tolerance": 2.0, "delay": 1.5},
}
TIMES = [
    tag
    for tag in (*System.tags(), *Station.tags(), *Pump.tags())
    if tag.area is Area.INPUT and tag.name.endswith(("Time", "Start", "End"))
]


@dataclass(frozen=True)
class Change:
    """An input takes another value. A time is given by its age; None is never."""

    tag: Tag
    slot: int
    value: float | None

    def __repr__(self) -> str:
        return f"{self.tag}[{self.slot}]={self.value}"

    def apply(self, plc: Plc) -> None:
        value = 0.0 if self.value is None else self.value
        if self.tag in TIMES and self.value is not None:
            value = float(plc[System.Now][0]) - value
        plc[self.tag][self.slot] = value


@dataclass(frozen=True)
class Order:
    """A request. `right`: if it clears a stop, it names the one in force."""

    tag: Tag
    slot: int
    value: float
    right: bool

    def __repr__(self) -> str:
        return f"{self.tag}[{self.slot}]:={self.value}{' right' if self.right else ''}"

    def ask(self, plc: Plc, identity: int) -> Ask:
        reference = 0
        if self.tag.name == "EmergencyStop" and self.slot < ROWS[self.tag.table]:
            (table,) = (table for table in TABLES if table.__name__ == self.tag.table)
            reference = int(plc[table.tag("EmergencyStopId")][self.slot]) ^ (not self.right)
        return Ask(identity, NUMBER[self.tag], self.slot, self.value, reference)


@dataclass(frozen=True)
class Event:
    """Something happens, some time after the last scan; then there are some scans."""

    changes: list[Change]
    orders: list[Order]
    gap: float
    collector: bool  # works, so that feedback is fresh
    scans: int

    def __repr__(self) -> str:
        feedback = "fresh" if self.collector else "stale"
        return f"<+{self.gap} s, {feedback}: {self.changes} {self.orders} × {self.scans}>"

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        printer.text(repr(self))  # as it is: all fields of all tags would be 60 kB


def _latch(changes: list[Change], latched: Callable[[Plc], None], plc: Plc) -> None:
    for change in changes:
        change.apply(plc)
    latched(plc)


def play(
    plc: Plc, events: list[Event], latched: Callable[[Plc], None] = lambda plc: None
) -> Iterator[Event]:
    """Each scan of a course, after it was executed. `latched` sees its inputs before."""
    identities = count(1)
    for event in events:
        plc.clock.advance(event.gap)
        plc.fresh = event.collector
        for order in event.orders:
            plc.put(order.ask(plc, next(identities)))
        for number in range(event.scans):
            plc.before_scan = partial(_latch, [] if number else event.changes, latched)
            plc.step()
            yield event
