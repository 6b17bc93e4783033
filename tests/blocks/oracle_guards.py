"""The oracle on what the motor allows and the level demands: run times, starts, level guards."""

from __future__ import annotations

from types import SimpleNamespace as Row

from runtime.tags import FOREVER, STARTS_KEPT
from tests.blocks.oracle_numbers import FILLING, GOOD, HOUR, counted

MOMENT = 1e-6  # s
DEFAULT = 1  # Station.WithoutLevel
STARTS_PER_HOUR, MINIMUM_OFF_TIME = 1, 2  # Pump.StartHeld


def observe(pump: Row, starts: list[Row], system: Row) -> None:
    """Count the run, the pause and the starts. `starts` are the pump's rows of the Start table."""
    elapsed, now = system.Elapsed, system.ControlTime
    reports, asked = pump.RunningQuality == GOOD, pump.Setpoint > 0.0
    turning = pump.Running if reports else asked
    nothing_known = not (reports or asked or pump.Adopted or not pump.Configured)
    # A pump that ran before the control began may have gone on, and then does not start.
    stood = unsure = pump.RunTime == 0.0
    if pump.OffTime > 0.0:
        unsure = True
        stood = stood or not reports or (asked and not pump.Commanded)
    commanded = asked and not pump.Commanded and unsure
    seen = reports and turning and (stood or pump.RunAssumed)
    if commanded or (seen and not pump.StartCounted):
        pump.Starts += 1
    if commanded or seen:
        starts[(pump.Starts - 1) % STARTS_KEPT].At = now if seen else now - elapsed
    if not asked or (reports and turning):
        pump.StartCounted = False
    elif commanded:
        pump.StartCounted = True
    if reports or not turning:
        pump.RunAssumed = False
    elif stood and not commanded:
        pump.RunAssumed = True
    pump.Commanded = asked

    if turning:
        pump.RunTime = MOMENT if stood else counted(pump.RunTime, elapsed)
        pump.OffTime = 0.0
        pump.TotalRunTime += elapsed / HOUR
    elif pump.RunTime > 0.0 and not nothing_known:
        pump.RunTime, pump.OffTime = 0.0, MOMENT
    elif pump.RunTime == 0.0 and pump.OffTime == 0.0:
        pump.OffTime = FOREVER
    else:
        pump.OffTime = counted(pump.OffTime, elapsed)
    pump.Turning = turning
    _hold_starts(pump, starts, now)


def _hold_starts(pump: Row, starts: list[Row], now: float) -> None:
    young = [start for start in starts if start.At > 0.0 and now - start.At < HOUR - MOMENT]
    pump.StartsLastHour = len(young)
    pump.StartHeld = 0
    if not pump.Configured:
        return
    if not len(young) < min(pump.MaxStartsPerHour, STARTS_KEPT):
        pump.StartHeld |= STARTS_PER_HOUR
    if not pump.Turning and not pump.OffTime >= pump.MinOff:
        pump.StartHeld |= MINIMUM_OFF_TIME


def trip_level(pump: Row, station: Row) -> float:
    if station.FlowDirection == FILLING:
        return float(min(pump.HardMaxLevel, pump.EmergencyStopLevel))
    return float(max(pump.HardMinLevel, pump.EmergencyStopLevel, pump.DryRunLevel))


def guard_level(pump: Row, station: Row) -> None:
    if not pump.Configured:
        return
    if station.LevelQuality != GOOD:
        if station.LevelLostTime > station.LevelHold and station.WithoutLevel == DEFAULT:
            pump.LevelStop = False
        return
    filling = station.FlowDirection == FILLING

    def short_of(level: float) -> bool:
        """Whether the level has come so far by pumping."""
        return bool(station.Level >= level if filling else station.Level <= level)

    def beyond(level: float) -> bool:
        return bool(station.Level <= level if filling else station.Level >= level)

    restored = beyond(pump.RestartLevel)
    pump.LevelTrip = short_of(trip_level(pump, station)) or (pump.LevelTrip and not restored)
    pump.LevelStop = short_of(pump.StopLevel) or (pump.LevelStop and not restored)
    started = pump.LevelStart and not short_of(pump.StopLevel)
    all_run = pump.AllRun and not short_of(pump.StartLevel)
    must_not = pump.LevelTrip or pump.LevelStop
    pump.LevelStart = not must_not and (beyond(pump.StartLevel) or started)
    pump.AllRun = not must_not and (beyond(pump.AllRunLevel) or all_run)
