"""Feedback: gives every measurement its quality, and every station its level."""

from __future__ import annotations

import numpy as np

from blocks.block import Block, Flag, Number, Real, scratch
from runtime.layout import Columns
from runtime.tag import Quality, Tag
from runtime.tags import FOREVER, Pump, Station, System

EARLY = 1.0  # s by which a measurement may seem to come from the future: clocks differ that much

_VALUES: tuple[tuple[Tag, Tag, Tag], ...] = (
    (Pump.MeasuredSpeed, Pump.Speed, Pump.SpeedQuality),
    (Pump.MeasuredPower, Pump.Power, Pump.PowerQuality),
    (Pump.MeasuredFlow, Pump.Flow, Pump.FlowQuality),
    (Pump.MeasuredLevel, Pump.Level, Pump.LevelQuality),
)
_STATES: tuple[tuple[Tag, Tag], ...] = (
    (Pump.MeasuredRunning, Pump.Running),
    (Pump.MeasuredLocal, Pump.LocalControl),
)


class Feedback(Block):
    """Validates what the plant reports.

    FeedbackAge is Now − MeasuredTime, from 0 to the greatest there is. A measurement is fresh while
    Now − MeasuredTime is between −1 s and `max_age`, there is one, and its pump is configured. A
    value is Good when it is fresh and within the range of its tag (NaN is within none);
    otherwise it is Bad and the last good value stays, so nothing invented is ever shown. The states
    Running and LocalControl are Good when fresh, otherwise Bad, and they too stay as they were last
    known. FeedbackLost is true for a configured pump whose measurement is not fresh or whose
    station's level is Bad.

    A station's level is the mean of its pumps' Good levels (their sum in the order of the slots, by
    their number); without any it is Bad and the last mean stays.
    """

    reads = (
        System.Now,
        Pump.Configured,
        Pump.Station,
        Pump.MeasuredTime,
        *(measured for measured, _, _ in _VALUES),
        *(measured for measured, _ in _STATES),
    )
    writes = (
        Pump.FeedbackAge,
        *(tag for _, value, quality in _VALUES for tag in (value, quality)),
        *(state for _, state in _STATES),
        Pump.RunningQuality,
        Pump.FeedbackLost,
        Station.Level,
        Station.LevelQuality,
    )

    def __init__(self, columns: Columns, max_age: float = 30.0) -> None:
        super().__init__(columns)
        self.max_age = np.float64(max_age)
        self.now = self.real(System.Now)
        self.configured = self.flag(Pump.Configured)
        self.station = self.number(Pump.Station)
        self.time = self.real(Pump.MeasuredTime)
        self.age = self.real(Pump.FeedbackAge)
        self.lost = self.flag(Pump.FeedbackLost)
        self.level = self.real(Pump.Level)
        self.level_quality = self.number(Pump.LevelQuality)
        self.running_quality = self.number(Pump.RunningQuality)
        self.values: list[tuple[Real, Real, Number, float, float]] = [
            (self.real(measured), self.real(value), self.number(quality), value.low, value.high)
            for measured, value, quality in _VALUES
        ]
        self.states: list[tuple[Flag, Flag]] = [
            (self.flag(measured), self.flag(state)) for measured, state in _STATES
        ]
        self.well = self.real(Station.Level)
        self.well_quality = self.number(Station.LevelQuality)
        self.fresh = scratch(self.age, "?")
        self.good = scratch(self.age, "?")
        self.part = scratch(self.age, "?")
        self.term = scratch(self.age)
        self.sum = scratch(self.well)
        self.count = scratch(self.well)
        self.any = scratch(self.well, "?")

    def execute(self) -> None:
        self._judge_age()
        for measured, value, quality, low, high in self.values:
            np.greater_equal(measured, low, out=self.good)
            np.less_equal(measured, high, out=self.part)
            np.logical_and(self.good, self.part, out=self.good)
            np.logical_and(self.good, self.fresh, out=self.good)
            np.copyto(value, measured, where=self.good)
            np.multiply(self.good, np.uint8(Quality.GOOD), out=quality)
        for reported, state in self.states:
            np.copyto(state, reported, where=self.fresh)
        np.multiply(self.fresh, np.uint8(Quality.GOOD), out=self.running_quality)
        self._combine_levels()
        np.take(self.any, self.station, out=self.lost, mode="clip")
        np.logical_and(self.lost, self.fresh, out=self.lost)
        np.logical_not(self.lost, out=self.lost)
        np.logical_and(self.lost, self.configured, out=self.lost)

    def _judge_age(self) -> None:
        np.subtract(self.now, self.time, out=self.age)
        np.greater_equal(self.age, -EARLY, out=self.fresh)
        np.less_equal(self.age, self.max_age, out=self.part)
        np.logical_and(self.fresh, self.part, out=self.fresh)
        np.not_equal(self.time, 0.0, out=self.part)
        np.logical_and(self.fresh, self.part, out=self.fresh)
        np.logical_and(self.fresh, self.configured, out=self.fresh)
        np.fmin(self.age, FOREVER, out=self.age)  # of a time that is no number, too
        np.maximum(self.age, 0.0, out=self.age)

    def _combine_levels(self) -> None:
        np.equal(self.level_quality, Quality.GOOD, out=self.good)
        np.multiply(self.level, self.good, out=self.term)
        self.sum.fill(0.0)
        self.count.fill(0.0)
        np.add.at(self.sum, self.station, self.term)
        np.copyto(self.term, self.good)
        np.add.at(self.count, self.station, self.term)
        np.greater(self.count, 0.0, out=self.any)
        np.maximum(self.count, 1.0, out=self.count)
        np.divide(self.sum, self.count, out=self.sum)
        np.copyto(self.well, self.sum, where=self.any)
        np.multiply(self.any, np.uint8(Quality.GOOD), out=self.well_quality)
