"""Occurrences of alarms, as the image shows them.

An occurrence is an alarm of one thing from becoming active to being over: tag, station, pump, and
since when. That is its key. Whoever sees the same occurrence again, after a crash of this process
for example, gets the same key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.alarm import Alarm, AlarmState
from runtime.layout import Columns
from runtime.servers.mirror import View
from runtime.tag import Table, Tag
from runtime.tags import SHOWN, System

DECLARED: tuple[tuple[type[Table], Tag, Tag], ...] = tuple(
    (table, tag, table.tag(tag.since)) for table in SHOWN for tag in table.tags() if tag.alarm
)
PATIENCE = 5.0  # s that the image may stand still; a standby takes over in less
STANDSTILL = Alarm(
    1,
    "the scan process ended and could not be started again, or this machine is overloaded",
    "setpoints stay what they were; no limit, stop or failsafe of Calejo acts",
    "see `calejo status`; watch the stations and their local controllers until it runs",
)

_ACKNOWLEDGED = (AlarmState.ACKNOWLEDGED, AlarmState.LATCHED_ACKNOWLEDGED)
_SILENT = (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Occurrence:
    """One alarm of one thing. `slot` is its row in the image; `since` is UTC."""

    tag: Tag
    alarm: Alarm
    slot: int
    station: str | None
    pump: int | None
    since: float
    acknowledged: bool
    silent: bool

    @property
    def key(self) -> str:
        """Its identity: the same for every process that sees it."""
        where = [str(part) for part in (self.station, self.pump) if part is not None]
        return "/".join([repr(self.tag), *where, f"{self.since:.3f}"])


@dataclass(frozen=True)
class States:
    """What operators and the design have said of an alarm, for each row of its table."""

    acknowledged: Flags
    silent: Flags  # shelved, suppressed by design, out of service


def states(columns: Columns, table: type[Table], tag: Tag) -> States:
    """What has been said of an alarm, as its state tells it."""
    state = columns[table.tag(tag.state)]
    return States(np.isin(state, _ACKNOWLEDGED), np.isin(state, _SILENT))


def standing(view: View) -> Iterator[Occurrence]:
    """All alarms that are active in the newest image."""
    columns = view.columns
    stations = {station.slot: station.station_id for station in view.equipment.stations}
    pumps = {pump.slot: (pump.station_id, pump.pump_id) for pump in view.equipment.pumps}
    for table, tag, since in DECLARED:
        began = columns[since].astype(np.float64)
        slots = np.flatnonzero(began)
        if not len(slots):
            continue
        said = states(columns, table, tag)
        for slot in slots.tolist():
            station, pump = None, None
            if table.__name__ == "Station":
                station = stations.get(slot, f"slot {slot}")
            elif table.__name__ == "Pump":
                station, pump = pumps.get(slot, (f"slot {slot}", slot))
            assert tag.alarm is not None
            yield Occurrence(
                tag,
                tag.alarm,
                slot,
                station,
                pump,
                float(began[slot]),
                bool(said.acknowledged[slot]),
                bool(said.silent[slot]),
            )


def standstill(view: View) -> Occurrence | None:
    """The one alarm that the scan can't raise itself: that it stands still."""
    if not view.sequence or not view.stale or view.age < PATIENCE:
        return None
    last = view.columns.value(System.TimeUtc)
    return Occurrence(System.Live, STANDSTILL, 0, None, None, last, False, False)
