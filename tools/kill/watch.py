"""Reads the image as fast as it changes, as servers do, and holds each snapshot to what is true.

Of each snapshot: ages are Now minus their times, a pump is stopped exactly when a stop is in force
over it, and all of it is of one scan. From one to the next: numbers rise by one, the gap is a
period, and what operators stopped is stopped until they clear it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np

from runtime.region import Reader, RegionError
from runtime.tags import FOREVER, Pump, Station, System
from tools.rig.operators import Stop, Told
from tools.rig.whole import Whole

PAUSE = 0.002  # s between looks


@dataclass(frozen=True)
class Gap:
    """Two snapshots that follow each other: numbers of their scans, times, and who published."""

    scan: int
    before: float  # when the earlier one was published, monotonic
    after: float
    lead_changed: bool
    missed: int  # scans between them that were published and not seen: the watcher was late


@dataclass
class Seen:
    """What the watcher saw."""

    snapshots: int = 0
    gaps: list[Gap] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    stops_lost: list[str] = field(default_factory=list)


class Watch(threading.Thread):
    """One reader; several may look at the same time."""

    def __init__(self, whole: Whole, told: Told) -> None:
        super().__init__(name="watch", daemon=True)
        self.seen = Seen()
        self._places = whole.places
        self._view = whole.view()
        self._told = told
        self._ending = threading.Event()

    def end(self) -> Seen:
        self._ending.set()
        self.join(5.0)
        return self.seen

    def run(self) -> None:
        layout = self._view.layout
        reader = Reader(self._places.image, layout.size, layout.hash, layout.parameters)
        columns = self._view.columns
        last: tuple[int, int, float, int] | None = None
        while not self._ending.wait(PAUSE):
            if last and reader.sequence == last[0]:
                continue
            # A stop that is to be in force now was told, and not asked to be cleared, before.
            standing = [s for s in list(self._told.stops.values()) if s.clearing is None]
            try:
                sequence = reader.read(columns.arena)
            except RegionError as error:
                self.seen.torn.append(str(error))
                continue
            # Of the snapshot itself: the header may be of a later one by now.
            now, scan = columns.value(System.Now), int(columns.value(System.Scan))
            epoch = int(columns.value(System.Epoch))
            self.seen.snapshots += 1
            self._check(scan)
            self._check_stops(scan, standing)
            if last is not None:
                missed = sequence - last[0] - 1
                if scan - last[1] != sequence - last[0]:
                    self.seen.torn.append(
                        f"scan {last[1]} then {scan}, snapshots {last[0]} then {sequence}"
                    )
                self.seen.gaps.append(Gap(scan, last[2], now, epoch != last[3], missed))
            last = sequence, scan, now, epoch

    def _check(self, scan: int) -> None:
        columns = self._view.columns
        now = columns.value(System.Now)
        ages = [(columns[System.DatabaseAge][0], columns[System.DatabaseTime][0])]
        ages += zip(columns[Station.PlanAge], columns[Station.PlanTime], strict=True)
        for age, moment in ages:
            expected = FOREVER if moment == 0.0 else max(0.0, min(FOREVER, now - float(moment)))
            if float(age) != expected:
                self.seen.torn.append(f"scan {scan}: age {age}, but {expected} of its time")
        used = columns[Pump.Configured].astype(bool)
        stations = columns[Station.EmergencyStop][columns[Pump.Station]]
        stop = columns[Pump.EmergencyStop] | stations | columns[System.EmergencyStop][0]
        if (used & (columns[Pump.Stopped].astype(bool) != stop.astype(bool))).any():
            self.seen.torn.append(f"scan {scan}: Stopped is not what stops say")

    def _check_stops(self, scan: int, standing: list[Stop]) -> None:
        columns = self._view.columns
        ids = {
            str(identity)
            for table in (System, Station, Pump)
            for identity in np.asarray(columns[table.EmergencyStopId]).tolist()
        }
        for stop in standing:
            if scan >= stop.scan and stop.id not in ids:
                self.seen.stops_lost.append(f"stop {stop.id} of scan {stop.scan} in scan {scan}")
                stop.clearing = time.monotonic()
