"""Level control against closed-form answers: a well of known area is the plant.

Speeds are 0 to 100 Hz, so that 1 Hz is the hundredth part of what reference/control.md calls speed.
SIMC tuning for that well: K = 149.07 Hz/m and Ti = 280 s put both poles at 1 / 140 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.plc import Plc

AREA = 12.0  # m²
FLOW = 0.115 / 100  # m³/s for 1 Hz
TIME = 140.0  # s, twice the time constant of the closed loop
BALANCE = 50 * FLOW  # m³/s that a pump at 50 Hz moves
FREE: dict[Tag, float] = {
    Pump.ControlType: 1,
    Pump.MinSpeed: 0.0,
    Pump.HardMinSpeed: 0.0,
    Pump.MaxSpeed: 100.0,
    Pump.HardMaxSpeed: 100.0,
    Pump.DefaultSetpoint: 50.0,
    Pump.MaxSpeedChange: 100.0,
    Pump.HardMinLevel: -10.0,
    Pump.DryRunLevel: -10.0,
    Pump.EmergencyStopLevel: -10.0,
    Pump.HardMaxLevel: 20.0,
    Pump.LevelGain: 149.0683,
    Pump.LevelResetTime: 280.0,
    Pump.LevelStartBand: 10.0,
    Pump.LevelStopBand: 10.0,
}


class Well:
    """A well with one pump, exact for a setpoint that stands still from scan to scan.

    `inflow` in m³/s is a function of the time in s since the well was left to itself. A filling
    station has it the other way: `inflow` flows out, and the pump fills.
    """

    def __init__(self, plc: Plc, level: float) -> None:
        self.level = level
        self.time = 0.0
        self.sign = -1.0 if plc[Station.FlowDirection][0] else 1.0
        self.inflow: Callable[[float], float] = lambda time: BALANCE
        plc.before_scan = self.pass_time

    def pass_time(self, plc: Plc) -> None:
        period = plc.clock.period
        pumped = FLOW * float(plc[Pump.Setpoint][0])
        self.level += self.sign * (self.inflow(self.time) - pumped) * period / AREA
        self.time += period
        plc[Pump.MeasuredLevel][:] = self.level
        plc.renew()

    def leave(self, inflow: Callable[[float], float]) -> None:
        self.time = 0.0
        self.inflow = inflow


def in_balance(period: float = 1.0, filling: bool = False, **parameters: float) -> tuple[Plc, Well]:
    """A controlled pump at 50 Hz that holds 1.5 m."""
    plc = Plc(period)
    for tag, value in FREE.items():
        plc[tag][:] = value
    if filling:
        plc[Station.FlowDirection][:] = 1
        plc[Pump.EmergencyStopLevel][:] = 20.0
    for name, value in parameters.items():
        plc[Pump.tag(name)][:] = value
    plc[Pump.MeasuredLevel][:] = 1.5
    plc.run_for(2.0)
    well = Well(plc, 1.5)
    plc.plan(0, level=1.5, seconds=1e9)
    plc.step(5)
    assert plc[Pump.LevelEngaged][0]
    assert plc[Pump.Setpoint][0] == 50.0
    return plc, well


@pytest.mark.parametrize(("period", "filling"), [(0.2, False), (1.0, False), (1.0, True)])
def test_a_load_step_is_answered_as_two_equal_poles_answer(period: float, filling: bool) -> None:
    plc, well = in_balance(period, filling)
    well.leave(lambda time: BALANCE + 0.012)
    deviations = []
    while well.time < 1000.0:
        plc.step()
        deviations.append(well.sign * (well.level - 1.5))
        exact = 0.012 / AREA * well.time * math.exp(-well.time / TIME)
        assert deviations[-1] == pytest.approx(exact, abs=4e-4 * period)
    assert max(deviations) == pytest.approx(0.051503, abs=2e-4)
    assert period * deviations.index(max(deviations)) == pytest.approx(140.0, abs=2.0)


def test_a_step_of_the_target_is_answered_as_two_equal_poles_and_a_zero_answer() -> None:
    plc, well = in_balance(period=0.2)
    well.leave(lambda time: BALANCE)
    plc.plan(0, level=1.4, seconds=1e9)
    answers = {}
    while well.time < 400.0:
        plc.step()
        answers[round(well.time, 1)] = (1.5 - well.level) / 0.1
    assert answers[60.0] == pytest.approx(0.627749, abs=1e-3)
    assert answers[140.0] == pytest.approx(1.0, abs=1e-3)
    assert max(answers.values()) == pytest.approx(1.135335, abs=1e-3)
    assert max(answers, key=answers.__getitem__) == pytest.approx(280.0, abs=2.0)


@pytest.mark.parametrize("highest", [100.0, 70.0])
def test_a_storm_winds_nothing_up_whatever_limits_the_speed(highest: float) -> None:
    plc, well = in_balance(HardMaxSpeed=highest)
    well.leave(lambda time: (1.2 if time < 1200.0 else 0.4) * highest * FLOW)
    plc.run_for(1200.0)
    assert plc[Pump.Setpoint][0] == highest
    assert well.level > 3.0
    levels = []
    while well.time < 4500.0:
        plc.step()
        levels.append(well.level)
    assert min(levels) > 1.5 - 0.15
    assert levels[-1] == pytest.approx(1.5, abs=0.01)


def test_the_reference_storm_is_over_within_the_reference_time() -> None:
    plc, well = in_balance()
    plc.plan(0, level=1.2, seconds=1e9)
    well.leave(lambda time: 0.05)
    plc.run_for(1500.0)
    well.leave(lambda time: 0.14 if 600.0 <= time < 1800.0 else 0.05)
    plc.run_for(1800.0)
    after = {}
    while well.time < 3500.0:
        plc.step()
        after[well.time - 1800.0] = well.level
    assert min(after.values()) >= 1.10
    assert max(time for time, level in after.items() if abs(level - 1.2) > 0.05) <= 860.0


@pytest.mark.parametrize(
    ("period", "seconds", "derivative"),
    [(1.0, 1.0, 0.075), (1.0, 5.0, 0.145313), (0.01, 5.0, 0.148989)],
)
def test_the_derivative_follows_a_ramp_of_the_level_through_its_filter(
    period: float, seconds: float, derivative: float
) -> None:
    plc, well = in_balance(
        period,
        LevelGain=1.5,
        LevelDerivativeTime=10.0,
        LevelFilterTime=1.0,
        LevelDeadband=5.0,  # so that the derivative is all that moves
    )
    well.leave(lambda time: FLOW * plc[Pump.Setpoint][0] + 0.01 * AREA)
    plc.run_for(seconds)
    assert plc[Pump.LevelDemand][0] - 50.0 == pytest.approx(derivative, rel=0.006)


def test_a_step_of_the_target_is_none_to_the_derivative() -> None:
    plc, _ = in_balance(LevelDerivativeTime=100.0, LevelDeadband=5.0)
    plc.plan(0, level=2.5, seconds=1e9)
    plc.step()
    assert plc[Pump.LevelDemand][0] == 50.0


def test_the_controller_takes_over_from_hand_without_a_bump() -> None:
    plc, well = in_balance(LevelGain=150.0)
    plc.ask(Pump.Mode, 0, 1)
    plc.ask(Pump.ManualSetpoint, 0, 62.0)
    plc.step(2)
    well.level = 1.8
    well.inflow = lambda time: 62.0 * FLOW
    plc.ask(Pump.Mode, 0, 0)
    plc.step()
    assert plc[Pump.Setpoint][0] == 62.0
    plc.step()
    assert plc[Pump.LevelEngaged][0]
    assert plc[Pump.Setpoint][0] == pytest.approx(62.0, abs=1e-9)
    plc.step()
    assert plc[Pump.Setpoint][0] == pytest.approx(62.1607, abs=1e-4)
