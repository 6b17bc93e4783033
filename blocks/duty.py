"""Duty: the level guards and the maximum run time, in every mode."""

from __future__ import annotations

from blocks.arithmetic import row
from blocks.block import Block, Pins
from blocks.relief import GOOD, relieve
from blocks.speeds import highest_speed, lowest_speed
from blocks.start_guard import run_one
from runtime.compiled import compiled
from runtime.tags import Pump, Station

STOP_LEVEL, ALL_RUN_LEVEL = (
    1 << Pump.Guarded.number(word) for word in ("stop level", "all-run level")
)
LOCAL = Pump.Authority.number("Local")
HELD_BY_STARTS = 1 << Pump.StartHeld.number("starts per hour")
HOUR = 3600.0  # s


@compiled
def _may_start_again(held: int, run_time: float, most: float) -> bool:
    """Whether a pump that stops now can be started, and so again and again, within its limit."""
    return held & HELD_BY_STARTS == 0 and run_time * most >= HOUR


@compiled
def _obey_level(station: Pins, pump: Pins) -> None:
    for p in range(len(pump.Command)):
        s = row(pump.Station[p], len(station.LevelQuality))
        high = highest_speed(pump.MaxSpeed[p], pump.HardMaxSpeed[p])
        ours = pump.Configured[p] and not pump.Stopped[p] and pump.Authority[p] != LOCAL
        tripped = pump.LevelTrip[p] or pump.LevelStop[p]
        pump.Usable[p] = ours and not tripped and high > 0.0
        again = _may_start_again(pump.StartHeld[p], pump.RunTime[p], pump.MaxStartsPerHour[p])
        paced = not again or station.LevelQuality[s] != GOOD
        stays = pump.RunsOn[p] and pump.Turning[p] and paced
        pump.RunsOn[p] = pump.Usable[p] and (pump.AllRun[p] or (pump.LevelStart[p] and stays))
        command, guarded = pump.Demand[p], 0
        if ours and pump.LevelStop[p]:
            command = 0.0
            guarded = 0 if pump.Demand[p] <= 0.0 else STOP_LEVEL
        elif pump.Usable[p] and pump.AllRun[p]:
            command = high
            guarded = 0 if pump.Demand[p] == high else ALL_RUN_LEVEL
        elif pump.RunsOn[p]:
            low = lowest_speed(pump.MinSpeed[p], pump.HardMinSpeed[p], high)
            least = low if low > 0.0 else high
            if not pump.Demand[p] >= least:
                command, guarded = least, ALL_RUN_LEVEL
        pump.Command[p], pump.Guarded[p] = command, guarded


@compiled
def _watch_over(station: Pins, pump: Pins) -> None:
    for s in range(len(station.StartDue)):
        station.StartDue[s] = station.SomeRuns[s] = station.GuardsRun[s] = False
        station.SparePump[s] = station.GuardPump[s] = station.GuardRank[s] = 0
    _obey_level(station, pump)
    relieve(station, pump)
    run_one(station, pump)


class Duty(Block):
    """Turns the demand of each pump into its command, as level and run times have it.

    In this order; Guarded names each that changed the demand. A pump that is stopped or under local
    control keeps its demand, and is not counted on.

    1. Stop level: while LevelStop is set the command is 0.
    2. All-run level: while AllRun is set it is the highest speed in force. A pump that so runs goes
       on (RunsOn) while it may not yet be started again, as below.
    3. Maximum run time, as below. `staging` changes over level-controlled pumps under a plan.
    4. Start level: while LevelStart of any pump of a station is set and none of its pumps runs or
       is about to, one is chosen to run (GuardRun): at its demand, at the least at DefaultSetpoint,
       or at LowLimit if that is 0. It goes on until no LevelStart is set any more. Chosen is a pump
       that can run: not failed, not held by start rules, not at its maximum run time. Of several it
       is the one chosen before, one that has a command, the least used, the first. If another comes
       to serve better, the old one goes on until that turns.

    | pump, asked to run | event                                   | next     | action             |
    |--------------------|-----------------------------------------|----------|--------------------|
    | runs               | RunTime >= MaxRun, another can take     | relieved | RelievedBy := that |
    |                    | over                                    |          |                    |
    | runs               | RunTime >= MaxRun, none can, LevelStart | runs     | none: a full well  |
    |                    | or AllRun is set                        |          | comes first        |
    | runs               | RunTime >= MaxRun, none can             | rests    | command 0          |
    | rests              | it has come to rest                     | runs     | start rules hold   |
    | relieved           | the other turns                         | relieved | command 0          |
    | relieved           | the other is at its MaxRun              | returns  | both are asked     |
    | returns            | it turns                                | runs     | RelievedBy := 0    |
    | relieved           | nothing asks it to run any more; AllRun | runs     | RelievedBy := 0    |
    |                    | is set; the other can't run             |          |                    |

    | RunsOn | pump, Usable                                         | next  | its command      |
    |--------|------------------------------------------------------|-------|------------------|
    | any    | AllRun is set                                        | set   | as in 2          |
    | set    | AllRun is not set any more, it turns, LevelStart is  | set   | at the least     |
    |        | set, and its starts per hour are used up, or RunTime |       | LowLimit; the    |
    |        | < 3600 s / MaxStartsPerHour, or the level is not     |       | highest speed if |
    |        | Good, so that nothing could start again              |       | that is 0        |
    | set    | one of these ends: it may be started again, or the   | clear | the demand       |
    |        | level comes to its stop level                        |       |                  |
    | any    | it is not Usable                                     | clear | the demand, or 0 |

    A storm that all pumps together more than move takes the level up and down between all-run and
    start level. If each time cost each pump a start, a well whose band is small for its pumps would
    use up the starts of the hour in minutes, and overflow with its pumps at rest for the rest of
    it: the limit on starts would have beaten the guard. A pump that goes on needs no start. At its
    lowest speed it draws least, so the level stays up for longest; if it rises again, the pumps run
    already. So starts at the all-run level are 3600 s / MaxStartsPerHour apart, unless the pumps
    get down to the stop level in less. What room that takes is checked, with a warning
    (runtime/wells.py). A short MaxRun still counts: a pump that has another is relieved.

    Another can take over if it stands and is asked for nothing, by a plan or by default but not by
    hand; is not failed, tripped, stopped, local or held by start rules; and the level is good, as
    without it nothing may rise. Of several it is the least used. It gets the speed of the one that
    it relieves, which goes on until the other turns: at any time one of the two runs. At its own
    MaxRun it hands back in the same way. If the first can't come back then, a third takes over; if
    there is none, the other rests as well, but for a LevelStart of the two.
    """

    reads = (
        Station.LevelQuality,
        Pump.Station,
        Pump.Configured,
        Pump.Demand,
        Pump.Authority,
        Pump.ControlType,
        Pump.Stopped,
        Pump.LevelTrip,
        Pump.LevelStop,
        Pump.LevelStart,
        Pump.AllRun,
        Pump.Turning,
        Pump.RunTime,
        Pump.MaxRun,
        Pump.TotalRunTime,
        Pump.StartHeld,
        Pump.MaxStartsPerHour,
        Pump.DefaultSetpoint,
        Pump.MinSpeed,
        Pump.MaxSpeed,
        Pump.HardMinSpeed,
        Pump.HardMaxSpeed,
    )
    previous = (Pump.Setpoint, Pump.Failed)
    writes = (
        Station.StartDue,
        Station.SomeRuns,
        Station.GuardsRun,
        Station.SparePump,
        Station.GuardPump,
        Station.GuardRank,
        Pump.Usable,
        Pump.GuardRun,
        Pump.RunsOn,
        Pump.RelievedBy,
        Pump.Guarded,
        Pump.Command,
    )
    law = staticmethod(_watch_over)
