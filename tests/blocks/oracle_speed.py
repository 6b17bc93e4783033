"""The speeds of the oracle: what controllers ask for, and what limits leave of it, for one pump."""

from __future__ import annotations

import math
from types import SimpleNamespace as Row

BAD, GOOD = 0, 2
PLAN = 1  # Pump.Authority
FILLING = 1  # Station.FlowDirection
SPEED, RATE, LEVEL, LEVEL_LOST, POWER, FLOW, NOT_A_NUMBER = (1 << bit for bit in range(7))


def clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def control_level(pump: Row, station: Row, elapsed: float) -> None:
    gain, level = pump.LevelGain, station.Level
    sign = -1.0 if station.FlowDirection == FILLING else 1.0
    error = (level - pump.TargetLevel) * sign
    dead = clamp(error, -pump.LevelDeadband, pump.LevelDeadband)
    proportional = (error - dead) * gain
    pump.LevelEngaged = (
        pump.ControlType == 1
        and pump.PlanActive
        and pump.Authority == PLAN
        and station.LevelQuality == GOOD
    )
    if not pump.LevelEngaged:
        pump.LevelDemand = pump.Setpoint
        pump.LevelFiltered = level
        pump.LevelIntegral = max(pump.Setpoint, pump.MinSpeed) - proportional
        pump.LevelRun = pump.Setpoint > 0.0
        return
    rate = (level - pump.LevelFiltered) / (pump.LevelFilterTime + elapsed)
    pump.LevelFiltered += rate * elapsed
    derivative = rate * sign * pump.LevelDerivativeTime * gain
    asked = proportional + pump.LevelIntegral + derivative
    demand = clamp(asked, pump.LowLimit, pump.HighLimit)
    if pump.LevelRun and (asked - demand) * proportional <= 0.0:
        pump.LevelIntegral += proportional * elapsed / max(pump.LevelResetTime, elapsed)
    if error <= -pump.LevelStopBand:
        pump.LevelRun = False
    elif error >= pump.LevelStartBand:
        pump.LevelRun = True
    pump.LevelDemand = demand if pump.LevelRun else 0.0


def control_power(pump: Row, elapsed: float) -> None:
    proportional = (pump.TargetPower - pump.Power) * pump.PowerGain
    pump.PowerEngaged = (
        pump.ControlType == 2
        and pump.PlanActive
        and pump.Authority == PLAN
        and pump.Setpoint >= pump.LowLimit
        and pump.PowerQuality == GOOD
    )
    if pump.PowerEngaged:
        asked = proportional + pump.PowerIntegral
        demand = clamp(asked, pump.LowLimit, pump.HighLimit)
        if (asked - demand) * proportional <= 0.0:
            pump.PowerIntegral += proportional * elapsed / max(pump.PowerResetTime, elapsed)
    else:
        demand = max(pump.Setpoint, pump.MinSpeed)
        pump.PowerIntegral = demand - proportional
    pump.PowerDemand = demand if pump.TargetPower > 0.0 else 0.0


def limit(pump: Row, station: Row, elapsed: float) -> None:
    before, step = pump.Setpoint, pump.MaxSpeedChange * elapsed
    high = pump.HighLimit = min(pump.MaxSpeed, pump.HardMaxSpeed)
    low = pump.LowLimit = min(max(pump.MinSpeed, pump.HardMinSpeed), high)
    pump.Limited = 0
    wanted = pump.Demand
    if not math.isfinite(wanted):
        wanted = pump.DefaultSetpoint
        pump.Limited |= NOT_A_NUMBER
    if wanted <= 0.0:
        wanted = 0.0
    elif not low <= wanted <= high:
        wanted = clamp(wanted, low, high)
        pump.Limited |= SPEED
    trip_on_level(pump, station)
    if pump.LevelTrip:
        wanted = 0.0
        pump.Limited |= LEVEL
    permitted = (0.0, pump.DefaultSetpoint, before)[station.WithoutLevel]
    if station.LevelQuality != GOOD and wanted > permitted:
        wanted = permitted
        pump.Limited |= LEVEL_LOST
    slower = max(before - step, low) if before > 0.0 else 0.0
    if pump.PowerQuality == GOOD and pump.Power > pump.HardMaxPower and wanted > slower:
        wanted = slower
        pump.Limited |= POWER
    if pump.FlowQuality == GOOD and pump.Flow > pump.HardMaxFlow and wanted > slower:
        wanted = slower
        pump.Limited |= FLOW
    setpoint = ramp(pump, before, wanted, step)
    if setpoint != wanted:
        pump.Limited |= RATE
    runs = pump.Configured and setpoint > 0.0
    pump.Setpoint = clamp(setpoint, low, high) if runs else 0.0


def trip_on_level(pump: Row, station: Row) -> None:
    if station.LevelQuality != GOOD:
        return
    if station.FlowDirection == FILLING:
        reached = station.Level >= min(pump.HardMaxLevel, pump.EmergencyStopLevel)
        restored = station.Level <= pump.RestartLevel
    else:
        lowest = max(pump.HardMinLevel, pump.EmergencyStopLevel, pump.DryRunLevel)
        reached = station.Level <= lowest
        restored = station.Level >= pump.RestartLevel
    if reached and pump.Configured:
        pump.LevelTrip = True
    elif restored:
        pump.LevelTrip = False


def ramp(pump: Row, before: float, wanted: float, step: float) -> float:
    low: float = pump.LowLimit
    if wanted > before:
        starts = before == 0.0 and low > 0.0
        return min(wanted, low if starts else max(before + step, low))
    if pump.Stopped or pump.LevelTrip:
        return wanted
    return max(wanted, before - step if before - step >= low else 0.0)
