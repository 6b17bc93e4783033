"""Direct speed: the demand of pumps whose plan commands a speed."""

from __future__ import annotations

from blocks.arithmetic import clamp, larger, smaller
from blocks.block import Block, Pins
from blocks.speeds import highest_speed, lowest_speed
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
        high = highest_speed(pump.MaxSpeed[p], pump.HardMaxSpeed[p])
        low = lowest_speed(pump.MinSpeed[p], pump.HardMinSpeed[p], high)
        start = larger(before, smaller(low, target))
        step = pump.DirectRamp[p] * elapsed
        pump.DirectDemand[p] = clamp(target, start - step, start + step) if target > 0.0 else 0.0


class DirectSpeed(Block):
    """A ramp to the speed that the plan asks for.

        low    = max(MinSpeed, HardMinSpeed), at most the highest speed in force
        start  = max(before, min(low, TargetSpeed))
        demand ← TargetSpeed, at most DirectRamp · Elapsed away from start; 0 if TargetSpeed <= 0

    `before` is the demand of the previous scan. Where that was not in force, was a stop, or the
    pump is not speed-controlled, it is the setpoint in force: after manual mode, a gap between
    plans, failsafe or a change of control type the ramp begins where the pump is. A start begins at
    the lowest speed, below which no pump runs, and where that has just been raised the ramp goes on
    from it: a speed on the way is no violation of the limits, only a target can be. `low` is of
    this scan, as LowLimit, which `limits` writes later, is 0 in the first. A stop is not ramped
    here: `limits` runs the pump down to LowLimit, and from there to 0 in one step. The ramp is of
    what the plan asks; all limits act on it afterwards.
    """

    reads = (
        System.Elapsed,
        Pump.ControlType,
        Pump.PlanActive,
        Pump.TargetSpeed,
        Pump.DirectRamp,
        Pump.MinSpeed,
        Pump.MaxSpeed,
        Pump.HardMinSpeed,
        Pump.HardMaxSpeed,
    )
    previous = (Pump.Setpoint, Pump.Authority)
    writes = (Pump.DirectDemand,)
    law = staticmethod(_ramp)
