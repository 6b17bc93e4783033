"""What is recorded of an edge: its names and numbers, and from the image what explains it.

The image may be a few scans younger than the edge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from runtime.events import Edges
from runtime.layout import Columns
from runtime.levels import axis
from runtime.requests import Result
from runtime.spool import Kind
from runtime.tag import Access, Tag
from runtime.tags import TAGS, Pump, Request, Station, System

Record = dict[str, object]
_Explain = Callable[[Columns, int, float, float], Record]


def describe(edges: Edges, columns: Columns) -> list[tuple[Kind, Record]]:
    """The records of some edges, with `columns` as the image that explains them."""
    described: list[tuple[Kind, Record]] = []
    names = ("seq", "scan", "utc", "tag", "slot", "old", "new")
    for seq, scan, utc, number, slot, old, new in zip(
        *(edges[name].tolist() for name in names), strict=True
    ):
        tag = TAGS[number]
        record: Record = {
            "seq": seq,
            "scan": scan,
            "utc": utc,
            "tag": repr(tag),
            "slot": slot,
            "old": old,
            "new": new,
        }
        if tag.access is Access.REQUEST:
            record |= _request(columns, scan, number, slot, new)
        if tag in _EXPLAIN:
            record |= _EXPLAIN[tag](columns, slot, old, new)
        described.append((_kind(tag), record))
    return described


def _request(columns: Columns, scan: int, tag: int, slot: int, value: float) -> Record:
    """The request that a scan executed on a row of a tag; empty if the image has lost it."""
    rows: NDArray[Any] = (
        (columns[Request.TakenAt] == scan)
        & (columns[Request.Tag] == tag)
        & (columns[Request.Slot] == slot)
        & (columns[Request.Value] == value)
        & (columns[Request.Result] == Result.EXECUTED)
    ).nonzero()[0]
    if not len(rows):
        return {}
    return {
        "request": int(columns[Request.Id][rows[0]]),
        "reference": int(columns[Request.Reference][rows[0]]),
    }


def _kind(tag: Tag) -> Kind:
    """Alarms and limits are a safety matter; so is a start, which ends what was on before."""
    safety = tag.alarm or tag.flags or tag is System.FirstScan
    return Kind.SAFETY if safety else Kind.EDGE


def _plan_age(columns: Columns, slot: int, old: float, new: float) -> Record:
    return {"plan_age": columns.value(Station.PlanAge, slot)}


def _limits(columns: Columns, slot: int, old: float, new: float) -> Record:
    """Of limits that began or ceased to act, by name: the limit, and how far it went.

    How far is what it is now for a limit that began, and the most that it was for one that ceased.
    Not all limits have such a measure, and some only at the beginning.
    """
    began, ceased = int(new) & ~int(old), int(old) & ~int(new)
    most = _extremes(columns, slot)
    now = most | _at_the_beginning(columns, slot)
    found = {}
    for bit, name in (Pump.Limited.flags or {}).items():
        measures = now if began >> bit & 1 else most if ceased >> bit & 1 else {}
        if name in measures:
            found[name] = measures[name]
    return {"limits": found}


_Measures = dict[str, tuple[float, float]]


def _extremes(columns: Columns, slot: int) -> _Measures:
    """The image keeps these from when a limit begins to act until it next does."""
    value, station = columns.value, int(columns[Pump.Station][slot])
    demand, high = value(Pump.SpeedExtreme, slot), value(Pump.HighLimit, slot)
    seen = axis(value(Station.FlowDirection, station))
    trip = seen.trip({tag.name: value(tag, slot) for tag in seen.trips})
    return {
        "speed": (high if demand > high else value(Pump.LowLimit, slot), demand),
        "rate": (value(Pump.MaxSpeedChange, slot), value(Pump.RateExtreme, slot)),
        "level": (trip, value(Pump.LevelExtreme, slot)),
        "power": (value(Pump.HardMaxPower, slot), value(Pump.PowerExtreme, slot)),
        "flow": (value(Pump.HardMaxFlow, slot), value(Pump.FlowExtreme, slot)),
    }


def _at_the_beginning(columns: Columns, slot: int) -> _Measures:
    value, station = columns.value, int(columns[Pump.Station][slot])
    guards = int(value(Pump.Guarded, slot))
    guard = next((tag for word, tag in _GUARDS.items() if _has(guards, word)), Pump.StartLevel)
    return {
        "starts per hour": (value(Pump.MaxStartsPerHour, slot), value(Pump.StartsLastHour, slot)),
        "minimum off time": (value(Pump.MinOff, slot), value(Pump.OffTime, slot)),
        "minimum run time": (value(Pump.MinRun, slot), value(Pump.RunTime, slot)),
        "maximum run time": (value(Pump.MaxRun, slot), value(Pump.RunTime, slot)),
        "level guard": (value(guard, slot), value(Station.Level, station)),
    }


_GUARDS = {
    "all-run level": Pump.AllRunLevel,
    "stop level": Pump.StopLevel,
    "start level": Pump.StartLevel,
}


def _has(guards: int, word: str) -> bool:
    return bool(guards >> Pump.Guarded.number(word) & 1)


_EXPLAIN: dict[Tag, _Explain] = {Station.Failsafe: _plan_age, Pump.Limited: _limits}
