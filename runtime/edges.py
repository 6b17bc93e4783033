"""What is recorded of an edge: its names and numbers, and from the image what explains it.

The image may be a few scans younger than the edge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from runtime.events import Edges
from runtime.layout import Columns
from runtime.requests import Result
from runtime.spool import Kind
from runtime.tag import Access, Tag
from runtime.tags import TAGS, Pump, Request, Station, System

Record = dict[str, object]
_Explain = Callable[[Columns, int], Record]


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
            record |= _EXPLAIN[tag](columns, slot)
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


def _plan_age(columns: Columns, slot: int) -> Record:
    return {"plan_age": columns.value(Station.PlanAge, slot)}


def _limits(columns: Columns, slot: int) -> Record:
    """For each limit that has a measure: its value, and the value that it is held against."""
    demand = columns.value(Pump.Demand, slot)
    high = columns.value(Pump.HighLimit, slot)
    station = int(columns[Pump.Station][slot])
    return {
        "limits": {
            "speed": (high if demand > high else columns.value(Pump.LowLimit, slot), demand),
            "level": (None, columns.value(Station.Level, station)),
            "power": (columns.value(Pump.HardMaxPower, slot), columns.value(Pump.Power, slot)),
            "flow": (columns.value(Pump.HardMaxFlow, slot), columns.value(Pump.Flow, slot)),
        }
    }


_EXPLAIN: dict[Tag, _Explain] = {Station.Failsafe: _plan_age, Pump.Limited: _limits}
