"""Feedback: gives every measurement its quality, and the reason where it is not Good."""

from __future__ import annotations

import math

from blocks.arithmetic import distance, larger, smaller
from blocks.block import Block, Pins
from runtime.compiled import compiled
from runtime.layout import Columns
from runtime.tag import Quality
from runtime.tags import FOREVER, Pump, System

EARLY = 1.0  # s by which a measurement may seem to come from the future: clocks differ that much
LEAST = 1.0  # s; over less than this, noise and rounded times would look like a fast change

_MEASURED = (Pump.MeasuredSpeed, Pump.MeasuredPower, Pump.MeasuredFlow, Pump.MeasuredLevel)
_ACCEPTED = (Pump.Speed, Pump.Power, Pump.Flow, Pump.Level)
_TIMES = (Pump.SpeedTime, Pump.PowerTime, Pump.FlowTime, Pump.LevelTime)
_STILL = (Pump.SpeedStill, Pump.PowerStill, Pump.FlowStill, Pump.LevelStill)
_DOUBTS = (Pump.SpeedDoubt, Pump.PowerDoubt, Pump.FlowDoubt, Pump.LevelDoubt)
_QUALITIES = (Pump.SpeedQuality, Pump.PowerQuality, Pump.FlowQuality, Pump.LevelQuality)
_LOWEST = tuple(value.low for value in _ACCEPTED)
_HIGHEST = tuple(value.high for value in _ACCEPTED)
_MAY_STAY = (True, True, True, False)  # the same while the pump stands

_BAD, _UNCERTAIN, _GOOD = int(Quality.BAD), int(Quality.UNCERTAIN), int(Quality.GOOD)
_NONE = Pump.LevelDoubt.number("none")
_NOT_MEASURED = Pump.LevelDoubt.number("not measured")
_STALE = Pump.LevelDoubt.number("stale")
_OUT_OF_RANGE = Pump.LevelDoubt.number("out of range")
_TOO_FAST = Pump.LevelDoubt.number("changes too fast")
_STUCK = Pump.LevelDoubt.number("stuck")


@compiled
def _doubt_of_all(configured: bool, time: float, now: float, max_age: float) -> int:
    """Why nothing counts that the pump reports."""
    if not configured or time == 0.0:
        return _NOT_MEASURED
    return _NONE if -EARLY <= now - time <= max_age else _STALE


@compiled
def _doubt(
    measured: float, span: tuple[float, float], accepted: float, band: float, stuck: bool
) -> int:
    """Why a measurement is not accepted after the one that was."""
    if math.isnan(measured):
        return _NOT_MEASURED
    if measured < span[0] or measured > span[1]:
        return _OUT_OF_RANGE
    if distance(measured, accepted) > band:
        return _TOO_FAST
    return _STUCK if stuck else _NONE


@compiled
def _band(rate: float, time: float, accepted_at: float, max_age: float) -> float:
    """How far a value may be from the accepted one; any distance if there is none in time."""
    apart = distance(time, accepted_at)
    return math.inf if accepted_at == 0.0 or apart > max_age else rate * larger(apart, LEAST)


@compiled
def _quality(doubt: int, age: float, max_age: float) -> int:
    """What the doubt makes of the value that is shown, which has this age."""
    if doubt == _NONE:
        return _GOOD
    return _UNCERTAIN if doubt == _TOO_FAST and age <= max_age else _BAD


@compiled
def _judge(
    system: Pins,
    pump: Pins,
    kinds: tuple[Pins, ...],
    rates: tuple[float, ...],
    stuck: tuple[float, ...],
    max_age: float,
) -> None:
    now, elapsed = system.Now[0], system.Elapsed[0]
    for p in range(len(pump.Configured)):
        time = pump.MeasuredTime[p]
        pump.FeedbackAge[p] = larger(smaller(FOREVER, now - time), 0.0)
        fresh = _doubt_of_all(pump.Configured[p], time, now, max_age) == _NONE
        pump.RunningQuality[p] = _GOOD if fresh else _BAD
        if fresh:
            pump.Running[p] = pump.MeasuredRunning[p]
            pump.LocalControl[p] = pump.MeasuredLocal[p]

    all_measured, all_accepted, all_times, all_still, all_doubts, all_qualities = kinds
    for kind in range(len(rates)):
        measured, accepted, accepted_at = all_measured[kind], all_accepted[kind], all_times[kind]
        still, doubts, quality = all_still[kind], all_doubts[kind], all_qualities[kind]
        span, rate, patience = (_LOWEST[kind], _HIGHEST[kind]), rates[kind], stuck[kind]
        may_stay = _MAY_STAY[kind]
        for p in range(len(pump.Configured)):
            time = pump.MeasuredTime[p]
            doubt = _doubt_of_all(pump.Configured[p], time, now, max_age)
            if doubt == _NONE:
                same = measured[p] == accepted[p] and (pump.Running[p] or not may_stay)
                still[p] = smaller(still[p] + elapsed, FOREVER) if same else 0.0
                band = _band(rate, time, accepted_at[p], max_age)
                doubt = _doubt(measured[p], span, accepted[p], band, still[p] > patience > 0.0)
            if doubt == _NONE:
                accepted[p], accepted_at[p] = measured[p], time
            doubts[p] = doubt
            quality[p] = _quality(doubt, now - accepted_at[p], max_age)


class Feedback(Block):
    """Validates what the plant reports. A value is accepted, and Good, without a doubt:

    | doubt            | when                                                      | quality   |
    |------------------|-----------------------------------------------------------|-----------|
    | not measured     | the pump is not in use, never reported, or reports NaN     | Bad       |
    | stale            | Now − MeasuredTime is not between −1 s and `max_age`       | Bad       |
    | out of range     | it is outside the range of its tag                         | Bad       |
    | changes too fast | abs(value − accepted) > rate · larger(time between, 1 s),  | Uncertain |
    |                  | unless none was accepted or time between > `max_age`       |           |
    | stuck            | the same, to the last digit, for longer than `stuck`, of a | Bad       |
    |                  | power or flow while Running for longer than `power_stuck`, |           |
    |                  | `flow_stuck`; 0 s is never; speed never                    |           |

    The first that holds counts. Where a value is not accepted the last accepted one stays, so
    nothing invented is ever shown. What is allowed between two values widens with the time between
    them (in whichever order they come), so a lasting change is accepted by itself; a value held for
    longer than `max_age` is Bad. Less than 1 s between counts as 1 s, or noise and rounded times
    would look like fast changes. How long a value is the same counts while it is fresh.

    The states Running and LocalControl are Good unless all is not measured or stale, and then they
    too stay as they were last known. FeedbackAge is Now − MeasuredTime, from 0 to the greatest.
    """

    reads = (
        System.Now,
        System.Elapsed,
        Pump.Configured,
        Pump.MeasuredTime,
        *_MEASURED,
        Pump.MeasuredRunning,
        Pump.MeasuredLocal,
    )
    writes = (
        Pump.FeedbackAge,
        *(*_ACCEPTED, *_TIMES, *_STILL, *_DOUBTS, *_QUALITIES),
        Pump.Running,
        Pump.LocalControl,
        Pump.RunningQuality,
    )
    law = staticmethod(_judge)

    def __init__(
        self,
        columns: Columns,
        max_age: float = 30.0,
        speed_rate: float = 50.0,
        power_rate: float = 1e9,
        flow_rate: float = 1e9,
        level_rate: float = 0.1,
        stuck: float = 3600.0,
        power_stuck: float = 0.0,
        flow_stuck: float = 0.0,
    ) -> None:
        kinds = tuple(
            tuple(self._column(columns, tag) for tag in tags)
            for tags in (_MEASURED, _ACCEPTED, _TIMES, _STILL, _DOUBTS, _QUALITIES)
        )
        rates = (speed_rate, power_rate, flow_rate, level_rate)
        super().__init__(columns, kinds, rates, (0.0, power_stuck, flow_stuck, stuck), max_age)
