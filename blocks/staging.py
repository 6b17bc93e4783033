"""Staging: which of a station's level-controlled pumps run."""

from __future__ import annotations

from blocks.arithmetic import larger, row, smaller
from blocks.block import Block, Pins
from blocks.roster import ALTERNATIONS, call, rank
from runtime.compiled import compiled
from runtime.layout import Columns
from runtime.tags import FOREVER, Pump, Station, System

FILLING = Station.FlowDirection.number("filling")
UP, DOWN = 0.9, 0.05  # of the way from LowLimit to HighLimit


@compiled
def _counted(time: float, due: bool, elapsed: float) -> float:
    """How long something has been due. It runs back while it is not: noise adds up to nothing."""
    return smaller(time + elapsed, FOREVER) if due else larger(time - elapsed, 0.0)


@compiled
def _relieve(station: Pins, pump: Pins) -> None:
    """One pump is too many as soon as the one that took over turns.

    Where one of the two can't go on before that, the other does, and counts for both.
    """
    for s in range(len(station.Level)):
        if station.Relieved[s] > 0:
            old, new = station.Relieved[s] - 1, station.Reliever[s] - 1
            available = pump.Available[old] and pump.Available[new]
            both = available and pump.LevelRun[old] and pump.LevelRun[new]
            if not both or pump.Turning[new]:
                station.Relieved[s] = 0
                station.PumpsDue[s] -= 1 if station.PumpsDue[s] > 1 else 0


@compiled
def _lead(station: Pins) -> None:
    """The lead stays while it runs. If none runs, the next to start leads."""
    for s in range(len(station.Level)):
        lead = station.NextToLead[s]
        station.LeadPump[s] = lead if lead > 0 else station.NextToStart[s]
        if station.LeadPump[s] == 0:
            station.StageUpTime[s], station.StageDownTime[s] = 0.0, 0.0


@compiled
def _decide(system: Pins, station: Pins, pump: Pins, up_delay: float, down_delay: float) -> None:
    """How many pumps of each station are due, by level and speed of its lead."""
    elapsed = system.Elapsed[0]
    for p in range(len(pump.Station)):
        s = row(pump.Station[p], len(station.Level))
        if station.LeadPump[s] != p + 1:
            continue
        sign = -1.0 if station.FlowDirection[s] == FILLING else 1.0
        error = sign * (station.Level[s] - pump.TargetLevel[p])
        band, speed = pump.LevelDeadband[p], pump.Setpoint[p]
        low, reach = pump.LowLimit[p], pump.HighLimit[p] - pump.LowLimit[p]
        held = pump.LevelOutput[p] > speed or pump.NotFollowing[p]
        margin = band if reach > 0.0 else -band
        before = station.PumpsDue[s] - (1 if station.Relieved[s] > 0 else 0)

        fast = speed >= low + UP * reach and error > -margin
        more = fast or (held and error > band)
        less = before > 1 and speed <= low + DOWN * reach and error < margin
        more_time = _counted(station.StageUpTime[s], more, elapsed)
        less_time = _counted(station.StageDownTime[s], less, elapsed)
        due = before
        if error <= -pump.LevelStopBand[p]:
            due = 0
        elif due <= 0:
            due = 1 if error >= pump.LevelStartBand[p] else 0
        elif more and more_time >= up_delay and due < station.DutyPumps[s]:
            due += 1 if station.NextToStart[s] > 0 else 0
        elif less and less_time >= down_delay:
            due -= 1
        stays = due == before and due > 0
        station.StageUpTime[s] = more_time if stays else 0.0
        station.StageDownTime[s] = less_time if stays else 0.0
        station.PumpsDue[s] = due


@compiled
def _assign(station: Pins, pump: Pins) -> None:
    """Start or stop one pump of each station, or stop all if none is due."""
    for s in range(len(station.Level)):
        start, stop = station.NextToStart[s] - 1, station.NextToStop[s] - 1
        run, relief = station.PumpsRun[s], station.Relieved[s] > 0
        asked = station.PumpsDue[s] + (1 if relief else 0)
        if station.PumpsDue[s] == 0:
            run, station.Relieved[s] = 0, 0
        elif run > asked:
            pump.LevelRun[stop] = False
            run -= 1
        elif start >= 0 and run < asked:
            pump.LevelRun[start] = True
            run += 1
        elif start >= 0 and not relief and pump.RunTime[stop] >= pump.MaxRun[stop]:
            pump.LevelRun[start] = True
            run += 1
            station.Relieved[s], station.Reliever[s] = stop + 1, start + 1
        station.PumpsWanted[s] = run
    for p in range(len(pump.Station)):
        if pump.Available[p] and station.PumpsDue[row(pump.Station[p], len(station.Level))] == 0:
            pump.LevelRun[p] = False


@compiled
def _stage(
    system: Pins,
    station: Pins,
    pump: Pins,
    alternate: int,
    up_delay: float,
    down_delay: float,
) -> None:
    call(station, pump)
    _relieve(station, pump)
    rank(station, pump, alternate)
    _lead(station)
    _decide(system, station, pump, up_delay, down_delay)
    _assign(station, pump)


class Staging(Block):
    """Starts and stops level-controlled pumps; `level_control` gives those that run their speed.

    Level control is in charge of a pump (LevelEngaged) that is configured, level-controlled and in
    mode Auto, with an active plan that was in force in the previous scan, while the station's level
    is Good and neither an emergency stop nor failsafe nor local control (as far as known) is in
    force; it takes over a running pump only after `limits` has adopted it. LevelRun of any other
    pump says whether its setpoint is above 0, so control goes on with what runs. In charge, a pump
    may run (Available) unless LevelTrip, LevelStop or Failed.

    The lead is the pump whose target and parameters the station follows: it stays the lead while it
    runs; then another that runs, or if none does the next to start. With e = d · (level − target),
    d = 1 emptying, −1 filling:

    | pumps due | event                                                               | due     |
    |-----------|---------------------------------------------------------------------|---------|
    | any       | e <= −StopBand                                                      | 0       |
    | 0         | e >= StartBand                                                      | 1       |
    | n > 0     | for `up_delay`: the lead's setpoint is in the upper tenth of its    | n + 1   |
    |           | range and e > −Deadband; or it gets less than its controller asks   |         |
    |           | for, or does not follow, and e > Deadband                           |         |
    | n > 1     | for `down_delay`: the lead's setpoint is in the lowest twentieth of | n − 1   |
    |           | its range and e < Deadband                                          |         |

    The first that holds counts. Both times run back while their cause is absent, so that noise does
    not add up. In its upper tenth a pump takes more energy for a volume than two that share it
    (affinity laws with static head), and has no reach left to answer a storm. Without a range,
    LowLimit being HighLimit, it is the level that says so: e > Deadband and e < −Deadband.

    Next to start is the pump that may run, whose start nothing holds back (StartHeld) and which has
    the least TotalRunTime or Starts, or the lowest slot, as `alternate` says; next to stop is that
    with the most. Pumps of role standby start last and stop first, and no more run than there are
    pumps of role duty: they run only in place of one that can't.

    A pump that can't go on (not available, or stopped by an emergency stop) is replaced at once, if
    another can start. One that has run for MaxRun is replaced too: the other starts, and when it
    turns the first stops. While no other can start it runs on, and is the first to stop.
    """

    reads = (
        System.Elapsed,
        Station.Level,
        Station.LevelQuality,
        Station.FlowDirection,
        Station.Failsafe,
        Pump.Configured,
        Pump.Station,
        Pump.ControlType,
        Pump.EmergencyAction,
        Pump.PlanActive,
        Pump.TargetLevel,
        Pump.Stopped,
        Pump.RunningQuality,
        Pump.LocalControl,
        Pump.LevelTrip,
        Pump.LevelStop,
        Pump.Turning,
        Pump.RunTime,
        Pump.TotalRunTime,
        Pump.Starts,
        Pump.StartHeld,
        Pump.MaxRun,
        Pump.LevelRole,
        Pump.LevelDeadband,
        Pump.LevelStartBand,
        Pump.LevelStopBand,
    )
    previous = (
        Pump.Setpoint,
        Pump.Mode,
        Pump.Authority,
        Pump.LowLimit,
        Pump.HighLimit,
        Pump.LevelOutput,
        Pump.Adopted,
        Pump.NotFollowing,
        Pump.Failed,
    )
    writes = (
        Station.PumpsWanted,
        Station.LeadPump,
        Station.StageUpTime,
        Station.StageDownTime,
        Station.PumpsDue,
        Station.PumpsRun,
        Station.DutyPumps,
        Station.NextToLead,
        Station.NextToStart,
        Station.NextToStop,
        Station.Relieved,
        Station.Reliever,
        Pump.Available,
        Pump.LevelEngaged,
        Pump.LevelRun,
    )
    law = staticmethod(_stage)

    def __init__(
        self,
        columns: Columns,
        alternate: str = "run_hours",
        up_delay: float = 60.0,
        down_delay: float = 60.0,
    ) -> None:
        super().__init__(columns, ALTERNATIONS.index(alternate), float(up_delay), float(down_delay))
