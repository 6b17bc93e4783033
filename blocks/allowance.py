"""Allowance: the speed that may be wanted of a pump, however long it takes to get there."""

from __future__ import annotations

import math

from blocks.arithmetic import larger, row, smaller
from blocks.block import Pins
from blocks.speeds import highest_speed, lowest_speed, running_speed
from runtime.compiled import compiled
from runtime.tag import Quality
from runtime.tags import Pump, Station

GOOD = int(Quality.GOOD)
STOP, DEFAULT = (Station.WithoutLevel.number(word) for word in ("stop", "default"))
MANUAL, LOCAL = (Pump.Authority.number(word) for word in ("Manual", "Local"))
SPEED, LEVEL, LEVEL_LOST, POWER, FLOW, NOT_A_NUMBER = (
    1 << Pump.Limited.number(word)
    for word in ("speed", "level", "level lost", "power", "flow", "not a number")
)
MAX_RUN, GUARD = (1 << Pump.Limited.number(word) for word in ("maximum run time", "level guard"))
GUARDED_BY_LEVEL = sum(
    1 << Pump.Guarded.number(word) for word in ("stop level", "start level", "all-run level")
)
GUARDED_BY_RUN_TIME = 1 << Pump.Guarded.number("maximum run time")


@compiled
def _of_guards(guarded: int) -> int:
    """The bits of what `duty` has already limited."""
    bits = 0
    if guarded & GUARDED_BY_LEVEL:
        bits |= GUARD
    if guarded & GUARDED_BY_RUN_TIME:
        bits |= MAX_RUN
    return bits


@compiled
def _exceeds(value: float, quality: int, maximum: float) -> bool:
    """Whether a good measurement is above its maximum: it is, where that is no number."""
    return quality == GOOD and not value <= maximum


@compiled
def is_blind(quality: int, lost: float, hold: float) -> bool:
    """Whether the level has been lost for so long that the engineer's decision counts."""
    return quality != GOOD and not lost <= hold


@compiled
def _without_level(
    wanted: float, in_force: float, default: float, action: int, raises: bool
) -> float:
    """The engineer's decision on what a pump does without a level."""
    if action == STOP:
        return 0.0
    if action == DEFAULT:
        return default if raises else smaller(wanted, default)
    return smaller(wanted, in_force)


@compiled
def adopt(pump: Pins) -> None:
    """The limits of speed in force, and the setpoint of a pump that is found running."""
    for p in range(len(pump.Setpoint)):
        high = highest_speed(pump.MaxSpeed[p], pump.HardMaxSpeed[p])
        low = lowest_speed(pump.MinSpeed[p], pump.HardMinSpeed[p], high)
        pump.LowLimit[p], pump.HighLimit[p] = low, high
        pump.Allowed[p] = pump.Command[p]
        pump.LimitedBefore[p] = pump.Limited[p]

        settled = pump.Adopted[p] or pump.Setpoint[p] > 0.0
        observed = pump.RunningQuality[p] == GOOD
        if not settled and observed and pump.Running[p] and pump.SpeedQuality[p] == GOOD:
            pump.Setpoint[p] = running_speed(pump.Speed[p], low, high)
            if not pump.Stopped[p]:
                pump.Allowed[p] = pump.Setpoint[p]
        pump.Adopted[p] = pump.Configured[p] and (settled or observed)


@compiled
def allow(system: Pins, station: Pins, pump: Pins) -> None:
    """What may be wanted of each pump, however long it takes to get there."""
    for p in range(len(pump.Setpoint)):
        s = row(pump.Station[p], len(station.Level))
        low, high = pump.LowLimit[p], pump.HighLimit[p]
        in_force, wanted, authority = pump.Setpoint[p], pump.Allowed[p], pump.Authority[p]
        default = pump.DefaultSetpoint[p]
        bits = _of_guards(pump.Guarded[p])
        if not math.isfinite(wanted):
            bits |= NOT_A_NUMBER
            wanted = default
        allowed = running_speed(wanted, low, high)
        if wanted > 0.0 and allowed != wanted:
            bits |= SPEED
        if pump.LevelTrip[p]:
            bits |= LEVEL
            allowed = 0.0

        quality, lost, hold = (
            station.LevelQuality[s],
            station.LevelLostTime[s],
            station.LevelHold[s],
        )
        wanted = allowed
        if authority != LOCAL and is_blind(quality, lost, hold):
            raises = not (pump.Stopped[p] or pump.LevelTrip[p] or authority == MANUAL)
            default = running_speed(default, low, high)
            allowed = _without_level(wanted, in_force, default, station.WithoutLevel[s], raises)
        elif authority != LOCAL and quality != GOOD:
            allowed = smaller(wanted, in_force)
        if allowed != wanted:
            bits |= LEVEL_LOST

        slower = in_force - larger(0.0, pump.MaxSpeedChange[p] * system.Elapsed[0])
        slower = larger(slower, low) if in_force > 0.0 else 0.0
        faster = allowed > slower
        if faster and _exceeds(pump.Power[p], pump.PowerQuality[p], pump.HardMaxPower[p]):
            bits |= POWER
            allowed = slower
        if faster and _exceeds(pump.Flow[p], pump.FlowQuality[p], pump.HardMaxFlow[p]):
            bits |= FLOW
            allowed = slower
        pump.Allowed[p] = allowed
        pump.Limited[p] = bits
