"""Power control: the demand of pumps whose plan commands a power."""

from __future__ import annotations

import numpy as np

from blocks.block import Block, scratch
from runtime.layout import Columns
from runtime.tag import Quality
from runtime.tags import Pump, System

POWER_CONTROLLED = Pump.ControlType.number("POWER_CONTROLLED")
BY_PLAN = Pump.Authority.number("Plan")


class PowerControl(Block):
    """PI on the measured power. The cube law is wrong with static head, so the loop is closed.

        P = (TargetPower − Power) · K
        u = P + I,  v = min(max(u, LowLimit), HighLimit)
        I ← I + P · Δt / max(Ti, Δt), but I stays where (u − v) · P > 0

    each calculated from left to right, LowLimit and HighLimit being those of the previous scan. The
    integral does not wind up: it stays while the output is at a limit and P pushes it further. The
    demand is v while TargetPower is above 0, else 0.

    The controller is engaged while the pump is power-controlled, its setpoint is not below LowLimit
    and was the plan's in the previous scan, the plan is active and the power is Good. While it is
    not engaged it tracks: in place of v it takes s = max(Setpoint, MinSpeed), and I is s − P. So a
    stopped pump starts at its lowest speed, and a bad power raises no further.
    """

    reads = (
        System.Elapsed,
        Pump.ControlType,
        Pump.PlanActive,
        Pump.TargetPower,
        Pump.Power,
        Pump.PowerQuality,
        Pump.MinSpeed,
        Pump.PowerGain,
        Pump.PowerResetTime,
    )
    previous = (Pump.Setpoint, Pump.Authority, Pump.LowLimit, Pump.HighLimit)
    writes = (Pump.PowerDemand, Pump.PowerIntegral, Pump.PowerEngaged)

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.elapsed = self.real(System.Elapsed)
        self.control_type = self.number(Pump.ControlType)
        self.plan_active = self.flag(Pump.PlanActive)
        self.target = self.real(Pump.TargetPower)
        self.power = self.real(Pump.Power)
        self.quality = self.number(Pump.PowerQuality)
        self.lowest = self.real(Pump.MinSpeed)
        self.low = self.real(Pump.LowLimit)
        self.high = self.real(Pump.HighLimit)
        self.gain = self.real(Pump.PowerGain)
        self.reset_time = self.real(Pump.PowerResetTime)
        self.setpoint = self.real(Pump.Setpoint)
        self.authority = self.number(Pump.Authority)
        self.demand = self.real(Pump.PowerDemand)
        self.integral = self.real(Pump.PowerIntegral)
        self.engaged = self.flag(Pump.PowerEngaged)
        self.proportional = scratch(self.demand)
        self.output = scratch(self.demand)
        self.step = scratch(self.demand)
        self.lag = scratch(self.demand)
        self.tracking = scratch(self.demand, "?")
        self.part = scratch(self.demand, "?")

    def execute(self) -> None:
        self._judge_engagement()
        np.subtract(self.target, self.power, out=self.proportional)
        np.multiply(self.proportional, self.gain, out=self.proportional)
        np.add(self.proportional, self.integral, out=self.output)
        np.maximum(self.output, self.low, out=self.demand)
        np.minimum(self.demand, self.high, out=self.demand)
        self._integrate()
        self._track()
        np.greater(self.target, 0.0, out=self.part)
        np.multiply(self.demand, self.part, out=self.demand)

    def _judge_engagement(self) -> None:
        np.equal(self.quality, Quality.GOOD, out=self.engaged)
        np.equal(self.control_type, POWER_CONTROLLED, out=self.part)
        np.logical_and(self.engaged, self.part, out=self.engaged)
        np.equal(self.authority, BY_PLAN, out=self.part)
        np.logical_and(self.engaged, self.part, out=self.engaged)
        np.greater_equal(self.setpoint, self.low, out=self.part)
        np.logical_and(self.engaged, self.part, out=self.engaged)
        np.logical_and(self.engaged, self.plan_active, out=self.engaged)
        np.logical_not(self.engaged, out=self.tracking)

    def _integrate(self) -> None:
        np.subtract(self.output, self.demand, out=self.step)
        np.multiply(self.step, self.proportional, out=self.step)
        np.less_equal(self.step, 0.0, out=self.part)
        np.multiply(self.proportional, self.elapsed, out=self.step)
        np.maximum(self.reset_time, self.elapsed, out=self.lag)
        np.divide(self.step, self.lag, out=self.step)
        np.multiply(self.step, self.part, out=self.step)
        np.add(self.integral, self.step, out=self.integral)

    def _track(self) -> None:
        np.maximum(self.setpoint, self.lowest, out=self.step)
        np.putmask(self.demand, self.tracking, self.step)
        np.subtract(self.step, self.proportional, out=self.step)
        np.putmask(self.integral, self.tracking, self.step)
