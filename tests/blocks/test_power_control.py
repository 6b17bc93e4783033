"""Power control: the power that is asked for is the power that is measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from runtime.tags import Pump
from tests.plc import Plc

NOMINAL = 50.0  # Hz
FULL = 40.0  # kW at nominal speed
SETTLED = 1800.0  # s, many time constants of the closed loop


@dataclass
class Lift:
    """One pump against static head: affinity laws H = s²·30 − 2000·Q², system H = 8 + 1500·Q².

    Below s = √(8/30), its dead-head speed, it moves nothing; its power there is that of a closed
    valve. Efficiency is a parabola over Q / s. Scaled so that nominal speed takes `FULL` kW.
    """

    plc: Plc

    def __post_init__(self) -> None:
        self.full = self.shaft(1.0)
        self.plc.before_scan = self.measure

    def shaft(self, speed: float) -> float:
        flow = math.sqrt(max(0.0, speed**2 * 30.0 - 8.0) / 3500.0)
        head = speed**2 * 30.0 - 2000.0 * flow**2
        relative = flow / (speed * 0.12)
        return speed * head / (2.0 - relative)

    def power(self, speed: float) -> float:
        return FULL * self.shaft(speed / NOMINAL) / self.full if speed > 0.0 else 0.0

    def measure(self, plc: Plc) -> None:
        plc[Pump.MeasuredPower][0] = self.power(float(plc[Pump.Setpoint][0]))
        plc.renew()


@pytest.fixture
def plc() -> Plc:
    plc = Plc(period=1.0)
    plc[Pump.ControlType][:] = 2
    plc[Pump.DefaultSetpoint][:] = 45.0
    plc[Pump.HardMaxPower][:] = 100.0
    return plc


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_half_the_power_is_half_and_not_what_the_cube_law_thinks(plc: Plc, share: float) -> None:
    lift = Lift(plc)
    cube = lift.power(NOMINAL * share ** (1 / 3)) / FULL
    assert abs(cube - share) > 0.02, "the cube law is wrong for this pump"
    plc.plan(0, power=share * FULL, seconds=1e9)
    plc.run_for(SETTLED)
    assert lift.power(plc[Pump.Setpoint][0]) / FULL == pytest.approx(share, abs=1e-4)


def test_a_stopped_pump_starts_at_its_lowest_speed(plc: Plc) -> None:
    Lift(plc)
    plc.plan(0, power=20.0)
    plc.step()
    assert plc[Pump.Setpoint][0] == 25.0


def test_a_pump_whose_lowest_speed_is_0_starts_too(plc: Plc) -> None:
    plc[Pump.MinSpeed][:] = 0.0
    plc[Pump.HardMinSpeed][:] = 0.0
    lift = Lift(plc)
    plc.plan(0, power=20.0, seconds=1e9)
    plc.run_for(SETTLED)
    assert lift.power(plc[Pump.Setpoint][0]) == pytest.approx(20.0, abs=0.01)


def test_no_power_is_stop(plc: Plc) -> None:
    Lift(plc)
    plc.plan(0, power=20.0)
    plc.run_for(60.0)
    plc.plan(0, power=0.0)
    plc.run_for(60.0)
    assert plc[Pump.Authority][0] == 1
    assert plc[Pump.Setpoint][0] == 0.0


@pytest.mark.parametrize("power", [math.nan, math.inf, -math.inf, 1e9])
def test_a_bad_power_holds_the_speed_and_is_left_without_a_bump(plc: Plc, power: float) -> None:
    lift = Lift(plc)
    plc.plan(0, power=20.0, seconds=1e9)
    plc.run_for(SETTLED)
    held = plc[Pump.Setpoint][0]

    def lose(plc: Plc) -> None:
        lift.measure(plc)
        plc[Pump.MeasuredPower][0] = power

    plc.before_scan = lose
    plc.plan(0, power=30.0, seconds=1e9)
    plc.run_for(60.0)
    assert not plc[Pump.PowerEngaged][0]
    assert plc[Pump.Setpoint][0] == held
    plc.before_scan = lift.measure
    plc.step()
    assert plc[Pump.PowerEngaged][0]
    assert plc[Pump.Setpoint][0] == pytest.approx(held, abs=0.01)
    plc.run_for(SETTLED)
    assert lift.power(plc[Pump.Setpoint][0]) == pytest.approx(30.0, abs=0.01)


def test_a_power_that_can_not_be_reached_winds_nothing_up(plc: Plc) -> None:
    plc[Pump.HardMaxSpeed][:] = 40.0
    lift = Lift(plc)
    plc.plan(0, power=2.0 * FULL, seconds=1e9)
    plc.run_for(3600.0)
    assert plc[Pump.Setpoint][0] == 40.0
    plc.plan(0, power=10.0, seconds=1e9)
    plc.step(2)
    assert plc[Pump.Setpoint][0] < 40.0
    plc.run_for(SETTLED)
    assert lift.power(plc[Pump.Setpoint][0]) == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize("power", [1.7e308, -1.7e308])
def test_an_absurd_target_is_forgotten_with_the_plan_that_asked_for_it(
    plc: Plc, power: float
) -> None:
    lift = Lift(plc)
    plc.plan(0, power=20.0, seconds=1e9)
    plc.run_for(60.0)
    plc.plan(0, power=power, seconds=1e9)
    plc.run_for(60.0)
    plc.plan(0, power=20.0, seconds=1e9)
    plc.run_for(SETTLED)
    assert lift.power(plc[Pump.Setpoint][0]) == pytest.approx(20.0, abs=0.01)
