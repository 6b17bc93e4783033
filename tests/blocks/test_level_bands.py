"""Level control between its bands, without a level, and after a target that made no sense."""

from __future__ import annotations

import math

import pytest

from runtime.tags import Pump, Station
from tests.plc import Plc, obey


@pytest.fixture
def plc() -> Plc:
    """The usual pump: 25 to 50 Hz, 20 Hz/m, starts 0.2 m above its target and stops 0.2 m below."""
    plc = Plc(feedback={"level_rate": 1e9})
    plc.before_scan = obey
    plc[Pump.ControlType][:] = 1
    plc[Pump.DefaultSetpoint][:] = 0.0
    plc.plan(0, level=1.5)
    plc.step(2)
    return plc


def at_level(plc: Plc, level: float) -> float:
    """The setpoint after some time at this level."""
    plc[Pump.MeasuredLevel][:] = level
    plc.settle()
    return float(plc[Pump.Setpoint][0])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_pump_starts_and_stops_at_its_bands_and_stays_as_it_is_between_them(
    plc: Plc, sign: float
) -> None:
    if sign < 0:
        plc[Station.FlowDirection][:] = 1
        plc[Pump.EmergencyStopLevel][:] = plc[Pump.StopLevel][:] = 3.0
        plc[Pump.StartLevel][:] = plc[Pump.AllRunLevel][:] = 0.0
    assert at_level(plc, 1.5 + sign * 0.19) == 0.0
    assert at_level(plc, 1.5 + sign * 0.25) > 25.0
    assert at_level(plc, 1.5 - sign * 0.19) > 0.0
    assert at_level(plc, 1.5 - sign * 0.25) == 0.0
    assert at_level(plc, 1.5 + sign * 0.19) == 0.0


def test_a_pump_that_stands_winds_nothing_up(plc: Plc) -> None:
    plc[Pump.MeasuredLevel][:] = 1.65
    plc.run_for(400.0)
    assert at_level(plc, 1.75) < 25.0 + 20.0 * 0.25 + 1.0


def test_an_error_inside_the_deadband_moves_nothing(plc: Plc) -> None:
    plc[Pump.LevelDeadband][:] = 0.02
    plc[Pump.MeasuredLevel][:] = 1.8
    plc.run_for(400.0)
    held = at_level(plc, 1.519)
    assert held > 25.0
    assert at_level(plc, 1.519) == pytest.approx(held)
    assert at_level(plc, 1.481) == pytest.approx(held)
    assert at_level(plc, 1.55) > held


@pytest.mark.parametrize("without_level", [1, 2])
def test_a_lost_level_holds_the_speed_and_is_left_without_a_bump(
    plc: Plc, without_level: int
) -> None:
    plc[Station.WithoutLevel][:] = without_level
    plc[Pump.DefaultSetpoint][:] = 45.0
    held = at_level(plc, 1.8)
    assert 25.0 < held < 45.0
    plc[Pump.MeasuredLevel][:] = math.nan
    for _ in range(600):
        plc.step()
        assert plc[Pump.Setpoint][0] == pytest.approx(held, abs=0.01)
    assert not plc[Pump.LevelEngaged][0]
    plc[Pump.MeasuredLevel][:] = 1.8
    plc.step()
    assert plc[Pump.LevelEngaged][0]
    assert plc[Pump.Setpoint][0] == pytest.approx(held, abs=0.01)


@pytest.mark.parametrize("level", [1.7e308, -1.7e308])
def test_an_absurd_target_is_forgotten_with_the_plan_that_asked_for_it(
    plc: Plc, level: float
) -> None:
    before = at_level(plc, 1.8)
    plc.plan(0, level=level)
    plc.settle()
    plc.plan(0, level=1.5)
    plc.run_for(600.0)
    assert math.isfinite(plc[Pump.LevelIntegral][0])
    assert plc[Pump.Setpoint][0] >= before
