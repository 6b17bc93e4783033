"""Duty: the level guards and the maximum run time, in every mode."""

from __future__ import annotations

from blocks.block import Block, Pins
from blocks.relief import relieve
from blocks.speeds import highest_speed
from blocks.start_guard import run_one
from runtime.compiled import compiled
from runtime.tags import Pump, Station

STOP_LEVEL, ALL_RUN_LEVEL = (
    1 << Pump.Guarded.number(word) for word in ("stop level", "all-run level")
)
LOCAL = Pump.Authority.number("Local")


@compiled
def _obey_level(pump: Pins) -> None:
    for p in range(len(pump.Command)):
        high = highest_speed(pump.MaxSpeed[p], pump.HardMaxSpeed[p])
        ours = pump.Configured[p] and not pump.Stopped[p] and pump.Authority[p] != LOCAL
        tripped = pump.LevelTrip[p] or pump.LevelStop[p]
        pump.Usable[p] = ours and not tripped and high > 0.0
        command, guarded = pump.Demand[p], 0
        if ours and pump.LevelStop[p]:
            command = 0.0
            guarded = 0 if pump.Demand[p] <= 0.0 else STOP_LEVEL
        elif pump.Usable[p] and pump.AllRun[p]:
            command = high
            guarded = 0 if pump.Demand[p] == high else ALL_RUN_LEVEL
        pump.Command[p], pump.Guarded[p] = command, guarded


@compiled
def _watch_over(station: Pins, pump: Pins) -> None:
    for s in range(len(station.StartDue)):
        station.StartDue[s] = station.SomeRuns[s] = station.GuardsRun[s] = False
        station.SparePump[s] = station.GuardPump[s] = station.GuardRank[s] = 0
    _obey_level(pump)
    relieve(station, pump)
    run_one(station, pump)


class Duty(Block):
    """Turns the demand of each pump into its command, as level and run times have it.

    In this order; Guarded names each that changed the demand. A pump that is stopped or under local
    control keeps its demand, and is not counted on.

    1. Stop level: while LevelStop is set the command is 0.
    2. All-run level: while AllRun is set it is the highest speed in force.
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
        Pump.RelievedBy,
        Pump.Guarded,
        Pump.Command,
    )
    law = staticmethod(_watch_over)
