"""A scan by hand: one arena, a manual clock, and inputs set as a test likes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from runtime.clock import ManualClock
from runtime.layout import Capacity, Columns, Layout
from runtime.program import KINDS, Program
from runtime.requests import Ask, Result, Role, new_id, together
from runtime.scan import Scan
from runtime.tag import Tag
from runtime.tags import NUMBER, Pump, Request, Station, System

STATION: dict[Tag, float] = {
    Station.Configured: True,
    Station.WatchdogTimeout: 1200.0,
    Station.WithoutLevel: 1,
    Station.LevelHold: 60.0,
    Station.WellArea: 12.0,
}
PUMP: dict[Tag, float] = {
    Pump.Configured: True,
    Pump.MinSpeed: 25.0,
    Pump.MaxSpeed: 50.0,
    Pump.DefaultSetpoint: 35.0,
    Pump.HardMinSpeed: 20.0,
    Pump.HardMaxSpeed: 51.0,
    Pump.HardMinLevel: 0.5,
    Pump.HardMaxLevel: 3.0,
    Pump.EmergencyStopLevel: 0.3,
    Pump.DryRunLevel: 0.4,
    Pump.RestartLevel: 0.9,
    Pump.StopLevel: 0.5,
    Pump.StartLevel: 2.5,
    Pump.AllRunLevel: 3.0,
    Pump.HardMaxPower: 40.0,
    Pump.HardMaxFlow: 400.0,
    Pump.MaxSpeedChange: 2.0,
    Pump.MaxStartsPerHour: 20.0,
    Pump.MaxRun: 1e9,
    Pump.DirectRamp: 100.0,
    Pump.LevelGain: 20.0,
    Pump.LevelResetTime: 300.0,
    Pump.LevelFilterTime: 5.0,
    Pump.LevelTrackingTime: 60.0,
    Pump.LevelStartBand: 0.2,
    Pump.LevelStopBand: 0.2,
    Pump.PowerGain: 0.2,
    Pump.PowerResetTime: 30.0,
    Pump.MeasuredSpeed: 0.0,
    Pump.MeasuredPower: 0.0,
    Pump.MeasuredFlow: 0.0,
    Pump.MeasuredLevel: 1.5,
}


def obey(plc: Plc) -> None:
    """Drives that do at once what they were told by the last scan; for `before_scan`."""
    plc[Pump.MeasuredSpeed][:] = plc[Pump.Setpoint]
    plc[Pump.MeasuredRunning][:] = plc[Pump.Setpoint] > 0.0


class Plc:
    """Two stations of two pumps each, all configured alike, with fresh feedback in every scan.

    Pumps 0 and 1 belong to station 0, pumps 2 and 3 to station 1, unless `station_of` says
    otherwise. `before_scan` is called with the columns as the scan latches its inputs: what the
    plant and the database would have written.
    """

    def __init__(
        self,
        period: float = 0.1,
        station_of: Sequence[int] = (0, 0, 1, 1),
        **settings: dict[str, object],
    ) -> None:
        capacity = Capacity(stations=max(station_of) + 1, pumps=len(station_of))
        self.columns = Columns(Layout(capacity))
        self.clock = ManualClock(period)
        self.fresh = True
        self.before_scan: Callable[[Plc], None] | None = None
        self.published: list[dict[Tag, Any]] = []
        self._asks: list[Ask] = []
        self._emitted = 0
        for tag, value in (STATION | PUMP).items():
            self.columns[tag][:] = value
        self.columns[Pump.Station][:] = station_of
        self.columns[Station.PlanTime][:] = self.clock.now()
        self.columns[System.DatabaseTime][:] = self.clock.now()
        program = Program(tuple(KINDS), settings, self.columns)
        self.scan = Scan(self.columns, program, self.clock, period, self)
        self.scan._hang = math.inf  # a busy machine is no fault of the blocks

    def latch(self, columns: Columns) -> None:
        now = self.clock.now()
        columns[System.DatabaseTime][0] = now
        if self.fresh:
            columns[Pump.MeasuredTime][:] = now
        if self.before_scan:
            self.before_scan(self)

    def requests(self) -> Iterable[Ask]:
        asks, self._asks = self._asks, []
        return asks

    def publish(self, columns: Columns) -> None:
        self.last_setpoints = columns[Pump.Setpoint].copy()

    def emit(self, columns: Columns) -> None:
        self._emitted += 1

    def __getitem__(self, tag: Tag) -> Any:
        return self.columns[tag]

    def plan(self, slot: int, seconds: float = 1e6, **targets: float) -> None:
        """A plan interval from now on: speed, level, power or flow."""
        now = self.clock.now()
        self[Pump.PlanStart][slot] = now
        self[Pump.PlanEnd][slot] = now + seconds
        for tag in (Pump.PlanSpeed, Pump.PlanLevel, Pump.PlanPower, Pump.PlanFlow):
            self[tag][slot] = float("nan")
        for kind, value in targets.items():
            self[Pump.tag(f"Plan{kind.title()}")][slot] = value
        self.renew()

    def renew(self) -> None:
        """The optimiser has just written."""
        self[Station.PlanTime][:] = self.clock.now()

    def ask(
        self,
        tag: Tag,
        slot: int,
        value: float,
        reference: int = 0,
        role: Role = Role.OPERATOR,
        deadline: float = float("inf"),
    ) -> int:
        """Put a request for the next scan; its id."""
        identity = new_id()
        number = NUMBER[tag]
        self.put(Ask(identity, number, slot, value, reference, role, deadline=deadline))
        return identity

    def ask_together(self, *changes: tuple[Tag, int, float]) -> list[int]:
        """Put requests for the next scan that belong together; their ids."""
        asks = [Ask(new_id(), NUMBER[tag], slot, value) for tag, slot, value in changes]
        for ask in together(asks):
            self.put(ask)
        return [ask.id for ask in asks]

    def put(self, ask: Ask) -> None:
        self._asks.append(ask)

    def result(self, identity: int) -> Result:
        (rows,) = (self[Request.Id] == identity).nonzero()
        return Result(int(self[Request.Result][rows[0]]))

    def step(self, count: int = 1) -> None:
        self.scan.step(count)

    def run_for(self, seconds: float) -> None:
        self.scan.run_for(seconds)

    def settle(self) -> None:
        """Run until all ramps have ended."""
        self.run_for(20.0)
