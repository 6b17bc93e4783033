"""The oracle on the enforcer: what limits leave of a command, for one pump."""

from __future__ import annotations

import math
from types import SimpleNamespace as Row

from tests.blocks.oracle_guards import trip_level
from tests.blocks.oracle_numbers import FILLING, GOOD, LOCAL, MANUAL, clamp, speed_limits

SPEED, RATE, LEVEL, LEVEL_LOST, POWER, FLOW, NOT_A_NUMBER = (1 << bit for bit in range(7))
STARTS, OFF_TIME, MIN_RUN, MAX_RUN, GUARD = (1 << bit for bit in range(7, 12))
STOP, DEFAULT = range(2)  # Station.WithoutLevel
BY_LEVEL, BY_RUN_TIME, BY_STOP_LEVEL = 0b00111, 0b01000, 0b00001  # Pump.Guarded


def limit(pump: Row, station: Row, elapsed: float) -> None:
    acted = pump.LimitedBefore = pump.Limited
    low, high = pump.LowLimit, pump.HighLimit = speed_limits(pump)
    command = _adopt(pump)
    before, step = pump.Setpoint, max(pump.MaxSpeedChange * elapsed, 0.0)
    pump.Limited = GUARD * bool(pump.Guarded & BY_LEVEL)
    pump.Limited |= MAX_RUN * bool(pump.Guarded & BY_RUN_TIME)

    wanted = _within(pump, command)
    if pump.LevelTrip:
        wanted = 0.0
        pump.Limited |= LEVEL
    wanted = _without_level(pump, station, wanted)
    slower = max(before - step, low) if before > 0.0 else 0.0
    if wanted > slower and pump.PowerQuality == GOOD and pump.Power > pump.HardMaxPower:
        pump.Limited |= POWER
    if wanted > slower and pump.FlowQuality == GOOD and pump.Flow > pump.HardMaxFlow:
        pump.Limited |= FLOW
    if pump.Limited & (POWER | FLOW):
        wanted = slower
    wanted = _by_start_rules(pump, wanted)
    wanted = _by_shortest_run(pump, station, wanted, step)

    reached = wanted if pump.Authority == LOCAL else _ramp(pump, wanted, step)
    setpoint = clamp(reached, low, high) if reached > 0.0 else 0.0
    if setpoint != wanted:
        pump.Limited |= RATE
    pump.Allowed, pump.Setpoint = wanted, setpoint
    if not pump.Configured:
        pump.Limited, pump.Setpoint = 0, 0.0
    _note_extremes(pump, station, command, acted)


def _adopt(pump: Row) -> float:
    """The command, or the speed of a pump that is found running when control begins."""
    settled = pump.Adopted or pump.Setpoint > 0.0
    reports = pump.RunningQuality == GOOD
    command: float = pump.Command
    if not settled and reports and pump.Running and pump.SpeedQuality == GOOD:
        found = clamp(pump.Speed, pump.LowLimit, pump.HighLimit) if pump.Speed > 0.0 else 0.0
        pump.Setpoint = found
        command = pump.Command if pump.Stopped else found
    pump.Adopted = pump.Configured and (settled or reports)
    return command


def _within(pump: Row, command: float) -> float:
    wanted = command
    if not math.isfinite(command):
        wanted = pump.DefaultSetpoint
        pump.Limited |= NOT_A_NUMBER
    if wanted <= 0.0:
        return 0.0
    if not pump.LowLimit <= wanted <= pump.HighLimit:
        pump.Limited |= SPEED
    return clamp(wanted, pump.LowLimit, pump.HighLimit)


def _without_level(pump: Row, station: Row, wanted: float) -> float:
    if station.LevelQuality == GOOD or pump.Authority == LOCAL:
        return wanted
    left: float = min(wanted, pump.Setpoint)
    if station.LevelLostTime > station.LevelHold and station.WithoutLevel == STOP:
        left = 0.0
    elif station.LevelLostTime > station.LevelHold and station.WithoutLevel == DEFAULT:
        default = pump.DefaultSetpoint
        left = clamp(default, pump.LowLimit, pump.HighLimit) if default > 0.0 else 0.0
        if pump.Stopped or pump.LevelTrip or pump.Authority == MANUAL:
            left = min(wanted, left)
    if left != wanted:
        pump.Limited |= LEVEL_LOST
    return left


def _by_start_rules(pump: Row, wanted: float) -> float:
    starts = wanted > 0.0 and pump.Setpoint == 0.0
    if not starts or pump.Turning or pump.Authority == LOCAL or pump.StartHeld == 0:
        return wanted
    pump.Limited |= STARTS * bool(pump.StartHeld & 1) | OFF_TIME * bool(pump.StartHeld & 2)
    return 0.0


def _by_shortest_run(pump: Row, station: Row, wanted: float, step: float) -> float:
    stops = wanted == 0.0 and pump.Setpoint > 0.0
    if not stops or not pump.Turning or pump.RunTime >= pump.MinRun:
        return wanted
    blind = station.LevelQuality != GOOD and station.LevelLostTime > station.LevelHold
    decided = blind and station.WithoutLevel == STOP
    if pump.Stopped or pump.LevelTrip or pump.LevelStop or decided or pump.Authority == LOCAL:
        return wanted
    pump.Limited |= MIN_RUN
    return float(pump.LowLimit) or min(pump.Setpoint, step)


def _ramp(pump: Row, wanted: float, step: float) -> float:
    before, low = pump.Setpoint, pump.LowLimit
    if wanted > before:
        starts = before == 0.0 and low > 0.0
        return float(min(wanted, low if starts else max(before + step, low)))
    if pump.Stopped or pump.LevelTrip:
        return wanted
    return float(max(wanted, before - step if before - step >= low else 0.0))


def _note_extremes(pump: Row, station: Row, command: float, acted: int) -> None:
    """The worst of each limit since it began to act."""
    goes_on = pump.Limited & acted
    if pump.Limited & SPEED:
        demand = pump.Command if math.isfinite(pump.Command) else pump.DefaultSetpoint
        if not goes_on & SPEED or _outside(pump, demand) >= _outside(pump, pump.SpeedExtreme):
            pump.SpeedExtreme = demand
    if pump.Limited & LEVEL:
        filling = station.FlowDirection == FILLING
        worse = max if filling else min
        if not goes_on & LEVEL:
            pump.LevelExtreme = trip_level(pump, station)
        if station.LevelQuality == GOOD:
            pump.LevelExtreme = worse(pump.LevelExtreme, station.Level)
    if pump.Limited & GUARD:
        pumped = pump.Guarded & BY_STOP_LEVEL
        upwards = (station.FlowDirection == FILLING) == bool(pumped)
        if not goes_on & GUARD:
            pump.GuardExtreme = station.Level
        elif station.LevelQuality == GOOD:
            worse = max if upwards else min
            pump.GuardExtreme = worse(pump.GuardExtreme, station.Level)
    measured = (
        (LEVEL_LOST, "Lost", station.LevelLostTime),
        (RATE, "Rate", abs(pump.Allowed - pump.Setpoint)),
        (POWER, "Power", pump.Power),
        (FLOW, "Flow", pump.Flow),
    )
    for bit, name, now in measured:
        if pump.Limited & bit:
            worst = getattr(pump, f"{name}Extreme") if goes_on & bit else now
            setattr(pump, f"{name}Extreme", max(worst, now))


def _outside(pump: Row, speed: float) -> float:
    return abs(speed - clamp(speed, pump.LowLimit, pump.HighLimit))
