"""Limits that are no limits, as no configuration should let through: they are no leave."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump
from tests.blocks.enforcer import leaping, run_at
from tests.plc import Plc


@pytest.fixture
def plc() -> Plc:
    return leaping()


@pytest.mark.parametrize("limit", [Pump.MaxSpeed, Pump.HardMaxSpeed])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 0.0])
def test_a_highest_speed_that_is_none_stands_the_pump(plc: Plc, limit: Tag, value: float) -> None:
    run_at(plc, 45.0)
    plc[limit][0] = value
    plc.step()
    assert plc[Pump.Setpoint][0] == plc[Pump.HighLimit][0] == 0.0
    assert plc[Pump.Setpoint][1] == 35.0, "the others go on"


@pytest.mark.parametrize("limit", [Pump.MinSpeed, Pump.HardMinSpeed])
@pytest.mark.parametrize(("value", "low"), [(math.nan, 50.0), (99.0, 50.0), (-99.0, None)])
def test_a_lowest_speed_that_makes_no_sense_is_at_most_the_highest(
    plc: Plc, limit: Tag, value: float, low: float | None
) -> None:
    other = {Pump.MinSpeed: 20.0, Pump.HardMinSpeed: 25.0}[limit]
    plc[limit][0] = value
    plc.step()
    assert plc[Pump.LowLimit][0] == (other if low is None else low)


@pytest.mark.parametrize("maximum", [Pump.HardMaxPower, Pump.HardMaxFlow])
def test_a_highest_power_or_flow_that_is_no_number_slows_the_pump_down(
    plc: Plc, maximum: Tag
) -> None:
    run_at(plc, 45.0)
    plc[maximum][0] = math.nan
    plc.settle()
    assert plc[Pump.Setpoint][0] == 25.0


@pytest.mark.parametrize("change", [math.nan, -2.0, 0.0])
def test_a_rate_of_change_that_is_none_changes_nothing_but_trips(plc: Plc, change: float) -> None:
    run_at(plc, 40.0)
    plc[Pump.MaxSpeedChange][:] = change
    plc.plan(0, speed=45.0)
    plc.settle()
    assert plc[Pump.Setpoint][0] == 40.0
    plc[Pump.MeasuredLevel][:] = 0.4
    plc.step()
    assert plc[Pump.Setpoint][0] == 0.0
