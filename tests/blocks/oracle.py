"""What a scan must calculate, written a second time: plain numbers, one pump after the other.

This follows the manuals of the blocks, not their code. A row has an attribute for each tag of its
table, as the image has a column for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace as Row

from runtime.layout import REQUESTS, Columns, is_input
from runtime.tag import Table, Tag
from runtime.tags import FOREVER, SHOWN, TAGS, Pump, Request, Station, System
from tests.blocks.oracle_speed import BAD, GOOD, clamp, control_level, control_power, limit

KINDS = ("Speed", "Level", "Power")  # what a plan commands, by ControlType
ADMITTED = 1  # Request.Result
DEFAULT, PLAN, MANUAL, FAILSAFE, EMERGENCY_STOP = range(5)
LATCHED = [tag for table in SHOWN for tag in table.tags() if is_input(tag)]
LATCHED += [System.Now, System.Elapsed, System.TimeUtc]
ALARMS = {
    table: [tag for tag in table.tags() if tag.alarm and tag is not System.Fault] for table in SHOWN
}


@dataclass(frozen=True)
class Order:
    """A request that the scan has admitted."""

    tag: Tag
    slot: int
    value: float
    identity: int


def rows(columns: Columns, table: type[Table]) -> list[Row]:
    """All values of a table, row by row."""
    values = {tag.name: columns[tag].tolist() for tag in table.tags()}
    return [
        Row(**{name: column[slot] for name, column in values.items()})
        for slot in range(columns.rows(table))
    ]


def admitted(columns: Columns) -> list[Order]:
    """The requests of this scan that were admitted, in the order of their arrival."""
    total = int(columns[System.Requests].item())
    first = total - int(columns[System.RequestsTaken].item())
    places = [number % REQUESTS for number in range(first, total)]
    tags, slots, values, identities, results = (
        columns[tag].tolist()
        for tag in (Request.Tag, Request.Slot, Request.Value, Request.Id, Request.Result)
    )
    return [
        Order(TAGS[tags[place]], slots[place], values[place], identities[place])
        for place in places
        if results[place] == ADMITTED
    ]


def age(now: float, time: float) -> float:
    since = now - time
    return FOREVER if math.isnan(since) else clamp(since, 0.0, FOREVER)


class Oracle:
    """The state of a scan, and the next one. `latch` takes the inputs, `scan` does the rest."""

    def __init__(self, columns: Columns, max_age: float, tolerance: float, delay: float) -> None:
        self.max_age, self.tolerance, self.delay = max_age, tolerance, delay
        (self.system,) = rows(columns, System)
        self.stations = rows(columns, Station)
        self.pumps = rows(columns, Pump)
        self.tables = {"System": [self.system], "Station": self.stations, "Pump": self.pumps}

    def latch(self, columns: Columns, also: tuple[Tag, ...] = ()) -> None:
        """Take what the blocks don't write: inputs, parameters, time, and the tags `also`."""
        for tag in (*LATCHED, *also):
            for row, value in zip(self.tables[tag.table], columns[tag].tolist(), strict=True):
                setattr(row, tag.name, value)

    def scan(self, orders: list[Order]) -> None:
        for pump in self.pumps:
            self.validate(pump)
        for slot, station in enumerate(self.stations):
            self.measure_level(station, [p for p in self.pumps if p.Station == slot])
        for pump in self.pumps:
            known = pump.RunningQuality == GOOD == self.stations[pump.Station].LevelQuality
            pump.FeedbackLost = pump.Configured and not known
            self.select_plan(pump)
        self.watch()
        for order in orders:
            self.latch_stop(order)
        for pump in self.pumps:
            station = self.stations[pump.Station]
            pump.Stopped = pump.EmergencyStop or station.EmergencyStop or self.system.EmergencyStop
            pump.DirectDemand = pump.TargetSpeed
            control_level(pump, station, self.system.Elapsed)
            control_power(pump, self.system.Elapsed)
        for order in orders:
            self.take_over(order)
        for pump in self.pumps:
            station = self.stations[pump.Station]
            self.decide(pump, station)
            limit(pump, station, self.system.Elapsed)
            self.supervise(pump)
        self.raise_alarms()

    def validate(self, pump: Row) -> None:
        since = self.system.Now - pump.MeasuredTime
        fresh = pump.Configured and pump.MeasuredTime != 0.0 and -1.0 <= since <= self.max_age
        pump.FeedbackAge = age(self.system.Now, pump.MeasuredTime)
        for tag in (Pump.Speed, Pump.Power, Pump.Flow, Pump.Level):
            measured = getattr(pump, f"Measured{tag.name}")
            good = fresh and tag.low <= measured <= tag.high
            setattr(pump, f"{tag.name}Quality", GOOD if good else BAD)
            if good:
                setattr(pump, tag.name, measured)
        pump.RunningQuality = GOOD if fresh else BAD
        if fresh:
            pump.Running = pump.MeasuredRunning
            pump.LocalControl = pump.MeasuredLocal

    def measure_level(self, station: Row, pumps: list[Row]) -> None:
        levels = [pump.Level for pump in pumps if pump.LevelQuality == GOOD]
        station.LevelQuality = GOOD if levels else BAD
        if levels:
            total = 0.0
            for level in levels:  # not sum(): later Pythons round that otherwise
                total += level
            station.Level = total / len(levels)

    def select_plan(self, pump: Row) -> None:
        now = self.system.Now
        interval = ""
        if pump.PlanStart <= now < pump.PlanEnd:
            interval = "Plan"
        elif pump.NextStart <= now < pump.NextEnd:
            interval = "Next"
        asked = set()
        for tag in (Pump.TargetSpeed, Pump.TargetLevel, Pump.TargetPower, Pump.TargetFlow):
            kind = tag.name.removeprefix("Target")
            target = getattr(pump, interval + kind) if interval else math.nan
            if math.isfinite(target):
                asked.add(kind)
                setattr(pump, tag.name, clamp(target, tag.low, tag.high))
            else:
                setattr(pump, tag.name, 0.0)
        pump.PlanActive = pump.Configured and KINDS[pump.ControlType] in asked

    def watch(self) -> None:
        now = self.system.Now
        heard = self.system.DatabaseTime
        self.system.DatabaseAge = age(now, heard) if heard else FOREVER
        self.system.DatabaseLost = self.system.DatabaseAge > 3.0
        for station in self.stations:
            station.PlanAge = age(now, station.PlanTime) if station.PlanTime else FOREVER
            in_time = station.PlanAge < station.WatchdogTimeout
            station.Failsafe = station.Configured and not in_time

    def latch_stop(self, order: Order) -> None:
        if order.tag.name != "EmergencyStop":
            return
        row = self.tables[order.tag.table][order.slot]
        if order.value == 0.0:
            row.EmergencyStop = False
            row.EmergencyStopId = 0
        elif not row.EmergencyStop:
            row.EmergencyStop = True
            row.EmergencyStopId = order.identity

    def take_over(self, order: Order) -> None:
        if order.tag is Pump.ManualSetpoint:
            self.pumps[order.slot].ManualSetpoint = order.value
        elif order.tag is Pump.Mode:
            pump = self.pumps[order.slot]
            if order.value == 1.0 and pump.Mode == 0:
                pump.ManualSetpoint = pump.Setpoint
            pump.Mode = int(order.value)

    def decide(self, pump: Row, station: Row) -> None:
        if pump.Stopped:
            pump.Authority = EMERGENCY_STOP
            pump.Demand = 0.0 if pump.EmergencyAction == 1 else pump.DefaultSetpoint
        elif station.Failsafe:
            pump.Authority, pump.Demand = FAILSAFE, pump.DefaultSetpoint
        elif pump.Mode == 1:
            pump.Authority, pump.Demand = MANUAL, pump.ManualSetpoint
        elif pump.PlanActive:
            calculated = (pump.DirectDemand, pump.LevelDemand, pump.PowerDemand)
            pump.Authority, pump.Demand = PLAN, calculated[pump.ControlType]
        else:
            pump.Authority, pump.Demand = DEFAULT, pump.DefaultSetpoint

    def supervise(self, pump: Row) -> None:
        deviates = (
            pump.Configured
            and not pump.LocalControl
            and pump.SpeedQuality == GOOD
            and abs(pump.Setpoint - pump.Speed) > self.tolerance
        )
        pump.DeviationTime = pump.DeviationTime + self.system.Elapsed if deviates else 0.0
        pump.NotFollowing = pump.DeviationTime > self.delay

    def raise_alarms(self) -> None:
        self.system.ActiveAlarms = self.count_alarms(System, self.system)
        for slot, station in enumerate(self.stations):
            station.ActiveAlarms = self.count_alarms(Station, station) + sum(
                self.count_alarms(Pump, pump) for pump in self.pumps if pump.Station == slot
            )
            self.system.ActiveAlarms += station.ActiveAlarms

    def count_alarms(self, table: type[Table], row: Row) -> int:
        """The active alarms of one row, after noting since when each is active."""
        active = 0
        for tag in ALARMS[table]:
            alarm = getattr(row, tag.name) and (table is System or row.Configured)
            active += alarm
            since = getattr(row, tag.since) or self.system.TimeUtc
            setattr(row, tag.since, since if alarm else 0.0)
        return active
