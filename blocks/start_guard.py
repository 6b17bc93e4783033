"""Start guard: at the start level a pump of the station runs, whatever was asked of it."""

from __future__ import annotations

from blocks.arithmetic import row
from blocks.block import Pins
from blocks.relief import can_start
from blocks.speeds import highest_speed, lowest_speed, running_speed
from runtime.compiled import compiled
from runtime.tags import Pump

START_LEVEL = 1 << Pump.Guarded.number("start level")


@compiled
def _rank(ready: bool, chosen: bool, commanded: bool) -> int:
    """How well a pump serves: above all it must be able to run, then it shall not change."""
    rank = 4 if ready else 0
    if chosen:
        rank += 2
    return rank + 1 if commanded else rank


@compiled
def _guard_speed(default: float, low: float, high: float) -> float:
    """The default setpoint; the lowest speed of a pump that stands by default."""
    speed = running_speed(default, low, high)
    if speed > 0.0:
        return speed
    return low if low > 0.0 else high


@compiled
def _choose(station: Pins, pump: Pins) -> None:
    """Find the stations in which a pump is due, and of each the pump that serves best."""
    for p in range(len(pump.Command)):
        s = row(pump.Station[p], len(station.StartDue))
        commanded = pump.Usable[p] and pump.Command[p] > 0.0
        starts = can_start(pump.Failed[p], pump.StartHeld[p], pump.Turning[p], pump.Setpoint[p])
        station.StartDue[s] |= pump.LevelStart[p] and pump.Configured[p]
        station.GuardsRun[s] |= pump.GuardRun[p]
        station.SomeRuns[s] |= pump.Turning[p] or (commanded and starts)
        if pump.Usable[p]:
            ready = starts and pump.RunTime[p] < pump.MaxRun[p]
            rank = _rank(ready, pump.GuardRun[p], commanded)
            best, so_far = int(station.GuardPump[s]) - 1, station.GuardRank[s]
            less_used = best < 0 or pump.TotalRunTime[p] < pump.TotalRunTime[best]
            if rank > so_far or (rank == so_far and less_used):
                station.GuardPump[s], station.GuardRank[s] = p + 1, rank

    for s in range(len(station.StartDue)):
        due = station.StartDue[s] and (station.GuardsRun[s] or not station.SomeRuns[s])
        if not due:
            station.GuardPump[s] = 0


@compiled
def run_one(station: Pins, pump: Pins) -> None:
    """Run one pump of each station that is at its start level while none runs."""
    _choose(station, pump)
    for p in range(len(pump.Command)):
        chosen = int(station.GuardPump[row(pump.Station[p], len(station.GuardPump))])
        stays = pump.GuardRun[p] and pump.Usable[p] and chosen > 0
        pump.GuardRun[p] = chosen == p + 1 or (stays and not pump.Turning[chosen - 1])
        if not pump.GuardRun[p]:
            continue
        high = highest_speed(pump.MaxSpeed[p], pump.HardMaxSpeed[p])
        low = lowest_speed(pump.MinSpeed[p], pump.HardMinSpeed[p], high)
        speed = _guard_speed(pump.DefaultSetpoint[p], low, high)
        if not pump.Command[p] >= speed:
            pump.Command[p] = speed
            pump.Guarded[p] |= START_LEVEL
