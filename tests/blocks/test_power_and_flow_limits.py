"""The enforcer: hard limits of the measured power and flow."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump
from tests.blocks.enforcer import leaping, run_at
from tests.plc import Plc

POWER, FLOW = 1 << 4, 1 << 5


@pytest.fixture
def plc() -> Plc:
    return leaping()


@pytest.mark.parametrize(
    ("measured", "maximum", "bit"),
    [(Pump.MeasuredPower, Pump.HardMaxPower, POWER), (Pump.MeasuredFlow, Pump.HardMaxFlow, FLOW)],
)
def test_too_much_power_or_flow_slows_the_pump_down_and_says_so(
    plc: Plc, measured: Tag, maximum: Tag, bit: int
) -> None:
    run_at(plc, 45.0)
    plc[measured][0] = plc[maximum][0] + 1.0
    plc.run_for(1.0)
    assert plc[Pump.Setpoint][0] == pytest.approx(43.0)
    assert plc[Pump.Limited][0] & bit
    plc.settle()
    assert plc[Pump.Setpoint][0] == 25.0


def test_too_much_power_and_too_much_flow_are_both_named(plc: Plc) -> None:
    run_at(plc, 45.0)
    plc[Pump.MeasuredPower][0] = plc[Pump.MeasuredFlow][0] = 1000.0
    plc.step()
    assert plc[Pump.Setpoint][0] == pytest.approx(44.8)
    assert plc[Pump.Limited][0] == POWER | FLOW


@pytest.mark.parametrize("measured", [Pump.MeasuredPower, Pump.MeasuredFlow])
def test_too_much_power_or_flow_keeps_a_stopped_pump_stopped(plc: Plc, measured: Tag) -> None:
    plc[measured][0] = 1000.0
    plc.plan(0, speed=45.0)
    plc.settle()
    assert plc[Pump.Setpoint][0] == 0.0


@pytest.mark.parametrize("measured", [Pump.MeasuredPower, Pump.MeasuredFlow])
def test_a_bad_measurement_limits_nothing_and_raises_nothing(plc: Plc, measured: Tag) -> None:
    run_at(plc, 45.0)
    plc[measured][0] = math.nan
    plc.settle()
    assert plc[Pump.Setpoint][0] == 45.0


@pytest.mark.parametrize("measured", [Pump.MeasuredPower, Pump.MeasuredFlow])
def test_a_measurement_that_was_too_high_and_is_bad_now_limits_nothing(
    plc: Plc, measured: Tag
) -> None:
    run_at(plc, 45.0)
    plc[measured][0] = 1000.0
    plc.run_for(1.0)
    assert plc[Pump.Setpoint][0] < 45.0
    plc[measured][0] = math.nan
    plc.settle()
    assert plc[Pump.Setpoint][0] == 45.0


def test_power_and_flow_may_each_be_as_high_as_its_own_limit(plc: Plc) -> None:
    run_at(plc, 45.0)
    plc[Pump.MeasuredPower][0] = plc[Pump.HardMaxPower][0]
    plc[Pump.MeasuredFlow][0] = plc[Pump.HardMaxFlow][0]
    plc.settle()
    assert plc[Pump.Setpoint][0] == 45.0
    assert plc[Pump.Limited][0] == 0
