"""What is recorded of an edge: its names and numbers, and from the image what explains it.

The image may be a few scans younger than the edge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.comparison import Edges
from runtime.layout import Columns
from runtime.levels import axis
from runtime.requests import Result
from runtime.spool import Kind
from runtime.tag import Access, Tag
from runtime.tags import ALARM_OF_STATE, TAGS, Pump, Request, Station, System

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
    """The request that a scan executed on a row of a tag; empty if the image has lost it.

    What becomes of an alarm may be another state than the one that was asked for.
    """
    taken: NDArray[Any] = columns[Request.TakenAt]
    asked = (
        (columns[Request.Tag] == tag)
        & (columns[Request.Slot] == slot)
        & (columns[Request.Result] == Result.EXECUTED)
    )
    if TAGS[tag].name == "EmergencyStop":
        return _of_stop(columns, scan, TAGS[tag], slot, value, asked & (taken <= scan))
    fits = (columns[Request.Value] == value) | (TAGS[tag] in ALARM_OF_STATE)
    rows = (asked & (taken == scan) & fits).nonzero()[0]
    return _named(columns, int(rows[0])) if len(rows) else {}


def _of_stop(
    columns: Columns, scan: int, tag: Tag, slot: int, value: float, asked: NDArray[np.bool_]
) -> Record:
    """The request that set an emergency stop, or cleared it, at a scan or before.

    A stop changes by nothing but requests: its edge may come scans late, from one that took over.
    The first request sets it, and others only join it. Its id is in the image, unless the image is
    so much younger that the stop was cleared; then the requests tell.
    """
    in_force = int(columns[_STOP_IDS[tag]][slot])
    taken: NDArray[Any] = columns[Request.TakenAt]
    later = (columns[Request.Id] == in_force) & (taken > scan)
    if value and in_force and not later.any():
        return {"request": in_force, "reference": 0}
    age = (int(columns[System.Requests][0]) - 1 - np.arange(len(asked))) % len(asked)
    setting = clearing = None
    for row in sorted(asked.nonzero()[0].tolist(), key=lambda row: -age[row]):
        if not columns[Request.Value][row]:
            setting, clearing = None, row
        elif setting is None:
            setting = row
    found = setting if value else clearing
    return {} if found is None else _named(columns, found)


def _named(columns: Columns, row: int) -> Record:
    return {
        "request": int(columns[Request.Id][row]),
        "reference": int(columns[Request.Reference][row]),
    }


def _kind(tag: Tag) -> Kind:
    """Alarms and limits are a safety matter; so is a start, which ends what was on before."""
    safety = tag.alarm or tag in ALARM_OF_STATE or tag.flags or tag is System.FirstScan
    return Kind.SAFETY if safety else Kind.EDGE


def _plan_age(columns: Columns, slot: int, old: float, new: float) -> Record:
    return {"plan_age": columns.value(Station.PlanAge, slot)}


def _limits(columns: Columns, slot: int, old: float, new: float) -> Record:
    """Of limits that began or ceased to act, by name: the limit, and how far it went.

    How far is what it is now for a limit that began, and the most that it was for one that ceased:
    for "level lost" how long, in s, against LevelHold. Start rules and run times are told as they
    are at the beginning. "not a number" has no measure.
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
        "level guard": (value(_guard(columns, slot), slot), value(Pump.GuardExtreme, slot)),
        "level lost": (value(Station.LevelHold, station), value(Pump.LostExtreme, slot)),
    }


def _guard(columns: Columns, slot: int) -> Tag:
    """The guard that acts on a pump, or if none does any more the last that its level reached."""
    guards = int(columns.value(Pump.Guarded, slot))
    for word, tag in _GUARDS.items():
        if guards >> Pump.Guarded.number(word) & 1:
            return tag
    station = int(columns[Pump.Station][slot])
    sign = axis(columns.value(Station.FlowDirection, station)).sign
    reached = columns.value(Pump.GuardExtreme, slot)
    if sign * (reached - columns.value(Pump.StopLevel, slot)) <= 0.0:
        return Pump.StopLevel
    all_run = sign * (reached - columns.value(Pump.AllRunLevel, slot)) >= 0.0
    return Pump.AllRunLevel if all_run else Pump.StartLevel


def _at_the_beginning(columns: Columns, slot: int) -> _Measures:
    value = columns.value
    return {
        "starts per hour": (value(Pump.MaxStartsPerHour, slot), value(Pump.StartsLastHour, slot)),
        "minimum off time": (value(Pump.MinOff, slot), value(Pump.OffTime, slot)),
        "minimum run time": (value(Pump.MinRun, slot), value(Pump.RunTime, slot)),
        "maximum run time": (value(Pump.MaxRun, slot), value(Pump.RunTime, slot)),
    }


_GUARDS = {
    "all-run level": Pump.AllRunLevel,
    "stop level": Pump.StopLevel,
    "start level": Pump.StartLevel,
}

_STOP_IDS = {table.EmergencyStop: table.EmergencyStopId for table in (System, Station, Pump)}
_EXPLAIN: dict[Tag, _Explain] = {Station.Failsafe: _plan_age, Pump.Limited: _limits}
