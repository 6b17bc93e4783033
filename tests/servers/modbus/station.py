"""A small plant for servers to show: the real scan, in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from runtime import equipment
from runtime.clock import GridClock
from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.program import KINDS, Program
from runtime.region import Writer
from runtime.requests import Ask, Mailbox
from runtime.retained import RetainedMark
from runtime.scan import Scan
from runtime.tag import Tag
from runtime.tags import Pump, Station, System
from tests.processes import until

CAPACITY = Capacity(stations=4, pumps=8)
STEP = 0.005  # s between scans
_PARAMETERS = {
    "MinSpeed": 20.0,
    "MaxSpeed": 50.0,
    "DefaultSetpoint": 35.0,
    "HardMinSpeed": 20.0,
    "HardMaxSpeed": 50.0,
    "HardMinLevel": 0.5,
    "HardMaxLevel": 3.0,
    "EmergencyStopLevel": 0.3,
    "DryRunLevel": 0.4,
    "RestartLevel": 0.9,
    "StopLevel": 0.5,
    "StartLevel": 2.0,
    "AllRunLevel": 3.0,
    "HardMaxPower": 40.0,
    "HardMaxFlow": 400.0,
    "MaxSpeedChange": 100.0,
    "MaxStartsPerHour": 20.0,
    "MaxRun": 1e9,
}
_STATION = {"WatchdogTimeout": 1200.0, "WithoutLevel": 1.0}

# Pump 12 is retired; base 300 of unit 1 was given to a pump that is no longer listed.
PLANT = Equipment(
    version=7,
    stations=(
        StationEntry(0, "North", "North well", "UTC", 1, 0, True, _STATION),
        StationEntry(1, "South", "South well", "UTC", 2, 0, True, _STATION),
    ),
    pumps=(
        PumpEntry(0, 11, "North", "First", 1, 100, True, _PARAMETERS),
        PumpEntry(1, 12, "North", "Retired", 1, 200, False, _PARAMETERS),
        PumpEntry(3, 13, "North", "Last", 1, 400, True, _PARAMETERS),
        PumpEntry(4, 21, "South", "Only", 2, 100, True, _PARAMETERS),
    ),
)


class Plant:
    """The scan of PLANT: it takes requests from the mailbox and publishes to the image.

    `period` is what the image says of itself, by which servers judge its age; the thread scans
    faster. What is set in the columns before `start` are the inputs.
    """

    def __init__(self, places: Places, period: float) -> None:
        self.columns = Columns(Layout(CAPACITY))
        equipment.fill(PLANT, self.columns)
        PLANT.save(places.equipment)
        for tag in (Pump.MeasuredSpeed, Pump.MeasuredPower, Pump.MeasuredFlow):
            self.columns[tag][:] = 1.0
        self.columns[Pump.MeasuredLevel][:] = 1.5
        self.asked: list[Ask] = []
        self._mailbox = Mailbox(places.requests)
        self._writer = Writer(places.image, self.columns.layout.size, self.columns.layout.hash)
        self._mark = RetainedMark(places.retained_mark)
        program = Program(tuple(KINDS), {"limits": {"without_level": "default"}}, self.columns)
        self._scan = Scan(self.columns, program, GridClock(period), period, self)
        self._running = threading.Event()
        self._ended = threading.Event()
        self._still = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def latch(self, columns: Columns) -> None:
        now = columns[System.Now][0]
        columns[System.DatabaseTime][0] = now
        columns[Station.PlanTime][:] = now
        columns[Pump.MeasuredTime][:] = now

    def requests(self) -> Iterable[Ask]:
        asks = list(self._mailbox.drain())
        self.asked += asks
        return asks

    def publish(self, columns: Columns) -> None:
        columns.seal()
        self._writer.publish(columns.arena)

    def emit(self, columns: Columns) -> None:
        """Latches are on disk at once, as if the recorder were infinitely fast."""
        self._mark.scan = int(columns[System.Scan][0])

    def start(self) -> None:
        """Begin to scan, and return when there is an image."""
        self._running.set()
        self._thread.start()
        until(lambda: self._writer.sequence)

    def hold(self) -> None:
        """Stand still, from the end of the present scan on."""
        self._still.clear()
        self._running.clear()
        assert self._still.wait(60)

    def go_on(self) -> None:
        """Scan on. What was changed by hand is published when this returns."""
        published = self[System.Scan].item() + 1
        self._running.set()
        until(lambda: self[System.Scan].item() > published)

    def end(self) -> None:
        self._ended.set()
        self._running.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._mailbox.close()

    def _work(self) -> None:
        while not self._ended.is_set():
            if not self._running.is_set():
                self._still.set()
                self._running.wait()
            self._scan.cycle()
            time.sleep(STEP)

    def __getitem__(self, tag: Tag) -> Any:
        return self.columns[tag]
