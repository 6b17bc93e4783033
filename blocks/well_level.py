"""Well level: one level of all sensors of a station, and what flows in."""

from __future__ import annotations

import numpy as np

from blocks.arithmetic import clamp, larger, row, smaller
from blocks.block import Block, Pins
from blocks.median import median
from runtime.compiled import compiled
from runtime.layout import Columns
from runtime.tag import Quality
from runtime.tags import FOREVER, Pump, Station, System

HOUR = 3600.0  # s
AGREE = 0.5  # of the difference

_BAD, _UNCERTAIN, _GOOD = int(Quality.BAD), int(Quality.UNCERTAIN), int(Quality.GOOD)
_FILLING = Station.FlowDirection.number("filling")
_LARGEST = Station.WellArea.high
_LOWEST, _HIGHEST = Station.Inflow.low, Station.Inflow.high
_MOST = int(np.iinfo(Station.LevelSensors.dtype).max)


@compiled
def _gather(pump: Pins, levels: Pins, ends: Pins, held: Pins) -> None:
    """The Good levels, station by station: those of station s are from ends[s − 1] to ends[s].

    A station is `held` if one of its levels is Uncertain.
    """
    ends[:] = 0
    held[:] = False
    for p in range(len(pump.Configured)):
        s = row(pump.Station[p], len(ends))
        ends[s] += pump.LevelQuality[p] == _GOOD
        held[s] |= pump.LevelQuality[p] == _UNCERTAIN
    before = 0
    for s in range(len(ends)):
        before, ends[s] = before + ends[s], before
    for p in range(len(pump.Configured)):
        if pump.LevelQuality[p] == _GOOD:
            s = row(pump.Station[p], len(ends))
            levels[ends[s]] = pump.Level[p]
            ends[s] += 1


@compiled
def _spread(levels: Pins, first: int, end: int) -> float:
    """Between the lowest and the highest."""
    lowest = highest = float(levels[first])
    for other in range(first + 1, end):
        lowest, highest = smaller(lowest, levels[other]), larger(highest, levels[other])
    return highest - lowest


@compiled
def _combine(
    station: Pins, levels: Pins, ends: Pins, held: Pins, elapsed: float, difference: float
) -> None:
    """The level of each station."""
    first = 0
    for s in range(len(ends)):
        end = ends[s]
        if end > first:
            station.LevelSpread[s] = _spread(levels, first, end)
            station.Level[s] = median(levels, first, end)
            station.LevelQuality[s] = _GOOD
            station.LevelLostTime[s] = 0.0
        else:
            station.LevelSpread[s] = 0.0
            station.LevelQuality[s] = _UNCERTAIN if held[s] else _BAD
            station.LevelLostTime[s] = smaller(station.LevelLostTime[s] + elapsed, FOREVER)
        bound = AGREE * difference if station.LevelsDiffer[s] else difference
        station.LevelsDiffer[s] = station.LevelSpread[s] > bound
        sensors = end - first if end - first < _MOST else _MOST
        if sensors != station.LevelSensors[s]:
            station.InflowLevel[s] = station.Level[s]  # what others measure is no rise
        station.LevelSensors[s] = sensors
        first = end


@compiled
def _add_flows(pump: Pins, pumped: Pins, unknown: Pins) -> None:
    """What the pumps of each station move; `unknown` where one turns and nobody knows its flow."""
    pumped[:] = 0.0
    unknown[:] = False
    for p in range(len(pump.Configured)):
        s = row(pump.Station[p], len(pumped))
        if pump.FlowQuality[p] == _GOOD:
            pumped[s] += pump.Flow[p]
        elif pump.Turning[p]:
            pumped[s] += pump.ExpectedFlow[p]
            unknown[s] |= pump.ExpectedFlow[p] == 0.0


@compiled
def _estimate(station: Pins, pumped: Pins, unknown: Pins, elapsed: float, smoothing: float) -> None:
    """The inflow of each station."""
    for s in range(len(pumped)):
        was_known = station.InflowQuality[s] == _GOOD
        measured = station.LevelQuality[s] == _GOOD and 0.0 < station.WellArea[s] <= _LARGEST
        gained = 0.0  # m³
        if measured:
            gained = station.WellArea[s] * (station.Level[s] - station.InflowLevel[s])
        if station.FlowDirection[s] == _FILLING:
            gained = -gained
        if not unknown[s]:
            begins = not was_known and station.Inflow[s] == 0.0
            before = pumped[s] if begins else station.Inflow[s]
            change = (elapsed * (pumped[s] - before) + HOUR * gained) / (smoothing + elapsed)
            station.Inflow[s] = clamp(before + change, _LOWEST, _HIGHEST)
        station.InflowLevel[s] = station.Level[s]
        station.InflowQuality[s] = _GOOD if measured and not unknown[s] else _BAD


@compiled
def _observe(
    system: Pins,
    station: Pins,
    pump: Pins,
    levels: Pins,
    ends: Pins,
    held: Pins,
    pumped: Pins,
    unknown: Pins,
    difference: float,
    smoothing: float,
) -> None:
    elapsed = system.Elapsed[0]
    _gather(pump, levels, ends, held)
    _combine(station, levels, ends, held, elapsed, difference)
    _add_flows(pump, pumped, unknown)
    _estimate(station, pumped, unknown, elapsed, smoothing)
    for p in range(len(pump.Configured)):
        quality = station.LevelQuality[row(pump.Station[p], len(station.LevelQuality))]
        lost = pump.RunningQuality[p] == _BAD or quality == _BAD
        pump.FeedbackLost[p] = pump.Configured[p] and lost


class WellLevel(Block):
    """Combines the levels that a station's pumps measure, and estimates its inflow.

    | Good levels | Level                                                            | quality   |
    |-------------|------------------------------------------------------------------|-----------|
    | odd number  | the middle one                                                   | Good      |
    | even number | the mean of the middle two                                       | Good      |
    | none        | stays; a level of its pumps is held because it changes too fast  | Uncertain |
    | none        | stays                                                            | Bad       |

    With three sensors one may fail in any way; with two a difference shows but not which is wrong.
    LevelSensors is their number (255 of more), LevelSpread the highest − the lowest. LevelsDiffer
    is set when LevelSpread > `difference` and cleared when it is at most half of that, so that
    waves between two sensors are one alarm and not many. LevelLostTime counts up while the quality
    is not Good. FeedbackLost is true for a configured pump that has not reported, or whose
    station's level is Bad.

    What flows into a well (or out of a tank that the pumps fill) is what the pumps move plus what
    the well gains (less what the tank does), through a filter of first order. In m³/h, m³, m², m
    and s, with 3600 s/h:

        gained := ± WellArea · (Level − Level before)
        change := elapsed · (pumped − Inflow) + 3600 · gained
        Inflow := Inflow + change / (`smoothing` + elapsed)

    A pump moves its Good Flow; without one what its learned curve expects while it is turning, and
    nothing at rest. Where a turning pump's flow is not known at all Inflow stays. Without a Good
    level or an area nothing is gained: Inflow settles at what is pumped. In all these cases it is
    Bad, otherwise Good. A level that differs because a sensor came or went is no gain. The estimate
    begins with what is pumped.
    """

    reads = (
        System.Elapsed,
        Station.FlowDirection,
        Station.WellArea,
        Pump.Configured,
        Pump.Station,
        Pump.Level,
        Pump.LevelQuality,
        Pump.Flow,
        Pump.FlowQuality,
        Pump.RunningQuality,
    )
    previous = (Pump.Turning, Pump.ExpectedFlow)
    writes = (
        Station.Level,
        Station.LevelQuality,
        Station.LevelSensors,
        Station.LevelSpread,
        Station.LevelsDiffer,
        Station.LevelLostTime,
        Station.Inflow,
        Station.InflowQuality,
        Station.InflowLevel,
        Pump.FeedbackLost,
    )
    law = staticmethod(_observe)

    def __init__(self, columns: Columns, difference: float = 0.2, smoothing: float = 60.0) -> None:
        stations, pumps = columns.rows(Station), columns.rows(Pump)
        super().__init__(
            columns,
            np.empty(pumps),
            np.empty(stations, np.int64),
            np.empty(stations, np.bool_),
            np.empty(stations),
            np.empty(stations, np.bool_),
            difference,
            smoothing,
        )
