"""The oracle on staging: which level-controlled pumps of a station run."""

from __future__ import annotations

from types import SimpleNamespace as Row

from tests.blocks.oracle_numbers import FILLING, GOOD, LEVEL, PLAN, counted

DUTY, AUTO, STOP = 0, 0, 1  # Pump.LevelRole, Pump.Mode, Pump.EmergencyAction

Pumps = list[tuple[int, Row]]  # of one station, with their slots


def stage(station: Row, pumps: Pumps, elapsed: float, settings: Row) -> None:
    by_slot = dict(pumps)
    station.PumpsDue = sum(_call(pump, station) for _, pump in pumps)
    _change_over(station, by_slot)
    _rank(station, pumps, settings.alternate)
    running = [slot for slot, pump in pumps if pump.Available and pump.LevelRun]
    if station.LeadPump - 1 not in running:
        station.LeadPump = running[0] + 1 if running else station.NextToStart
    if station.LeadPump:
        _decide(station, by_slot[station.LeadPump - 1], elapsed, settings)
    else:
        station.StageUpTime, station.StageDownTime = 0.0, 0.0
    _assign(station, by_slot)
    if station.PumpsDue == 0:
        for _, pump in pumps:
            pump.LevelRun = pump.LevelRun and not pump.Available


def _change_over(station: Row, pumps: dict[int, Row]) -> None:
    """A pump that has run for its longest stops when the other turns."""
    if not station.Relieved:
        return
    old, new = pumps[station.Relieved - 1], pumps[station.Reliever - 1]
    both = all(pump.Available and pump.LevelRun for pump in (old, new))
    if both and not new.Turning:
        return
    station.Relieved = 0
    station.PumpsDue = max(station.PumpsDue - 1, min(station.PumpsDue, 1))


def _call(pump: Row, station: Row) -> bool:
    """Who may run. Whether the pump counts among those that ran so far."""
    observed = pump.RunningQuality == GOOD
    elsewhere = observed and (pump.LocalControl or not pump.Adopted)
    engaged = (
        pump.ControlType == LEVEL
        and pump.Configured
        and pump.PlanActive
        and pump.Mode == AUTO
        and pump.Authority == PLAN
        and not (pump.Stopped or station.Failsafe or elsewhere)
        and station.LevelQuality == GOOD
    )
    stopped = pump.LevelEngaged and pump.Stopped and pump.EmergencyAction == STOP
    ran = pump.LevelRun if pump.LevelEngaged else pump.Setpoint > 0.0
    pump.Available = engaged and not (pump.LevelTrip or pump.LevelStop or pump.Failed)
    pump.LevelRun = ran and pump.Available if engaged else pump.Setpoint > 0.0
    pump.LevelEngaged = engaged
    return bool(ran and (engaged or stopped))


def _rank(station: Row, pumps: Pumps, alternate: str) -> None:
    def wear(pump: Row) -> float:
        return float({"run_hours": pump.TotalRunTime, "starts": pump.Starts}.get(alternate, 0.0))

    def overdue(pump: Row) -> bool:
        return bool(pump.RunTime >= pump.MaxRun)

    run = [(slot, pump) for slot, pump in pumps if pump.Available and pump.LevelRun]
    may_start = [
        (slot, pump)
        for slot, pump in pumps
        if pump.Available and not pump.LevelRun and not pump.StartHeld and not overdue(pump)
    ]
    starts = [(pump.LevelRole, wear(pump), slot) for slot, pump in may_start]
    stops = [(overdue(pump), pump.LevelRole, wear(pump), slot) for slot, pump in run]
    station.NextToStart = min(starts)[-1] + 1 if starts else 0
    station.NextToStop = max(stops)[-1] + 1 if stops else 0
    station.PumpsRun = len(run)
    station.DutyPumps = sum(
        pump.ControlType == LEVEL and pump.Configured and pump.LevelRole == DUTY
        for _, pump in pumps
    )


def _decide(station: Row, lead: Row, elapsed: float, settings: Row) -> None:
    sign = -1.0 if station.FlowDirection == FILLING else 1.0
    error = sign * (station.Level - lead.TargetLevel)
    band, speed, low = lead.LevelDeadband, lead.Setpoint, lead.LowLimit
    reach = lead.HighLimit - low
    held = lead.LevelOutput > speed or lead.NotFollowing
    due = station.PumpsDue - bool(station.Relieved)

    margin = band if reach > 0.0 else -band
    fast = speed >= low + 0.9 * reach and error > -margin
    more = fast or (held and error > band)
    less = due > 1 and speed <= low + 0.05 * reach and error < margin
    up, down = (
        counted(time, elapsed) if is_due else max(time - elapsed, 0.0)
        for time, is_due in ((station.StageUpTime, more), (station.StageDownTime, less))
    )
    if error <= -lead.LevelStopBand:
        next_due = 0
    elif due <= 0:
        next_due = int(error >= lead.LevelStartBand)
    elif more and up >= settings.up_delay and due < station.DutyPumps:
        next_due = due + bool(station.NextToStart)
    else:
        next_due = due - (less and down >= settings.down_delay)
    if next_due != due or due == 0:
        up = down = 0.0
    station.PumpsDue, station.StageUpTime, station.StageDownTime = next_due, up, down


def _assign(station: Row, pumps: dict[int, Row]) -> None:
    run, start, stop = station.PumpsRun, station.NextToStart - 1, station.NextToStop - 1
    changing = bool(station.Relieved)
    asked = station.PumpsDue + changing
    if station.PumpsDue == 0:
        run = station.Relieved = 0
    elif run > asked:
        pumps[stop].LevelRun = False
        run -= 1
    elif run < asked:
        if start >= 0:
            pumps[start].LevelRun = True
            run += 1
    elif start >= 0 and not changing and pumps[stop].RunTime >= pumps[stop].MaxRun:
        pumps[start].LevelRun = True
        run += 1
        station.Relieved, station.Reliever = stop + 1, start + 1
    station.PumpsWanted = run
