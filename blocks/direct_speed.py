"""Direct speed: the demand of pumps whose plan commands a speed."""

from __future__ import annotations

from blocks.arithmetic import clamp, larger, smaller
from blocks.block import Block, Pins
from runtime.compiled import compiled
from runtime.tags import Pump, System

DIRECT_SPEED = Pump.ControlType.number("DIRECT_SPEED")
BY_PLAN = Pump.Authority.number("Plan")


@compiled
def _ramp(system: Pins, pump: Pins) -> None:
    elapsed = system.Elapsed[0]
    for p in range(len(pump.TargetSpeed)):
        target = pump.TargetSpeed[p]
        in_force = (
            pump.ControlType[p] == DIRECT_SPEED
            and pump.PlanActive[p]
            and pump.Authority[p] == BY_PLAN
            and pump.DirectDemand[p] > 0.0
        )
        before = pump.DirectDemand[p] if in_force else pump.Setpoint[p]
        start = larger(before, smaller(pump.LowLimit[p], target))
        step = pump.DirectRamp[p] * elapsed
        pump.DirectDemand[p] = clamp(target, start - step, start + step) if target > 0.0 else 0.0


class DirectSpeed(Block):
    """A ramp to the speed that the plan asks for.

        start  = max(before, min(LowLimit, TargetSpeed))
        demand ← TargetSpeed, at most DirectRamp · Elapsed away from start; 0 if TargetSpeed <= 0

    `before` is the demand of the previous scan. Where that was not in force, was a stop, or the
    pump is not speed-controlled, it is the setpoint in force: after manual mode, a gap between
    plans, failsafe or a change of control type the ramp begins where the pump is. A start begins at
    LowLimit (of the previous scan), below which no pump runs. A stop is not ramped here: `limits`
    runs the pump down. The ramp is of what the plan asks; all limits act on it afterwards.
    """

    reads = (
        System.Elapsed,
        Pump.ControlType,
        Pump.PlanActive,
        Pump.TargetSpeed,
        Pump.DirectRamp,
    )
    previous = (Pump.Setpoint, Pump.Authority, Pump.LowLimit)
    writes = (Pump.DirectDemand,)
    law = staticmethod(_ramp)
