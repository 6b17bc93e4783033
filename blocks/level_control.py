"""Level control: the demand of pumps whose plan commands a level."""

from __future__ import annotations

import numpy as np

from blocks.block import Block, scratch
from runtime.layout import Columns
from runtime.tag import Quality
from runtime.tags import Pump, Station, System

LEVEL_CONTROLLED = Pump.ControlType.number("LEVEL_CONTROLLED")
BY_PLAN = Pump.Authority.number("Plan")
FILLING = Station.FlowDirection.number("filling")


class LevelControl(Block):
    """PI-D on the station's level, with derivative on the filtered measurement.

        e = (level − target) · d, d = 1 emptying, −1 filling: positive asks for pumping
        P = (e − min(max(e, −Deadband), Deadband)) · K
        r = (level − f) / (Tf + Δt),  f ← f + r · Δt,  D = r · d · Td · K
        u = P + I + D,  v = min(max(u, LowLimit), HighLimit)
        I ← I + P · Δt / max(Ti, Δt), but I stays where (u − v) · P > 0 or LevelRun was not set

    each calculated from left to right, LowLimit and HighLimit being those of the previous scan. So
    the integral does not wind up: it stays while the output is at a limit and P pushes it further,
    and while the pump stands.

    LevelRun starts the pump at e >= LevelStartBand and stops it at e <= −LevelStopBand, which wins
    where both hold; the demand is v while it is set, else 0.

    The controller is engaged while the pump is level-controlled, the plan is active and was in
    force in the previous scan, and the level is Good. While it is not engaged it tracks: the demand
    is the setpoint in force, f is the level, I is max(Setpoint, MinSpeed) − P, and LevelRun says
    whether the setpoint is above 0. So it takes over without a bump, and a bad level raises
    nothing.
    """

    reads = (
        System.Elapsed,
        Station.Level,
        Station.LevelQuality,
        Station.FlowDirection,
        Pump.Station,
        Pump.ControlType,
        Pump.PlanActive,
        Pump.TargetLevel,
        Pump.MinSpeed,
        Pump.LevelGain,
        Pump.LevelResetTime,
        Pump.LevelDerivativeTime,
        Pump.LevelFilterTime,
        Pump.LevelDeadband,
        Pump.LevelStartBand,
        Pump.LevelStopBand,
    )
    previous = (Pump.Setpoint, Pump.Authority, Pump.LowLimit, Pump.HighLimit)
    writes = (
        Pump.LevelDemand,
        Pump.LevelIntegral,
        Pump.LevelFiltered,
        Pump.LevelRun,
        Pump.LevelEngaged,
    )

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.elapsed = self.real(System.Elapsed)
        self.well = self.real(Station.Level)
        self.well_quality = self.number(Station.LevelQuality)
        self.well_direction = self.number(Station.FlowDirection)
        self.station = self.number(Pump.Station)
        self.control_type = self.number(Pump.ControlType)
        self.plan_active = self.flag(Pump.PlanActive)
        self.target = self.real(Pump.TargetLevel)
        self.lowest = self.real(Pump.MinSpeed)
        self.low = self.real(Pump.LowLimit)
        self.high = self.real(Pump.HighLimit)
        self.gain = self.real(Pump.LevelGain)
        self.reset_time = self.real(Pump.LevelResetTime)
        self.derivative_time = self.real(Pump.LevelDerivativeTime)
        self.filter_time = self.real(Pump.LevelFilterTime)
        self.deadband = self.real(Pump.LevelDeadband)
        self.start_band = self.real(Pump.LevelStartBand)
        self.stop_band = self.real(Pump.LevelStopBand)
        self.setpoint = self.real(Pump.Setpoint)
        self.authority = self.number(Pump.Authority)
        self.demand = self.real(Pump.LevelDemand)
        self.integral = self.real(Pump.LevelIntegral)
        self.filtered = self.real(Pump.LevelFiltered)
        self.run = self.flag(Pump.LevelRun)
        self.engaged = self.flag(Pump.LevelEngaged)
        self.level = scratch(self.demand)
        self.sign = scratch(self.demand)
        self.error = scratch(self.demand)
        self.proportional = scratch(self.demand)
        self.derivative = scratch(self.demand)
        self.lag = scratch(self.demand)
        self.output = scratch(self.demand)
        self.bounded = scratch(self.demand)
        self.step = scratch(self.demand)
        self.quality = np.zeros(len(self.demand), "u1")
        self.tracking = scratch(self.demand, "?")
        self.part = scratch(self.demand, "?")

    def execute(self) -> None:
        np.take(self.well, self.station, out=self.level, mode="clip")
        self._judge_engagement()
        self._measure_error()
        self._derive()
        self._integrate()
        self._start_and_stop()
        self._track()

    def _judge_engagement(self) -> None:
        np.take(self.well_quality, self.station, out=self.quality, mode="clip")
        np.equal(self.quality, Quality.GOOD, out=self.engaged)
        np.equal(self.control_type, LEVEL_CONTROLLED, out=self.part)
        np.logical_and(self.engaged, self.part, out=self.engaged)
        np.equal(self.authority, BY_PLAN, out=self.part)
        np.logical_and(self.engaged, self.part, out=self.engaged)
        np.logical_and(self.engaged, self.plan_active, out=self.engaged)
        np.logical_not(self.engaged, out=self.tracking)

    def _measure_error(self) -> None:
        np.take(self.well_direction, self.station, out=self.quality, mode="clip")
        np.equal(self.quality, FILLING, out=self.part)
        np.multiply(self.part, -2.0, out=self.sign)
        np.add(self.sign, 1.0, out=self.sign)
        np.subtract(self.level, self.target, out=self.error)
        np.multiply(self.error, self.sign, out=self.error)
        np.negative(self.deadband, out=self.step)
        np.maximum(self.error, self.step, out=self.step)
        np.minimum(self.step, self.deadband, out=self.step)
        np.subtract(self.error, self.step, out=self.proportional)
        np.multiply(self.proportional, self.gain, out=self.proportional)

    def _derive(self) -> None:
        np.putmask(self.filtered, self.tracking, self.level)
        np.add(self.filter_time, self.elapsed, out=self.lag)
        np.subtract(self.level, self.filtered, out=self.derivative)
        np.divide(self.derivative, self.lag, out=self.derivative)
        np.multiply(self.derivative, self.elapsed, out=self.step)
        np.add(self.filtered, self.step, out=self.filtered)
        np.multiply(self.derivative, self.sign, out=self.derivative)
        np.multiply(self.derivative, self.derivative_time, out=self.derivative)
        np.multiply(self.derivative, self.gain, out=self.derivative)

    def _integrate(self) -> None:
        np.add(self.proportional, self.integral, out=self.output)
        np.add(self.output, self.derivative, out=self.output)
        np.maximum(self.output, self.low, out=self.bounded)
        np.minimum(self.bounded, self.high, out=self.bounded)
        np.subtract(self.output, self.bounded, out=self.step)
        np.multiply(self.step, self.proportional, out=self.step)
        np.less_equal(self.step, 0.0, out=self.part)
        np.logical_and(self.part, self.run, out=self.part)
        np.multiply(self.proportional, self.elapsed, out=self.step)
        np.maximum(self.reset_time, self.elapsed, out=self.lag)
        np.divide(self.step, self.lag, out=self.step)
        np.multiply(self.step, self.part, out=self.step)
        np.add(self.integral, self.step, out=self.integral)

    def _start_and_stop(self) -> None:
        np.greater_equal(self.error, self.start_band, out=self.part)
        np.logical_or(self.run, self.part, out=self.run)
        np.negative(self.stop_band, out=self.step)
        np.greater(self.error, self.step, out=self.part)
        np.logical_and(self.run, self.part, out=self.run)
        np.multiply(self.bounded, self.run, out=self.demand)

    def _track(self) -> None:
        np.putmask(self.demand, self.tracking, self.setpoint)
        np.greater(self.setpoint, 0.0, out=self.part)
        np.putmask(self.run, self.tracking, self.part)
        np.maximum(self.setpoint, self.lowest, out=self.step)
        np.subtract(self.step, self.proportional, out=self.step)
        np.putmask(self.integral, self.tracking, self.step)
