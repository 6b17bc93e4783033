"""Power control: the power that is asked for is the power that is measured."""

from __future__ import annotations

import math
from random import Random

import pytest

from runtime.tags import Pump
from tests.blocks import lift
from tests.plc import Plc

SETTLED = 1800.0  # s, many time constants of the closed loop


RIPPLE = Random(1)


def answer(plc: Plc) -> None:
    """What pump 0 shows, lifting against static head as fast as it is told to."""
    speed = float(plc[Pump.Setpoint][0])
    plc[Pump.MeasuredSpeed][0] = speed
    plc[Pump.MeasuredRunning][0] = speed > 0.0
    plc[Pump.MeasuredPower][0] = lift.power(speed) + RIPPLE.gauss(0.0, 1e-4)
    plc[Pump.MeasuredFlow][0] = lift.flow(speed) + RIPPLE.gauss(0.0, 1e-3)
    plc[Pump.MeasuredLevel][:] = 1.5 + RIPPLE.gauss(0.0, 1e-4)
    plc.renew()


def power(plc: Plc) -> float:
    return lift.power(float(plc[Pump.Setpoint][0]))


def prepared(period: float) -> Plc:
    plc = Plc(period)
    plc[Pump.ControlType][:] = 2
    plc[Pump.DefaultSetpoint][:] = 45.0
    plc[Pump.HardMaxPower][:] = 100.0
    plc.before_scan = answer
    return plc


@pytest.fixture
def plc() -> Plc:
    return prepared(period=1.0)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_half_the_power_is_half_and_not_what_the_cube_law_thinks(plc: Plc, share: float) -> None:
    cube = lift.power(lift.NOMINAL * share ** (1 / 3)) / lift.FULL_POWER
    assert abs(cube - share) > 0.02, "the cube law is wrong for this pump"
    plc.plan(0, power=share * lift.FULL_POWER, seconds=1e9)
    plc.run_for(SETTLED)
    assert power(plc) / lift.FULL_POWER == pytest.approx(share, abs=1e-4)


def test_a_stopped_pump_starts_at_its_lowest_speed(plc: Plc) -> None:
    plc.plan(0, power=20.0)
    plc.step()
    assert plc[Pump.Setpoint][0] == 25.0


def test_a_pump_whose_lowest_speed_is_0_starts_too(plc: Plc) -> None:
    plc[Pump.MinSpeed][:] = 0.0
    plc[Pump.HardMinSpeed][:] = 0.0
    plc.plan(0, power=20.0, seconds=1e9)
    plc.run_for(SETTLED)
    assert power(plc) == pytest.approx(20.0, abs=0.01)


def test_no_power_is_stop(plc: Plc) -> None:
    plc.plan(0, power=20.0)
    plc.run_for(60.0)
    plc.plan(0, power=0.0)
    plc.run_for(60.0)
    assert plc[Pump.Authority][0] == 1
    assert plc[Pump.Setpoint][0] == 0.0


@pytest.mark.parametrize("shown", [math.nan, math.inf, -math.inf, 1e9])
def test_a_bad_power_holds_the_speed_and_is_left_without_a_bump(plc: Plc, shown: float) -> None:
    plc.plan(0, power=20.0, seconds=1e9)
    plc.run_for(SETTLED)
    held = plc[Pump.Setpoint][0]

    def lose(plc: Plc) -> None:
        answer(plc)
        plc[Pump.MeasuredPower][0] = shown

    plc.before_scan = lose
    plc.plan(0, power=30.0, seconds=1e9)
    plc.run_for(60.0)
    assert not plc[Pump.PowerEngaged][0]
    assert plc[Pump.Setpoint][0] == held
    plc.before_scan = answer
    plc.step()
    assert plc[Pump.PowerEngaged][0]
    assert plc[Pump.Setpoint][0] == pytest.approx(held, abs=0.01)
    plc.run_for(SETTLED)
    assert power(plc) == pytest.approx(30.0, abs=0.01)


def test_what_was_learned_in_a_day_brings_the_pump_to_a_new_target_in_a_minute() -> None:
    plc = prepared(period=10.0)
    plc[Pump.PowerFeedForward][:] = 1.0
    for target in (8.0, 36.0, 20.0, 14.0, 30.0, 10.0):
        plc.plan(0, power=target, seconds=1e9)
        plc.run_for(4.0 * 3600.0)
    for target in (25.0, 12.0, 33.0):
        plc.plan(0, power=target, seconds=1e9)
        plc.run_for(60.0)
        assert power(plc) == pytest.approx(target, rel=0.05)
        plc.run_for(SETTLED)
        assert power(plc) == pytest.approx(target, rel=1e-3)


def test_a_power_that_can_not_be_reached_winds_nothing_up(plc: Plc) -> None:
    plc[Pump.HardMaxSpeed][:] = 40.0
    plc.plan(0, power=2.0 * lift.FULL_POWER, seconds=1e9)
    plc.run_for(3600.0)
    assert plc[Pump.Setpoint][0] == 40.0
    plc.plan(0, power=10.0, seconds=1e9)
    plc.step(2)
    assert plc[Pump.Setpoint][0] < 40.0
    plc.run_for(SETTLED)
    assert power(plc) == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize("absurd", [1.7e308, -1.7e308])
def test_an_absurd_target_is_forgotten_with_the_plan_that_asked_for_it(
    plc: Plc, absurd: float
) -> None:
    plc.plan(0, power=20.0, seconds=1e9)
    plc.run_for(60.0)
    plc.plan(0, power=absurd, seconds=1e9)
    plc.run_for(60.0)
    plc.plan(0, power=20.0, seconds=1e9)
    plc.run_for(SETTLED)
    assert power(plc) == pytest.approx(20.0, abs=0.01)
