"""Level control in the whole program: its bands, a lost level, and taking over from others."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.plc import Plc, obey


def controlled(period: float = 0.1) -> Plc:
    """The usual pump: 25 to 50 Hz, 20 Hz/m, starts 0.2 m above its target and stops 0.2 m below."""
    plc = Plc(period, feedback={"level_rate": 1e9})
    plc.before_scan = obey
    plc[Pump.ControlType][:] = 1
    plc[Pump.DefaultSetpoint][:] = 0.0
    plc.plan(0, level=1.5)
    plc.step(2)
    return plc


@pytest.fixture
def plc() -> Plc:
    return controlled()


def at_level(plc: Plc, level: float) -> float:
    """The setpoint after some time at this level."""
    plc[Pump.MeasuredLevel][:] = level
    plc.renew()
    plc.settle()
    return float(plc[Pump.Setpoint][0])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_pump_starts_and_stops_at_its_bands_and_stays_as_it_is_between_them(
    plc: Plc, sign: float
) -> None:
    if sign < 0:
        for tag, value in {
            Station.FlowDirection: 1,
            Pump.EmergencyStopLevel: 3.0,
            Pump.StopLevel: 2.8,
            Pump.RestartLevel: 2.5,
            Pump.StartLevel: 0.6,
            Pump.AllRunLevel: 0.5,
        }.items():
            plc[tag][:] = value
    assert at_level(plc, 1.5 + sign * 0.19) == 0.0
    assert at_level(plc, 1.5 + sign * 0.25) >= 25.0
    assert at_level(plc, 1.5 - sign * 0.19) > 0.0
    assert at_level(plc, 1.5 - sign * 0.25) == 0.0
    assert at_level(plc, 1.5 + sign * 0.19) == 0.0


def test_a_pump_that_stands_winds_nothing_up(plc: Plc) -> None:
    plc[Pump.MeasuredLevel][:] = 1.65
    plc.run_for(400.0)
    assert at_level(plc, 1.75) < 25.0 + 20.0 * 0.25 + 1.0


def test_a_lost_level_holds_the_speed_and_is_left_without_a_bump(plc: Plc) -> None:
    at_level(plc, 1.8)
    held = at_level(plc, 1.9)
    assert 25.0 < held < 45.0
    plc[Pump.MeasuredLevel][:] = math.nan
    for _ in range(590):
        plc.step()
        assert plc[Pump.Setpoint][0] == pytest.approx(held, abs=0.01)
    assert not plc[Pump.LevelEngaged][0]
    plc[Pump.MeasuredLevel][:] = 1.9
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
    plc.run_for(900.0)
    assert math.isfinite(plc[Pump.LevelIntegral][0])
    assert plc[Pump.Setpoint][0] >= before


def bumped(plc: Plc, before: float, after: int = 3) -> float:
    """How far the setpoint moves in the scans after a change, beyond what a scan integrates."""
    furthest = 0.0
    for _ in range(after):
        plc.renew()
        plc.step()
        furthest = max(furthest, abs(float(plc[Pump.Setpoint][0]) - before))
    return furthest


def test_control_resumes_from_hand_where_the_hand_left_it(plc: Plc) -> None:
    at_level(plc, 1.9)
    plc.ask(Pump.Mode, 0, 1)
    plc.ask(Pump.ManualSetpoint, 0, 44.0)
    plc.settle()
    assert plc[Pump.Setpoint][0] == 44.0
    plc.ask(Pump.Mode, 0, 0)
    assert bumped(plc, 44.0) < 0.01
    assert plc[Pump.LevelEngaged][0]


def test_control_resumes_from_failsafe_where_failsafe_left_it(plc: Plc) -> None:
    plc[Pump.DefaultSetpoint][:] = 40.0
    at_level(plc, 1.9)
    plc[Station.PlanTime][:] = plc.clock.now() - 1201.0
    plc.settle()
    assert plc[Station.Failsafe][0]
    assert plc[Pump.Setpoint][0] == 40.0
    assert bumped(plc, 40.0) < 0.01
    assert plc[Pump.LevelEngaged][0]


def test_control_resumes_after_a_gap_between_plans(plc: Plc) -> None:
    plc[Pump.DefaultSetpoint][:] = 40.0
    at_level(plc, 1.9)
    plc.plan(0, level=1.5, seconds=1.0)
    plc.settle()
    assert (plc[Pump.Authority][0], plc[Pump.Setpoint][0]) == (0, 40.0)
    plc.plan(0, level=1.5)
    assert bumped(plc, 40.0) < 0.01


def test_control_resumes_from_local_control_where_that_left_it(plc: Plc) -> None:
    at_level(plc, 1.9)
    plc[Pump.MeasuredLocal][0] = True
    plc.before_scan = None
    plc[Pump.MeasuredRunning][0], plc[Pump.MeasuredSpeed][0] = True, 47.0
    plc.settle()
    assert plc[Pump.Setpoint][0] == 47.0
    plc.before_scan = obey
    plc[Pump.MeasuredLocal][0] = False
    assert bumped(plc, 47.0) < 0.01
    assert plc[Pump.LevelEngaged][0]


def test_a_pump_that_runs_when_control_begins_is_taken_over_as_it_runs() -> None:
    plc = Plc(feedback={"level_rate": 1e9})
    plc[Pump.ControlType][:] = 1
    plc[Pump.MeasuredLevel][:] = 1.6
    plc[Pump.MeasuredRunning][0], plc[Pump.MeasuredSpeed][0] = True, 41.0
    plc.plan(0, level=1.5)
    plc.step()
    plc.before_scan = obey
    assert plc[Pump.Setpoint][0] == 41.0
    assert bumped(plc, 41.0) < 0.01
    assert plc[Pump.LevelEngaged][0]


def test_a_change_of_control_type_hands_over_both_ways_without_a_jump() -> None:
    plc = controlled(period=1.0)
    plc[Pump.DirectRamp][:] = 0.5
    held = at_level(plc, 1.9)
    for control_type, targets in ((0, {"speed": 30.0}), (1, {"level": 1.5})):
        plc[Pump.ControlType][0] = control_type
        plc.plan(0, **targets)
        before = float(plc[Pump.Setpoint][0])
        assert bumped(plc, before, after=1) <= 0.5
    assert plc[Pump.Setpoint][0] == pytest.approx(held, abs=1.0)


@pytest.mark.parametrize(
    ("tag", "value"),
    [(Pump.LevelGain, 60.0), (Pump.LevelResetTime, 30.0), (Pump.LevelDeadband, 0.1)],
)
def test_parameters_change_between_two_scans_without_a_bump(
    plc: Plc, tag: Tag, value: float
) -> None:
    held = at_level(plc, 1.8)
    plc[tag][0] = value
    assert bumped(plc, held) < 0.1


def test_two_pumps_share_one_speed_and_the_second_comes_without_a_bump_of_the_first() -> None:
    plc = controlled(period=1.0)
    plc.plan(1, level=1.5)
    plc[Pump.LevelResetTime][:] = 60.0
    at_level(plc, 1.9)
    for _ in range(400):
        before = float(plc[Pump.Setpoint][0])
        assert bumped(plc, before, after=1) <= 2.0
        if plc[Pump.Setpoint][1] > 0.0:
            break
    assert plc[Station.PumpsWanted][0] == 2
    plc.settle()
    assert plc[Pump.Setpoint][0] == plc[Pump.Setpoint][1] == 50.0
