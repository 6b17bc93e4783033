"""What a scan must calculate, written a second time: plain numbers, one pump after the other.

This follows the manuals of the blocks, not their code. A row has an attribute for each tag of its
table, as the image has a column for it. The parts are in the files beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace as Row

from runtime.layout import REQUESTS, Columns, is_input
from runtime.tag import Table, Tag
from runtime.tags import (
    ALARM_OF_STATE,
    SHOWN,
    STARTS_KEPT,
    TAGS,
    Pump,
    Request,
    Start,
    Station,
    System,
)
from tests.blocks.oracle_alarms import Alarms, grant
from tests.blocks.oracle_control import control_level, control_power
from tests.blocks.oracle_curves import adapt
from tests.blocks.oracle_duty import watch_over
from tests.blocks.oracle_feedback import estimate_inflow, measure_level, validate
from tests.blocks.oracle_guards import guard_level, observe
from tests.blocks.oracle_limits import limit
from tests.blocks.oracle_numbers import BAD
from tests.blocks.oracle_plan import decide, ramp_direct, select_plan, take_over, watch
from tests.blocks.oracle_staging import stage
from tests.blocks.oracle_supervision import supervise

ADMITTED = 1  # Request.Result
LATCHED = [tag for table in SHOWN for tag in table.tags() if is_input(tag)]
LATCHED += [System.Now, System.Elapsed, System.ControlTime, System.TimeUtc]
DEFAULTS: dict[str, object] = {
    "max_age": 30.0,
    "speed_rate": 50.0,
    "power_rate": 1e9,
    "flow_rate": 1e9,
    "level_rate": 0.1,
    "stuck": 3600.0,
    "power_stuck": 0.0,
    "flow_stuck": 0.0,
    "difference": 0.2,
    "smoothing": 60.0,
    "bridge": 0.0,
    "scada_timeout": 30.0,
    "without_scada": "none",
    "learning_time": 1800.0,
    "alternate": "run_hours",
    "up_delay": 60.0,
    "down_delay": 60.0,
    "tolerance": 2.0,
    "delay": 15.0,
    "start_delay": 30.0,
    "retry": 1800.0,
    "no_flow": 0.05,
    "power_tolerance": 0.3,
    "flow_delay": 60.0,
}


@dataclass(frozen=True)
class Order:
    """A request that the scan has admitted."""

    tag: Tag
    slot: int
    value: float
    identity: int
    reference: int


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
    if not places:
        return []
    tags, slots, values, identities, references, results = (
        columns[tag].tolist()
        for tag in (
            *(Request.Tag, Request.Slot, Request.Value),
            *(Request.Id, Request.Reference, Request.Result),
        )
    )
    return [
        Order(TAGS[tags[place]], slots[place], values[place], identities[place], references[place])
        for place in places
        if results[place] == ADMITTED
    ]


class Oracle:
    """The state of a scan, and the next one. `latch` takes the inputs, `scan` does the rest."""

    def __init__(self, columns: Columns, settings: dict[str, dict[str, object]]) -> None:
        given = {name: value for block in settings.values() for name, value in block.items()}
        self.settings = Row(**(DEFAULTS | given))
        (self.system,) = rows(columns, System)
        self.stations = rows(columns, Station)
        self.pumps = rows(columns, Pump)
        self.starts = rows(columns, Start)
        self.alarms = Alarms()
        self.tables = {
            "System": [self.system],
            "Station": self.stations,
            "Pump": self.pumps,
            "Start": self.starts,
        }

    def latch(self, columns: Columns, also: tuple[Tag, ...] = ()) -> None:
        """Take what the blocks don't write: inputs, parameters, time, and the tags `also`."""
        for tag in (*LATCHED, *also):
            for row, value in zip(self.tables[tag.table], columns[tag].tolist(), strict=True):
                setattr(row, tag.name, value)

    def forget(self) -> None:
        """Keep only what outlives a restart of the machine."""
        self.alarms = Alarms()
        for tag in TAGS:
            if tag.table in self.tables and not tag.retained and not is_input(tag):
                for row in self.tables[tag.table]:
                    setattr(row, tag.name, type(getattr(row, tag.name))(0))

    def scan(self, orders: list[Order]) -> None:
        self.observe_plant(orders)
        for order in orders:
            self.latch_stop(order)
        for slot, pump in enumerate(self.pumps):
            station = self.stations[pump.Station]
            pump.Stopped = pump.EmergencyStop or station.EmergencyStop or self.system.EmergencyStop
            first = slot * STARTS_KEPT
            observe(pump, self.starts[first : first + STARTS_KEPT], self.system)
            guard_level(pump, station)
        self.calculate()
        for order in orders:
            if order.tag.table == "Pump":
                take_over(self.pumps[order.slot], order.tag.name, order.value)
        for pump in self.pumps:
            decide(pump, self.stations[pump.Station].Failsafe)
        for slot, station in enumerate(self.stations):
            watch_over(station, self.of_station(slot))
        for pump in self.pumps:
            limit(pump, self.stations[pump.Station], self.system.Elapsed)
            supervise(pump, self.system.Elapsed, self.settings)
        for order in orders:
            if order.tag in ALARM_OF_STATE:
                alarm, row = ALARM_OF_STATE[order.tag], self.tables[order.tag.table][order.slot]
                wish, now = int(order.value), self.system.ControlTime
                grant(alarm, row, wish, order.reference, now)
        self.alarms.evaluate(self.system, self.stations, self.pumps)

    def observe_plant(self, orders: list[Order]) -> None:
        elapsed, settings = self.system.Elapsed, self.settings
        for pump in self.pumps:
            validate(pump, self.system, settings)
        for slot, station in enumerate(self.stations):
            pumps = [pump for _, pump in self.of_station(slot)]
            measure_level(station, pumps, elapsed, settings.difference)
            estimate_inflow(station, pumps, elapsed, settings.smoothing)
        for pump in self.pumps:
            level_bad = self.stations[pump.Station].LevelQuality == BAD
            pump.FeedbackLost = pump.Configured and (pump.RunningQuality == BAD or level_bad)
            select_plan(pump, self.system.Now, settings.bridge)
        heartbeats = [order.value for order in orders if order.tag is System.Heartbeat]
        watch(self.system, self.stations, heartbeats, settings)

    def calculate(self) -> None:
        """What each calculator asks for."""
        elapsed, settings = self.system.Elapsed, self.settings
        for pump in self.pumps:
            adapt(pump, elapsed, settings.learning_time)
            ramp_direct(pump, elapsed)
        for slot, station in enumerate(self.stations):
            stage(station, self.of_station(slot), elapsed, settings)
            control_level(station, self.of_station(slot), elapsed)
        for pump in self.pumps:
            control_power(pump, elapsed)

    def of_station(self, slot: int) -> list[tuple[int, Row]]:
        """The pumps of a station, with their slots."""
        return [(number, pump) for number, pump in enumerate(self.pumps) if pump.Station == slot]

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
