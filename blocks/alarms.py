"""Alarms: since when each is active, and how many there are."""

from __future__ import annotations

import numpy as np

from blocks.block import Block, Flag, Real, scratch
from runtime.layout import Columns
from runtime.tag import Tag
from runtime.tags import Pump, Station, System

# The scan itself raises Fault: when it does, no block runs any more.
_ALARMS: tuple[tuple[Tag, Tag], ...] = tuple(
    (tag, table.tag(tag.since))
    for table in (System, Station, Pump)
    for tag in table.tags()
    if tag.alarm and tag is not System.Fault
)


class Alarms(Block):
    """Every boolean tag that declares an alarm is one while it is true, in rows that are in use.

    Its companion, <name>Since, is the UTC of the scan in which it became active, 0 while it is not.
    ActiveAlarms counts those of a station with its pumps, and those of the whole system.
    """

    reads = (
        System.TimeUtc,
        Station.Configured,
        Pump.Configured,
        Pump.Station,
        *(tag for tag, _ in _ALARMS),
    )
    writes = (
        System.ActiveAlarms,
        Station.ActiveAlarms,
        *(since for _, since in _ALARMS),
    )

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.utc = self.real(System.TimeUtc)
        self.station = self.number(Pump.Station)
        self.system_count = self.number(System.ActiveAlarms)
        self.station_count = self.number(Station.ActiveAlarms)
        self.alarms: list[tuple[str, Flag, Real]] = [
            (tag.table, self.flag(tag), self.real(since)) for tag, since in _ALARMS
        ]
        self.in_use = {
            "System": np.ones(1, "?"),
            "Station": self.flag(Station.Configured),
            "Pump": self.flag(Pump.Configured),
        }
        self.active = {name: scratch(since, "?") for name, _, since in self.alarms}
        self.begins = {name: scratch(since, "?") for name, _, since in self.alarms}
        self.pump_count = scratch(self.station, "u4")

    def execute(self) -> None:
        self.system_count.fill(0)
        self.station_count.fill(0)
        self.pump_count.fill(0)
        counts = {
            "System": self.system_count,
            "Station": self.station_count,
            "Pump": self.pump_count,
        }
        for table, raised, since in self.alarms:
            begins, active = self.begins[table], self.active[table]
            np.logical_and(raised, self.in_use[table], out=active)
            np.equal(since, 0.0, out=begins)
            np.logical_and(begins, active, out=begins)
            np.copyto(since, self.utc, where=begins)
            np.multiply(since, active, out=since)
            np.add(counts[table], active, out=counts[table])
        np.add.at(self.station_count, self.station, self.pump_count)
        np.add(self.system_count, self.station_count.sum(dtype=np.uint32), out=self.system_count)
