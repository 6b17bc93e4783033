"""Level guards: what the level of a station demands of its pumps in every mode."""

from __future__ import annotations

from blocks.allowance import DEFAULT, is_blind
from blocks.arithmetic import larger, row, smaller
from blocks.block import Block, Pins
from runtime.compiled import compiled
from runtime.tag import Quality
from runtime.tags import Pump, Station

GOOD = int(Quality.GOOD)
FILLING = Station.FlowDirection.number("filling")


@compiled
def trip_level(
    filling: bool, hard_min: float, hard_max: float, emergency: float, dry_run: float
) -> float:
    """The level that trips a pump: the first that is reached of those on its side."""
    if filling:
        return smaller(hard_max, emergency)
    return larger(larger(hard_min, emergency), dry_run)


@compiled
def _latched(latch: bool, sets: bool, clears: bool) -> bool:
    return sets or (latch and not clears)


@compiled
def _guard(station: Pins, pump: Pins) -> None:
    for p in range(len(pump.LevelTrip)):
        s = row(pump.Station[p], len(station.Level))
        if not pump.Configured[p]:
            continue
        quality = station.LevelQuality[s]
        if quality != GOOD:
            blind = is_blind(quality, station.LevelLostTime[s], station.LevelHold[s])
            pump.LevelStop[p] &= not (blind and station.WithoutLevel[s] == DEFAULT)
            continue
        filling = station.FlowDirection[s] == FILLING
        d = -1.0 if filling else 1.0
        trip = d * trip_level(
            filling,
            pump.HardMinLevel[p],
            pump.HardMaxLevel[p],
            pump.EmergencyStopLevel[p],
            pump.DryRunLevel[p],
        )
        level = d * station.Level[s]
        stop, restart = d * pump.StopLevel[p], d * pump.RestartLevel[p]
        start, all_run = d * pump.StartLevel[p], d * pump.AllRunLevel[p]

        pump.LevelTrip[p] = _latched(pump.LevelTrip[p], level <= trip, level >= restart)
        pump.LevelStop[p] = _latched(pump.LevelStop[p], level <= stop, level >= restart)
        may_run = not pump.LevelTrip[p] and not pump.LevelStop[p]
        runs = _latched(pump.LevelStart[p], level >= start, level <= stop)
        all_runs = _latched(pump.AllRun[p], level >= all_run, level <= start)
        pump.LevelStart[p] = may_run and runs
        pump.AllRun[p] = may_run and all_runs


class LevelGuards(Block):
    """Latches the level guards of each pump, from the good level of its station.

    A level is reached on the side that the pumps bring it to: from above in a station that is
    emptied, from below in one that is filled. The table is written for an emptying station; for a
    filling one, read >= for <= and <= for >=.

    | guard      | set                                              | cleared               |
    |------------|--------------------------------------------------|-----------------------|
    | LevelTrip  | level <= max(HardMinLevel, EmergencyStopLevel,   |                       |
    |            | DryRunLevel); filling: level >= min(HardMaxLevel,|                       |
    |            | EmergencyStopLevel)                              | level >= RestartLevel |
    | LevelStop  | level <= StopLevel                               | level >= RestartLevel |
    | LevelStart | level >= StartLevel                              | level <= StopLevel    |
    | AllRun     | level >= AllRunLevel                             | level <= StartLevel   |

    Setting wins over clearing, and LevelTrip and LevelStop clear the other two. Without a good
    level of the station, or while the pump is not configured, all stay as they are, but for this:

    | without a good level  | WithoutLevel | LevelTrip | LevelStop                               |
    |-----------------------|--------------|-----------|-----------------------------------------|
    | for LevelHold         | any          | stays     | stays                                   |
    | from then on          | default      | stays     | cleared: `limits` runs DefaultSetpoint  |
    | from then on          | stop, hold   | stays     | stays                                   |

    A well whose sensor dies at its stop level, in a dry night, fills again. Nothing would ever
    measure RestartLevel, so a stop that waited for it would flood what lies upstream, at the latest
    in the next storm; `default` is the engineer's word that the pumps shall then run without a
    level. The trip stays: what was last known is that the pump would run dry, and that ruins it in
    minutes. It takes a measurement or a hand on the spot. Who fears running dry more than flooding
    decides for `stop`, and `hold` starts nothing: both leave an empty well to itself.

    Levels act on the side that protects the pump. On the other side they never stop or slow it: a
    full well needs its pumps.

    LevelTrip is a trip, which `limits` carries out at once. `duty` carries out the others.
    """

    reads = (
        Station.Level,
        Station.LevelQuality,
        Station.LevelLostTime,
        Station.LevelHold,
        Station.WithoutLevel,
        Station.FlowDirection,
        Pump.Station,
        Pump.Configured,
        Pump.HardMinLevel,
        Pump.HardMaxLevel,
        Pump.EmergencyStopLevel,
        Pump.DryRunLevel,
        Pump.RestartLevel,
        Pump.StartLevel,
        Pump.StopLevel,
        Pump.AllRunLevel,
    )
    writes = (Pump.LevelTrip, Pump.LevelStop, Pump.LevelStart, Pump.AllRun)
    law = staticmethod(_guard)
