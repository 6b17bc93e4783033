"""Plan: selects what the optimiser asks for in this scan."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp
from blocks.block import Block, Pins
from runtime.compiled import compiled
from runtime.layout import Columns
from runtime.tags import Pump, System

_DIRECT, _LEVEL, _POWER = (
    Pump.ControlType.number(word)
    for word in ("DIRECT_SPEED", "LEVEL_CONTROLLED", "POWER_CONTROLLED")
)
_SPEEDS = (Pump.TargetSpeed.low, Pump.TargetSpeed.high)
_LEVELS = (Pump.TargetLevel.low, Pump.TargetLevel.high)
_POWERS = (Pump.TargetPower.low, Pump.TargetPower.high)
_FLOWS = (Pump.TargetFlow.low, Pump.TargetFlow.high)
_NONE, _CURRENT, _NEXT = range(3)


@compiled
def _in_force(
    now: float, start: float, end: float, next_start: float, next_end: float, bridge: float
) -> int:
    """Which of the two intervals says what to do."""
    if start <= now < end:
        return _CURRENT
    if next_start <= now < next_end:
        return _NEXT
    goes_on = start < end <= now < end + bridge
    next_goes_on = next_start < next_end <= now < next_end + bridge
    if next_goes_on and not (goes_on and end >= next_end):
        return _NEXT
    return _CURRENT if goes_on else _NONE


@compiled
def _asked(interval: int, current: float, following: float) -> float:
    """What the interval in force asks for; NaN if there is none."""
    if interval == _NONE:
        return math.nan
    return current if interval == _CURRENT else following


@compiled
def _target(asked: float, allowed: tuple[float, float]) -> float:
    """What a controller may calculate with."""
    return clamp(asked, allowed[0], allowed[1]) if math.isfinite(asked) else 0.0


@compiled
def _needed(control_type: int, speed: float, level: float, power: float) -> float:
    """The target without which a pump of this kind has no plan."""
    if control_type == _DIRECT:
        return speed
    if control_type == _LEVEL:
        return level
    return power if control_type == _POWER else math.nan


@compiled
def _select(system: Pins, pump: Pins, bridge: float) -> None:
    now = system.Now[0]
    for p in range(len(pump.Configured)):
        interval = _in_force(
            now,
            pump.PlanStart[p],
            pump.PlanEnd[p],
            pump.NextStart[p],
            pump.NextEnd[p],
            bridge,
        )
        speed = _asked(interval, pump.PlanSpeed[p], pump.NextSpeed[p])
        level = _asked(interval, pump.PlanLevel[p], pump.NextLevel[p])
        power = _asked(interval, pump.PlanPower[p], pump.NextPower[p])
        flow = _asked(interval, pump.PlanFlow[p], pump.NextFlow[p])
        pump.TargetSpeed[p] = _target(speed, _SPEEDS)
        pump.TargetLevel[p] = _target(level, _LEVELS)
        pump.TargetPower[p] = _target(power, _POWERS)
        pump.TargetFlow[p] = _target(flow, _FLOWS)
        needed = _needed(pump.ControlType[p], speed, level, power)
        pump.PlanActive[p] = pump.Configured[p] and math.isfinite(needed)


class Plan(Block):
    """Selects the plan interval that is in force in this scan.

    | in force | when |
    |----------|------|
    | current  | start <= Now < end of the current interval |
    | next     | otherwise, if start <= Now < end of the next interval |
    | bridged  | otherwise, for `bridge` after the end of an interval; the one that ended last |
    | none     | otherwise |

    The database process supplies two intervals, so that the change from one to the next happens in
    the very scan that it is due. An interval that does not start before its end is none. PlanActive
    needs a configured pump, an interval in force and, in it, a finite target of the kind that the
    pump's control type needs. A target is held within the range of its tag, so that no controller
    has to calculate with nonsense. Targets that are not asked for, or not finite, are 0.
    """

    reads = (
        System.Now,
        Pump.Configured,
        Pump.ControlType,
        *(Pump.PlanStart, Pump.PlanEnd),
        *(Pump.PlanSpeed, Pump.PlanLevel, Pump.PlanPower, Pump.PlanFlow),
        *(Pump.NextStart, Pump.NextEnd),
        *(Pump.NextSpeed, Pump.NextLevel, Pump.NextPower, Pump.NextFlow),
    )
    writes = (
        Pump.PlanActive,
        Pump.TargetSpeed,
        Pump.TargetLevel,
        Pump.TargetPower,
        Pump.TargetFlow,
    )
    law = staticmethod(_select)

    def __init__(self, columns: Columns, bridge: float = 0.0) -> None:
        super().__init__(columns, bridge)
