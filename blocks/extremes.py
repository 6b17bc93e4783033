"""Extremes: the worst of each limit while it acts, which is what a record of a violation tells.

| limit       | extreme                                                                           |
|-------------|-----------------------------------------------------------------------------------|
| speed       | the demand furthest outside the limits                                            |
| rate        | the most that it held back                                                        |
| level       | the level furthest beyond the trip level, on the side to which the pump pumps     |
| level guard | the level furthest on that side while the stop level acts, on the other while the |
|             | start or all-run level does                                                       |
| level lost  | how long the level was lost, in s                                                 |
| power, flow | the highest                                                                       |

What is not a number has none: nothing is further from a number than anything else. Of start rules
and run times, counts and times are kept as they are when these begin to act (runtime/edges.py).
"""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, distance, larger, row, smaller
from blocks.block import Pins
from blocks.level_guards import FILLING, GOOD, trip_level
from runtime.compiled import compiled
from runtime.tags import Pump

SPEED, RATE, LEVEL, LOST, POWER, FLOW, GUARD = (
    1 << Pump.Limited.number(word)
    for word in ("speed", "rate", "level", "level lost", "power", "flow", "level guard")
)
STOP_LEVEL = 1 << Pump.Guarded.number("stop level")


@compiled
def _worst(goes_on: bool, worst: float, now: float) -> float:
    """The greatest value since a limit began to act."""
    return larger(worst, now) if goes_on else now


@compiled
def _furthest(goes_on: bool, furthest: float, now: float, low: float, high: float) -> float:
    """The speed furthest outside its limits since they began to act."""
    outside = distance(now, clamp(now, low, high))
    so_far = distance(furthest, clamp(furthest, low, high))
    return furthest if goes_on and so_far > outside else now


@compiled
def _further(level: float, quality: int, furthest: float, upwards: bool) -> float:
    """The level furthest up or down; one that is not good goes nowhere."""
    if quality != GOOD:
        return furthest
    return larger(level, furthest) if upwards else smaller(level, furthest)


@compiled
def note_extremes(station: Pins, pump: Pins) -> None:
    """Begin or go on with the extremes of the limits that act; keep those of the others.

    The extreme of a level is at least its limit, also where a trip outlived a restart.
    """
    for p in range(len(pump.Limited)):
        acts = pump.Limited[p]
        acted = acts & pump.LimitedBefore[p]
        s = row(pump.Station[p], len(station.Level))
        level, quality = station.Level[s], station.LevelQuality[s]
        filling = station.FlowDirection[s] == FILLING
        if acts & SPEED:
            demand = pump.Command[p]
            demand = demand if math.isfinite(demand) else pump.DefaultSetpoint[p]
            pump.SpeedExtreme[p] = _furthest(
                acted & SPEED != 0,
                pump.SpeedExtreme[p],
                demand,
                pump.LowLimit[p],
                pump.HighLimit[p],
            )
        if acts & RATE:
            held_back = distance(pump.Allowed[p], pump.Setpoint[p])
            pump.RateExtreme[p] = _worst(acted & RATE != 0, pump.RateExtreme[p], held_back)
        if acts & LEVEL:
            worst = pump.LevelExtreme[p]
            if not acted & LEVEL:
                worst = trip_level(
                    filling,
                    pump.HardMinLevel[p],
                    pump.HardMaxLevel[p],
                    pump.EmergencyStopLevel[p],
                    pump.DryRunLevel[p],
                )
            worst = _further(level, quality, worst, filling)
            pump.LevelExtreme[p] = worst if math.isfinite(worst) else level
        if acts & GUARD:
            worst = pump.GuardExtreme[p] if acted & GUARD else level
            upwards = filling == (pump.Guarded[p] & STOP_LEVEL != 0)
            pump.GuardExtreme[p] = _further(level, quality, worst, upwards)
        if acts & LOST:
            lost = station.LevelLostTime[s]
            pump.LostExtreme[p] = _worst(acted & LOST != 0, pump.LostExtreme[p], lost)
        if acts & POWER:
            pump.PowerExtreme[p] = _worst(acted & POWER != 0, pump.PowerExtreme[p], pump.Power[p])
        if acts & FLOW:
            pump.FlowExtreme[p] = _worst(acted & FLOW != 0, pump.FlowExtreme[p], pump.Flow[p])
