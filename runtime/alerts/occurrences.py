"""Occurrences of alarms, as image and events show them.

An occurrence is an alarm of one thing from becoming active to being over: tag, station, pump, and
since when. That is its key. Whoever sees the same occurrence again, after a crash of this process
for example, gets the same key.

A cold start of the scan forgets since when an alarm is active. What was in alarm before it, and
still counts as active (`blocks/alarms.py`), is the occurrence that is known already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.alarm import Alarm, AlarmState
from runtime.alerts.announcements import Announcement
from runtime.equipment import Equipment
from runtime.layout import Columns
from runtime.servers.mirror import View
from runtime.tag import Table, Tag
from runtime.tags import ALARMS, System

PATIENCE = 5.0  # s that the image may stand still; a standby takes over in less
SAME = 1.0  # s between two beginnings of an alarm that are told as one
STANDSTILL = Alarm(
    1,
    "the scan process ended and could not be started again, or this machine is overloaded",
    "setpoints stay what they were; no limit, stop or failsafe of Calejo acts",
    "see `calejo status`; watch the stations and their local controllers until it runs",
)

_ACKNOWLEDGED = (AlarmState.ACKNOWLEDGED, AlarmState.LATCHED_ACKNOWLEDGED)
_SILENT = (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)
_ON = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)

Flags = NDArray[np.bool_]
Known = Mapping[str, tuple[float, float]]
"""Of things known to be in alarm: since when they are, and are in the image (0: the same)."""


@dataclass(frozen=True)
class Occurrence:
    """One alarm of one thing. `slot` is its row in the image; `since` and `ended` are UTC.

    `ended` is given of one that came and went between two looks, `shown` of one that outlived a
    cold start: since when the image says that it is active.
    """

    tag: Tag
    alarm: Alarm
    slot: int
    station: str | None
    pump: int | None
    since: float
    acknowledged: bool
    silent: bool
    ended: float | None = None
    shown: float = 0.0

    @property
    def thing(self) -> str:
        """What is in alarm: tag, station, pump."""
        return thing(repr(self.tag), self.station, self.pump)

    @property
    def key(self) -> str:
        """Its identity: the same for every process that sees it."""
        return f"{self.thing}/{self.since:.3f}"


def thing(tag: str, station: str | None, pump: int | None) -> str:
    """The name of what may be in alarm."""
    return "/".join([tag, *(str(part) for part in (station, pump) if part is not None)])


@dataclass(frozen=True)
class States:
    """What operators and the design have said of an alarm, for each row of its table."""

    acknowledged: Flags
    silent: Flags  # shelved, suppressed by design, out of service
    on: Flags  # active, as far as the scan knows


def states(columns: Columns, table: type[Table], tag: Tag) -> States:
    """What has been said of an alarm, as its state tells it."""
    state = columns[table.tag(tag.state)]
    return States(np.isin(state, _ACKNOWLEDGED), np.isin(state, _SILENT), np.isin(state, _ON))


class Plates:
    """The names of the rows of the image."""

    def __init__(self, equipment: Equipment) -> None:
        self._stations = {station.slot: station.station_id for station in equipment.stations}
        self._pumps = {pump.slot: (pump.station_id, pump.pump_id) for pump in equipment.pumps}

    def of(self, table: type[Table], slot: int) -> tuple[str | None, int | None]:
        """Station and pump of a row."""
        if table.__name__ == "Station":
            return self._stations.get(slot, f"slot {slot}"), None
        if table.__name__ == "Pump":
            return self._pumps.get(slot, (f"slot {slot}", slot))
        return None, None


def standing(view: View, known: Known | None = None) -> Iterator[Occurrence]:
    """All alarms that are active in the newest image; `known` are those that were before."""
    columns = view.columns
    before = {} if known is None else known
    plates = Plates(view.equipment)
    up = columns.value(System.MemoryAge)
    settled = up >= System.MemoryAge.high
    forgotten = columns.value(System.TimeUtc) - up  # when memory was lost
    for declared in ALARMS:
        began = columns[declared.since].astype(np.float64)
        if settled and not began.any():
            continue
        said = states(columns, declared.table, declared.tag)
        active = (began != 0.0) if settled else (began != 0.0) | said.on
        for slot in active.nonzero()[0].tolist():
            station, pump = plates.of(declared.table, slot)
            since, shown = float(began[slot]), 0.0
            earlier, renewed = before.get(thing(repr(declared.tag), station, pump), (0.0, 0.0))
            outlived = not settled and said.on[slot] and 0.0 < earlier < forgotten
            if outlived or (since and since == renewed):
                since, shown = earlier, since
            if since:
                yield Occurrence(
                    declared.tag,
                    declared.alarm,
                    slot,
                    station,
                    pump,
                    since,
                    bool(said.acknowledged[slot]),
                    bool(said.silent[slot]),
                    shown=shown,
                )


def passed(
    announced: Iterable[Announcement],
    view: View,
    now: Mapping[str, Occurrence],
    before: Mapping[str, Occurrence],
    utc: float,
) -> Iterator[Occurrence]:
    """Of what was announced, what neither this look nor the one `before` shows: it came and went.

    Both by their things. What was hidden may have been active, and told, before its announcement.
    """
    plates = Plates(view.equipment)
    for one in announced:
        station, pump = plates.of(one.declared.table, one.slot)
        tag, alarm = one.declared.tag, one.declared.alarm
        name = thing(repr(tag), station, pump)
        stands, stood = now.get(name), before.get(name)
        if stands is not None and abs(stands.since - one.utc) <= SAME:
            continue
        if one.was_hidden and (stands or (stood and not stood.silent)):
            continue
        ended = one.ended or utc
        yield Occurrence(tag, alarm, one.slot, station, pump, one.utc, False, False, ended)


def standstill(view: View) -> Occurrence | None:
    """The one alarm that the scan can't raise itself: that it stands still."""
    if not view.sequence or not view.stale or view.age < PATIENCE:
        return None
    last = view.columns.value(System.TimeUtc)
    return Occurrence(System.Live, STANDSTILL, 0, None, None, last, False, False)
