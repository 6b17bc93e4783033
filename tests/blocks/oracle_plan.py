"""The oracle on who commands: the plan, the watchdog, the ramp of direct speed, authority."""

from __future__ import annotations

import math
from types import SimpleNamespace as Row

from runtime.tags import FOREVER, Pump
from tests.blocks.oracle_numbers import (
    DEFAULT,
    DIRECT,
    EMERGENCY_STOP,
    FAILSAFE,
    GOOD,
    LOCAL,
    MANUAL,
    PLAN,
    age,
    clamp,
    speed_limits,
)

KINDS = ("Speed", "Level", "Power")  # what a plan commands, by ControlType


def _interval(pump: Row, now: float, bridge: float) -> str:
    """What stands in front of the targets in force; nothing if there are none."""
    latest, found = -math.inf, ""
    for name in ("Plan", "Next"):
        start, end = getattr(pump, f"{name}Start"), getattr(pump, f"{name}End")
        if start <= now < end:
            return name
        if start < end <= now < end + bridge and end > latest:
            latest, found = end, name
    return found


def select_plan(pump: Row, now: float, bridge: float) -> None:
    interval = _interval(pump, now, bridge)
    asked = set()
    for tag in (Pump.TargetSpeed, Pump.TargetLevel, Pump.TargetPower, Pump.TargetFlow):
        kind = tag.name.removeprefix("Target")
        target = getattr(pump, interval + kind) if interval else math.nan
        if math.isfinite(target):
            asked.add(kind)
            setattr(pump, tag.name, clamp(target, tag.low, tag.high))
        else:
            setattr(pump, tag.name, 0.0)
    pump.PlanActive = pump.Configured and KINDS[pump.ControlType] in asked


def watch(system: Row, stations: list[Row], heartbeats: list[float], settings: Row) -> None:
    now, heard = system.Now, system.DatabaseTime
    for heartbeat in heartbeats:
        if heartbeat != system.Heartbeat:
            system.Heartbeat, system.HeartbeatTime = int(heartbeat), now
    system.HeartbeatTime = system.HeartbeatTime or now
    system.HeartbeatAge = age(now, system.HeartbeatTime) if system.HeartbeatTime else FOREVER
    late = system.HeartbeatAge >= settings.scada_timeout
    system.ScadaLost = late and settings.without_scada in ("alarm", "default")
    abandoned = late and settings.without_scada == "default"
    system.DatabaseAge = age(now, heard) if heard else FOREVER
    system.DatabaseLost = system.DatabaseAge > 3.0
    if system.MemoryAge == 0.0:
        system.DatabaseAwaited = True
    elif not system.DatabaseLostSince or (system.DatabaseLost and system.MemoryAge >= 10.0):
        system.DatabaseAwaited = False
    for station in stations:
        station.PlanAge = age(now, station.PlanTime) if station.PlanTime else FOREVER
        in_time = station.PlanAge < station.WatchdogTimeout
        station.Failsafe = station.Configured and (abandoned or not in_time)


def ramp_direct(pump: Row, elapsed: float) -> None:
    target = pump.TargetSpeed
    in_charge = pump.ControlType == DIRECT and pump.PlanActive and pump.Authority == PLAN
    before = pump.DirectDemand if in_charge and pump.DirectDemand > 0.0 else pump.Setpoint
    lowest, _ = speed_limits(pump)
    start = max(before, min(lowest, target))
    step = pump.DirectRamp * elapsed
    pump.DirectDemand = clamp(target, start - step, start + step) if target > 0.0 else 0.0


def take_over(pump: Row, name: str, value: float) -> None:
    """A request of an operator."""
    if name == "ManualSetpoint":
        pump.ManualSetpoint = value
    elif name == "Mode":
        if value == 1.0 and pump.Mode == 0:
            pump.ManualSetpoint = pump.Setpoint
        pump.Mode = int(value)


def decide(pump: Row, failsafe: bool) -> None:
    reports = pump.RunningQuality == GOOD
    if pump.Stopped:
        found_running = reports and pump.Running and not pump.Adopted
        runs = pump.Setpoint > 0.0 or found_running
        pump.Authority = EMERGENCY_STOP
        pump.Demand = pump.DefaultSetpoint if runs and pump.EmergencyAction != 1 else 0.0
    elif reports and pump.LocalControl:
        pump.Authority = LOCAL
        pump.Demand = pump.Speed if pump.SpeedQuality == GOOD else pump.Setpoint
        if not pump.Running:
            pump.Demand = 0.0
    elif failsafe:
        pump.Authority, pump.Demand = FAILSAFE, pump.DefaultSetpoint
    elif pump.Mode == 1:
        pump.Authority, pump.Demand = MANUAL, pump.ManualSetpoint
    elif pump.PlanActive:
        calculated = (pump.DirectDemand, pump.LevelDemand, pump.PowerDemand)
        pump.Authority, pump.Demand = PLAN, calculated[pump.ControlType]
    else:
        pump.Authority, pump.Demand = DEFAULT, pump.DefaultSetpoint
