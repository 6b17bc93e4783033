"""Limits: the enforcer that every setpoint passes, whatever it comes from."""

from __future__ import annotations

import numpy as np

from blocks.block import Block, Flag, scratch
from runtime.layout import Columns
from runtime.tag import Quality
from runtime.tags import Pump, Station, System

FILLING = Station.FlowDirection.number("filling")
DEFAULT, HOLD = (Station.WithoutLevel.number(word) for word in ("default", "hold"))
SPEED, RATE, LEVEL, LEVEL_LOST, POWER, FLOW, NOT_A_NUMBER = (
    np.uint32(1 << Pump.Limited.number(word))
    for word in ("speed", "rate", "level", "level lost", "power", "flow", "not a number")
)


class Limits(Block):
    """The only writer of the setpoint. In this order, each limit that acts setting its bit:

    1. Not a number: a demand that is not finite becomes DefaultSetpoint.
    2. Speed: a demand above 0 is held between LowLimit = max(MinSpeed, HardMinSpeed), at most
       HighLimit, and HighLimit = min(MaxSpeed, HardMaxSpeed); 0 and less is stop, never a speed to
       clamp up.
    3. Level: while LevelTrip is set the pump stops at once.
    4. Level lost: without a good level of the station, not above what WithoutLevel says: 0,
       DefaultSetpoint, or the setpoint in force.
    5. Power, flow: while a good measurement is above its hard limit, the setpoint goes down at the
       rate of change, to LowLimit at the least, and a stopped pump does not start.
    6. Rate: in a scan, not by more than MaxSpeedChange · Elapsed. A start begins at LowLimit (where
       that is 0, with one such step), and a stop that would fall below it ends at 0. Trips and
       emergency stops are never held back: they go down at once.

    Each acts on what the one before leaves; Level acts whenever it trips. Hard limits beat the
    rate: should they be changed, the setpoint is inside them in the same scan. An unconfigured pump
    is stopped.

    | LevelTrip | event                                                             | next  |
    |-----------|-------------------------------------------------------------------|-------|
    | clear     | emptying: level <= max(HardMinLevel, EmergencyStopLevel,          |       |
    |           | DryRunLevel); filling: level >= min(HardMaxLevel,                 |       |
    |           | EmergencyStopLevel)                                               | set   |
    | set       | emptying: level >= RestartLevel; filling: level <= RestartLevel   | clear |
    | any       | the level is not good                                             | same  |

    Setting wins over clearing, and needs a configured pump. Levels act on the side that protects
    the pump. On the other side they never stop or slow it: a full well needs its pumps.
    """

    reads = (
        System.Elapsed,
        Station.Level,
        Station.LevelQuality,
        Station.FlowDirection,
        Station.WithoutLevel,
        Pump.Station,
        Pump.Configured,
        Pump.Demand,
        Pump.Stopped,
        Pump.DefaultSetpoint,
        Pump.MinSpeed,
        Pump.MaxSpeed,
        Pump.HardMinSpeed,
        Pump.HardMaxSpeed,
        Pump.HardMinLevel,
        Pump.HardMaxLevel,
        Pump.EmergencyStopLevel,
        Pump.DryRunLevel,
        Pump.RestartLevel,
        Pump.HardMaxPower,
        Pump.HardMaxFlow,
        Pump.MaxSpeedChange,
        Pump.Power,
        Pump.PowerQuality,
        Pump.Flow,
        Pump.FlowQuality,
    )
    writes = (Pump.LowLimit, Pump.HighLimit, Pump.LevelTrip, Pump.Limited, Pump.Setpoint)

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.elapsed = self.real(System.Elapsed)
        self.well = self.real(Station.Level)
        self.well_quality = self.number(Station.LevelQuality)
        self.well_direction = self.number(Station.FlowDirection)
        self.well_without = self.number(Station.WithoutLevel)
        self.station = self.number(Pump.Station)
        self.configured = self.flag(Pump.Configured)
        self.demand = self.real(Pump.Demand)
        self.stopped = self.flag(Pump.Stopped)
        self.default = self.real(Pump.DefaultSetpoint)
        self.min_speed = self.real(Pump.MinSpeed)
        self.max_speed = self.real(Pump.MaxSpeed)
        self.hard_min_speed = self.real(Pump.HardMinSpeed)
        self.hard_max_speed = self.real(Pump.HardMaxSpeed)
        self.hard_min_level = self.real(Pump.HardMinLevel)
        self.hard_max_level = self.real(Pump.HardMaxLevel)
        self.emergency_level = self.real(Pump.EmergencyStopLevel)
        self.dry_run_level = self.real(Pump.DryRunLevel)
        self.restart_level = self.real(Pump.RestartLevel)
        self.max_speed_change = self.real(Pump.MaxSpeedChange)
        self.measured = (
            (self.real(Pump.Power), self.number(Pump.PowerQuality), Pump.HardMaxPower, POWER),
            (self.real(Pump.Flow), self.number(Pump.FlowQuality), Pump.HardMaxFlow, FLOW),
        )
        self.maxima = {tag: self.real(tag) for _, _, tag, _ in self.measured}
        self.low = self.real(Pump.LowLimit)
        self.high = self.real(Pump.HighLimit)
        self.trip = self.flag(Pump.LevelTrip)
        self.limited = self.number(Pump.Limited)
        self.setpoint = self.real(Pump.Setpoint)
        self._make_scratch()

    def _make_scratch(self) -> None:
        self.wanted = scratch(self.setpoint)
        self.step = scratch(self.setpoint)
        self.slower = scratch(self.setpoint)
        self.faster = scratch(self.setpoint)
        self.level = scratch(self.setpoint)
        self.bound = scratch(self.setpoint)
        self.cap = scratch(self.setpoint)
        self.code = np.zeros(len(self.setpoint), "u1")
        self.bits = scratch(self.setpoint, "u4")
        self.good = scratch(self.setpoint, "?")
        self.filling = scratch(self.setpoint, "?")
        self.running = scratch(self.setpoint, "?")
        self.acts = scratch(self.setpoint, "?")
        self.part = scratch(self.setpoint, "?")

    def execute(self) -> None:
        self.limited.fill(0)
        np.multiply(self.max_speed_change, self.elapsed, out=self.step)
        self._require_number()
        self._limit_speed()
        self._trip_on_level()
        self._bound_without_level()
        self._bound_power_and_flow()
        self._limit_rate()
        self._release()

    def _note(self, acts: Flag, bit: np.uint32) -> None:
        np.multiply(acts, bit, out=self.bits)
        np.bitwise_or(self.limited, self.bits, out=self.limited)

    def _require_number(self) -> None:
        np.isfinite(self.demand, out=self.acts)
        np.logical_not(self.acts, out=self.acts)
        np.copyto(self.wanted, self.demand)
        np.copyto(self.wanted, self.default, where=self.acts)
        self._note(self.acts, NOT_A_NUMBER)

    def _limit_speed(self) -> None:
        np.minimum(self.max_speed, self.hard_max_speed, out=self.high)
        np.maximum(self.min_speed, self.hard_min_speed, out=self.low)
        np.minimum(self.low, self.high, out=self.low)
        np.greater(self.wanted, 0.0, out=self.running)
        np.maximum(self.wanted, self.low, out=self.bound)
        np.minimum(self.bound, self.high, out=self.bound)
        np.not_equal(self.bound, self.wanted, out=self.acts)
        np.logical_and(self.acts, self.running, out=self.acts)
        self.wanted.fill(0.0)
        np.copyto(self.wanted, self.bound, where=self.running)
        self._note(self.acts, SPEED)

    def _trip_on_level(self) -> None:
        np.take(self.well, self.station, out=self.level, mode="clip")
        np.take(self.well_quality, self.station, out=self.code, mode="clip")
        np.equal(self.code, Quality.GOOD, out=self.good)
        np.take(self.well_direction, self.station, out=self.code, mode="clip")
        np.equal(self.code, FILLING, out=self.filling)

        np.less_equal(self.level, self.restart_level, out=self.acts)
        np.greater_equal(self.level, self.restart_level, out=self.part)
        np.copyto(self.part, self.acts, where=self.filling)
        np.logical_and(self.part, self.good, out=self.part)
        np.logical_not(self.part, out=self.part)
        np.logical_and(self.trip, self.part, out=self.trip)

        np.maximum(self.hard_min_level, self.emergency_level, out=self.bound)
        np.maximum(self.bound, self.dry_run_level, out=self.bound)
        np.less_equal(self.level, self.bound, out=self.part)
        np.minimum(self.hard_max_level, self.emergency_level, out=self.bound)
        np.greater_equal(self.level, self.bound, out=self.acts)
        np.copyto(self.part, self.acts, where=self.filling)
        np.logical_and(self.part, self.good, out=self.part)
        np.logical_and(self.part, self.configured, out=self.part)
        np.logical_or(self.trip, self.part, out=self.trip)

        np.copyto(self.wanted, 0.0, where=self.trip)
        self._note(self.trip, LEVEL)

    def _bound_without_level(self) -> None:
        np.take(self.well_without, self.station, out=self.code, mode="clip")
        self.cap.fill(0.0)
        np.equal(self.code, DEFAULT, out=self.part)
        np.copyto(self.cap, self.default, where=self.part)
        np.equal(self.code, HOLD, out=self.part)
        np.copyto(self.cap, self.setpoint, where=self.part)
        np.greater(self.wanted, self.cap, out=self.acts)
        np.logical_not(self.good, out=self.part)
        np.logical_and(self.acts, self.part, out=self.acts)
        np.copyto(self.wanted, self.cap, where=self.acts)
        self._note(self.acts, LEVEL_LOST)

    def _bound_power_and_flow(self) -> None:
        np.subtract(self.setpoint, self.step, out=self.slower)
        np.maximum(self.slower, self.low, out=self.bound)
        np.greater(self.setpoint, 0.0, out=self.part)
        np.multiply(self.bound, self.part, out=self.bound)
        for value, quality, maximum, bit in self.measured:
            np.greater(value, self.maxima[maximum], out=self.acts)
            np.equal(quality, Quality.GOOD, out=self.part)
            np.logical_and(self.acts, self.part, out=self.acts)
            np.greater(self.wanted, self.bound, out=self.part)
            np.logical_and(self.acts, self.part, out=self.acts)
            np.copyto(self.wanted, self.bound, where=self.acts)
            self._note(self.acts, bit)

    def _limit_rate(self) -> None:
        np.add(self.setpoint, self.step, out=self.faster)
        np.maximum(self.faster, self.low, out=self.faster)
        np.less_equal(self.setpoint, 0.0, out=self.part)
        np.greater(self.low, 0.0, out=self.acts)
        np.logical_and(self.part, self.acts, out=self.part)
        np.copyto(self.faster, self.low, where=self.part)
        np.minimum(self.wanted, self.faster, out=self.bound)

        # A stop runs down to the lowest speed and ends there.
        np.less(self.slower, self.low, out=self.part)
        np.copyto(self.slower, 0.0, where=self.part)
        np.maximum(self.bound, self.slower, out=self.cap)
        np.logical_or(self.trip, self.stopped, out=self.part)
        np.copyto(self.cap, self.bound, where=self.part)

        np.not_equal(self.cap, self.wanted, out=self.acts)
        self._note(self.acts, RATE)

    def _release(self) -> None:
        np.greater(self.cap, 0.0, out=self.running)
        np.maximum(self.cap, self.low, out=self.cap)
        np.minimum(self.cap, self.high, out=self.cap)
        np.logical_and(self.running, self.configured, out=self.running)
        np.isfinite(self.cap, out=self.part)
        np.logical_and(self.running, self.part, out=self.running)
        self.setpoint.fill(0.0)
        np.copyto(self.setpoint, self.cap, where=self.running)
