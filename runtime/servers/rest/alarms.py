"""Alarms: every one that is not normal, with its state, and what came first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import falcon
import numpy as np
from numpy.typing import NDArray

from runtime.alarm import STANDING, TO_ACKNOWLEDGE, WORDS, AlarmState
from runtime.servers.rest import asked, models
from runtime.servers.rest.directory import Plant
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.plant import station_named
from runtime.servers.rest.replies import mirror, newest, utc
from runtime.servers.rest.snapshots import Snapshot, Snapshots
from runtime.tags import ALARMS, Pump, System

PRIORITIES = np.array([declared.alarm.priority for declared in ALARMS])
NOT_NORMAL = frozenset(AlarmState) - {AlarmState.NORMAL}
STATES: dict[str, frozenset[int]] = {
    "standing": STANDING,
    "unacknowledged": TO_ACKNOWLEDGE,
    "hidden": NOT_NORMAL - STANDING,
    "all": NOT_NORMAL,
    **{word: frozenset({state}) for state, word in WORDS.items() if state},
}
NO_STATION = -1


@dataclass(frozen=True)
class Found:
    """Alarms as columns: their place in ALARMS, row, state, beginning, station (slot), and whether
    each came first of those standing in its station."""

    kind: NDArray[np.intp]
    slot: NDArray[np.intp]
    state: NDArray[np.uint8]
    since: NDArray[np.float64]
    station: NDArray[np.intp]
    first: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.kind)

    def only(self, rows: NDArray[Any]) -> Found:
        """Some of them: by place, or those for which it is true."""
        columns = (self.kind, self.slot, self.state, self.since, self.station, self.first)
        return Found(*(column[rows] for column in columns))


def not_normal(snapshot: Snapshot) -> Found:
    """All alarms of equipment in use that are not normal, by priority, the oldest first.

    What has ended, and has no beginning any more, comes after what is active.
    """
    columns = snapshot.columns
    parts = []
    for kind, declared in enumerate(ALARMS):
        states = columns[declared.state].astype(np.uint8)
        if declared.table is not System:
            states[~columns[declared.table.tag("Configured")].astype(bool)] = AlarmState.NORMAL
        slots = np.flatnonzero(states)
        began = columns[declared.since][slots].astype(float)
        of = np.full(len(slots), NO_STATION)
        if declared.table is not System:
            of = columns[Pump.Station][slots] if declared.table is Pump else slots
        parts.append((np.full(len(slots), kind), slots, states[slots], began, of.astype(np.intp)))
    kinds, slots, state, since, station = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    began = np.where(since > 0.0, since, np.inf)
    order = np.lexsort((began, PRIORITIES[kinds]))
    first = _first_out(kinds, state, began, station)
    return Found(kinds, slots, state, since, station, first).only(order)


def _first_out(
    kind: NDArray[Any], state: NDArray[Any], began: NDArray[Any], station: NDArray[Any]
) -> NDArray[np.bool_]:
    """Whether each alarm is the one from which all that stands in its station began.

    Of several in one scan it is the most urgent. An alarm that stands alone is no group.
    """
    first = np.zeros(len(kind), bool)
    active = np.flatnonzero(np.isin(state, list(STANDING)) & np.isfinite(began))
    ranked = active[np.lexsort((PRIORITIES[kind[active]], began[active]))]
    _, earliest, count = np.unique(station[ranked], return_index=True, return_counts=True)
    first[ranked[earliest[count > 1]]] = True
    return first


class AlarmsResource:
    """The list of alarms."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    @documented(
        models.Alarms,
        status=(200, 304),
        query=asked.AlarmsWanted,
        refusals=(404, 503),
        about="alarms",
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Alarms with their states, cause, consequence, and what to do; the most urgent first."""
        wanted: asked.AlarmsWanted = req.context.query
        snapshot = newest(self._snapshots)
        key = f"{req.path} {wanted!r}"
        mirror(req, resp, snapshot, lambda: self._render(snapshot, wanted), key)

    def _render(self, snapshot: Snapshot, wanted: asked.AlarmsWanted) -> dict[str, Any]:
        found = not_normal(snapshot)
        found = found.only(np.isin(found.state, list(STATES[wanted.state])))
        if wanted.priority is not None:
            found = found.only(PRIORITIES[found.kind] == wanted.priority)
        if wanted.station is not None:
            slot = station_named(snapshot.plant, wanted.station).slot
            found = found.only(found.station == slot)
        value = snapshot.columns.value
        return {
            "active": int(value(System.ActiveAlarms)),
            "unacknowledged": int(value(System.UnacknowledgedAlarms)),
            "shelved": int(value(System.ShelvedAlarms)),
            "flood": bool(value(System.AlarmFlood)),
            "found": len(found),
            "alarms": told(snapshot, found.only(np.arange(min(len(found), models.MANY)))),
        }


def told(snapshot: Snapshot, found: Found) -> list[dict[str, Any]]:
    """Alarms as JSON shows them."""
    columns = (found.kind, found.slot, found.state, found.since, found.first)
    return [
        _told(snapshot, snapshot.plant, *row)
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _told(
    snapshot: Snapshot, plant: Plant, kind: int, slot: int, state: int, since: float, first: bool
) -> dict[str, Any]:
    declared = ALARMS[kind]
    station, pump = plant.place(declared.table.__name__, slot)
    return {
        "alarm": declared.tag.name,
        "scope": declared.table.__name__.lower(),
        "station": station,
        "pump": pump,
        "priority": declared.alarm.priority,
        "state": WORDS[state],
        "first_out": first,
        "text": declared.tag.doc,
        "cause": declared.alarm.cause,
        "consequence": declared.alarm.consequence,
        "response": declared.alarm.response,
        "since": utc(since),
        "shelved_until": utc(_shelved_until(snapshot, kind, slot)),
    }


def _shelved_until(snapshot: Snapshot, kind: int, slot: int) -> float:
    """UTC at which shelving ends if the runtime goes on; 0 if it isn't shelved."""
    value = snapshot.columns.value
    until = value(ALARMS[kind].shelved_until, slot)
    return value(System.TimeUtc) + until - value(System.ControlTime) if until else 0.0
