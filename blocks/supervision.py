"""Supervision: does the pump follow its setpoint?"""

from __future__ import annotations

import numpy as np

from blocks.block import Block, scratch
from runtime.layout import Columns
from runtime.tag import Quality
from runtime.tags import Pump, System


class Supervision(Block):
    """NotFollowing is true when the good speed has differed from the setpoint by more than
    `tolerance` for longer than `delay`. DeviationTime counts up while it differs and falls back to
    0 when it does not, when the speed is not good, and under local control, where the pump has no
    reason to follow.
    """

    reads = (
        System.Elapsed,
        Pump.Configured,
        Pump.LocalControl,
        Pump.Speed,
        Pump.SpeedQuality,
        Pump.Setpoint,
    )
    writes = (Pump.DeviationTime, Pump.NotFollowing)

    def __init__(self, columns: Columns, tolerance: float = 2.0, delay: float = 15.0) -> None:
        super().__init__(columns)
        self.tolerance = np.float64(tolerance)
        self.delay = np.float64(delay)
        self.elapsed = self.real(System.Elapsed)
        self.configured = self.flag(Pump.Configured)
        self.local = self.flag(Pump.LocalControl)
        self.speed = self.real(Pump.Speed)
        self.quality = self.number(Pump.SpeedQuality)
        self.setpoint = self.real(Pump.Setpoint)
        self.time = self.real(Pump.DeviationTime)
        self.not_following = self.flag(Pump.NotFollowing)
        self.deviation = scratch(self.speed)
        self.deviates = scratch(self.speed, "?")
        self.part = scratch(self.speed, "?")

    def execute(self) -> None:
        np.subtract(self.setpoint, self.speed, out=self.deviation)
        np.absolute(self.deviation, out=self.deviation)
        np.greater(self.deviation, self.tolerance, out=self.deviates)
        np.equal(self.quality, Quality.GOOD, out=self.part)
        np.logical_and(self.deviates, self.part, out=self.deviates)
        np.logical_not(self.local, out=self.part)
        np.logical_and(self.deviates, self.part, out=self.deviates)
        np.logical_and(self.deviates, self.configured, out=self.deviates)
        np.add(self.time, self.elapsed, out=self.time)
        np.multiply(self.time, self.deviates, out=self.time)
        np.greater(self.time, self.delay, out=self.not_following)
