"""Alarms: since when each is active, and how many there are."""

from __future__ import annotations

from typing import TypeAlias

from blocks.arithmetic import row
from blocks.block import Block, Pins
from runtime.compiled import compiled
from runtime.layout import Columns
from runtime.tag import Table, Tag
from runtime.tags import Pump, Station, System

_Tags: TypeAlias = dict[type[Table], tuple[Tag, ...]]

# The scan itself raises Fault: when it does, no block runs any more.
_ALARMS: _Tags = {
    table: tuple(tag for tag in table.tags() if tag.alarm and tag is not System.Fault)
    for table in (System, Station, Pump)
}
_SINCE: _Tags = {
    table: tuple(table.tag(tag.since) for tag in tags) for table, tags in _ALARMS.items()
}


@compiled
def _began(since: float, active: bool, utc: float) -> float:
    """Since when an alarm has been active."""
    if not active:
        return 0.0
    return utc if since == 0.0 else since


@compiled
def _count(
    system: Pins,
    station: Pins,
    pump: Pins,
    alarms: tuple[tuple[Pins, ...], ...],
    times: tuple[tuple[Pins, ...], ...],
) -> None:
    utc = system.TimeUtc[0]
    of_system, of_stations, of_pumps = alarms
    system_since, station_since, pump_since = times
    system.ActiveAlarms[0] = 0
    station.ActiveAlarms[:] = 0
    for alarm in range(len(of_system)):
        raised, since = of_system[alarm], system_since[alarm]
        since[0] = _began(since[0], raised[0], utc)
        system.ActiveAlarms[0] += raised[0]
    for alarm in range(len(of_stations)):
        raised, since = of_stations[alarm], station_since[alarm]
        for s in range(len(raised)):
            active = raised[s] and station.Configured[s]
            since[s] = _began(since[s], active, utc)
            station.ActiveAlarms[s] += active
    for alarm in range(len(of_pumps)):
        raised, since = of_pumps[alarm], pump_since[alarm]
        for p in range(len(raised)):
            active = raised[p] and pump.Configured[p]
            since[p] = _began(since[p], active, utc)
            if active:
                station.ActiveAlarms[row(pump.Station[p], len(station.ActiveAlarms))] += 1
    for s in range(len(station.ActiveAlarms)):
        system.ActiveAlarms[0] += station.ActiveAlarms[s]


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
        *(tag for tags in _ALARMS.values() for tag in tags),
    )
    writes = (
        System.ActiveAlarms,
        Station.ActiveAlarms,
        *(tag for tags in _SINCE.values() for tag in tags),
    )
    law = staticmethod(_count)

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns, self._by_table(columns, _ALARMS), self._by_table(columns, _SINCE))

    def _by_table(self, columns: Columns, tags: _Tags) -> tuple[tuple[Pins, ...], ...]:
        return tuple(tuple(self._column(columns, tag) for tag in some) for some in tags.values())
