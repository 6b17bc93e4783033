"""The oracle on duty: what level and run times make of the demands of a station's pumps."""

from __future__ import annotations

import math
from types import SimpleNamespace as Row

from tests.blocks.oracle_numbers import GOOD, HOUR, LEVEL, LOCAL, MANUAL, PLAN, clamp, speed_limits

STOP_LEVEL, START_LEVEL, ALL_RUN_LEVEL, MAX_RUN, IN_PLACE = (1 << bit for bit in range(5))
BY_STARTS = 1  # Pump.StartHeld

Pumps = list[tuple[int, Row]]  # of one station, with their slots


def watch_over(station: Row, pumps: Pumps) -> None:
    for _, pump in pumps:
        _obey_level(station, pump)
    by_slot = dict(pumps)
    for _, pump in pumps:
        if pump.RelievedBy:
            _go_on(pump, by_slot[pump.RelievedBy - 1])
    spares = [(pump.TotalRunTime, slot, pump) for slot, pump in pumps if _is_spare(station, pump)]
    spare = min(spares, key=lambda one: one[:2], default=None)
    for slot, pump in pumps:
        runner = by_slot[pump.RelievedBy - 1 if pump.RelievedBy else slot]
        if _is_due(pump, runner):
            _relieve(pump, runner, spare)
    _run_one(pumps)


def _obey_level(station: Row, pump: Row) -> None:
    low, high = speed_limits(pump)
    ours = pump.Configured and not pump.Stopped and pump.Authority != LOCAL
    pump.Usable = ours and not pump.LevelTrip and not pump.LevelStop and high > 0.0
    pump.Command, pump.Guarded = pump.Demand, 0
    if ours and pump.LevelStop:
        pump.Command = 0.0
        pump.Guarded = STOP_LEVEL * (not pump.Demand <= 0.0)
    elif pump.Usable and pump.AllRun:
        pump.Command = high
        pump.Guarded = ALL_RUN_LEVEL * (pump.Demand != high)
    pump.RunsOn = _runs_on(station, pump)
    if pump.RunsOn and not pump.AllRun and not pump.Demand >= (low or high):
        pump.Command, pump.Guarded = low or high, ALL_RUN_LEVEL


def _runs_on(station: Row, pump: Row) -> bool:
    if not pump.Usable or pump.AllRun:
        return bool(pump.Usable)
    paced = pump.RunTime * pump.MaxStartsPerHour < HOUR or pump.StartHeld & BY_STARTS
    stays = paced or station.LevelQuality != GOOD
    return bool(pump.RunsOn and pump.Turning and pump.LevelStart and stays)


def _asked(pump: Row) -> float:
    return float(pump.Command if math.isfinite(pump.Command) else pump.DefaultSetpoint)


def _is_ours_to_relieve(pump: Row) -> bool:
    return bool(pump.Usable and not (pump.ControlType == LEVEL and pump.Authority == PLAN))


def _would_run(pump: Row) -> bool:
    goes = pump.Turning or pump.Setpoint > 0.0 or pump.StartHeld == 0
    return bool(goes and not pump.Failed)


def _is_at_longest(pump: Row) -> bool:
    return bool(pump.Turning and pump.RunTime >= pump.MaxRun)


def _go_on(pump: Row, other: Row) -> None:
    """A relief of the last scan."""
    asked = _asked(pump)
    ends = asked <= 0.0 or pump.AllRun or other.Failed or (_is_at_longest(other) and pump.Turning)
    if ends or not (_is_ours_to_relieve(pump) and _is_ours_to_relieve(other)):
        pump.RelievedBy = 0
        return
    if asked > other.Command:
        other.Command = asked
        other.Guarded |= IN_PLACE
    if other.Turning and not (_is_at_longest(other) and _would_run(pump)):
        pump.Command = 0.0
        pump.Guarded |= MAX_RUN


def _is_spare(station: Row, pump: Row) -> bool:
    busy = _asked(pump) > 0.0 or pump.Turning or pump.GuardRun or pump.RelievedBy
    can = _is_ours_to_relieve(pump) and pump.StartHeld == 0 and not pump.Failed
    return bool(can and not busy and pump.Authority != MANUAL and station.LevelQuality == GOOD)


def _is_due(pump: Row, runner: Row) -> bool:
    """Whether who runs for a pump, itself or another, has done so for its longest."""
    due = _is_at_longest(runner) and _asked(runner) > 0.0 and _is_ours_to_relieve(pump)
    takes_back = runner is not pump and _would_run(pump)
    return bool(due and not (pump.AllRun or pump.Guarded & IN_PLACE or takes_back))


def _relieve(pump: Row, runner: Row, spare: tuple[float, int, Row] | None) -> None:
    if spare is None:
        if not pump.LevelStart and not runner.LevelStart:
            pump.RelievedBy, pump.Command = 0, 0.0
            pump.Guarded |= MAX_RUN
        return
    _, slot, other = spare
    if other.Command <= 0.0:
        pump.RelievedBy = slot + 1
        other.Command = _asked(runner)
        other.Guarded |= IN_PLACE


def _run_one(pumps: Pumps) -> None:
    due = any(pump.LevelStart and pump.Configured for _, pump in pumps)
    already = any(pump.GuardRun for _, pump in pumps)
    some_run = any(
        pump.Turning or (pump.Usable and pump.Command > 0.0 and _would_run(pump))
        for _, pump in pumps
    )
    usable = [(slot, pump) for slot, pump in pumps if pump.Usable]
    chosen = None
    if usable and due and (already or not some_run):
        chosen, best = min(usable, key=lambda one: _order_of_choice(*one))
    for slot, pump in pumps:
        stays = pump.GuardRun and pump.Usable and chosen is not None and not best.Turning
        pump.GuardRun = slot == chosen or stays
        if pump.GuardRun:
            low, high = speed_limits(pump)
            default = pump.DefaultSetpoint
            speed = clamp(default, low, high) if default > 0.0 else low
            speed = speed if speed > 0.0 else high
            if not pump.Command >= speed:
                pump.Command = speed
                pump.Guarded |= START_LEVEL


def _order_of_choice(slot: int, pump: Row) -> tuple[bool, bool, bool, float, int]:
    ready = _would_run(pump) and pump.RunTime < pump.MaxRun
    commanded = pump.Command > 0.0
    return not ready, not pump.GuardRun, not commanded, pump.TotalRunTime, slot
