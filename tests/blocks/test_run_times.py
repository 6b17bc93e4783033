"""Run times and pauses as observed, across restarts too, and the pause before a start."""

from __future__ import annotations

import math

import pytest

from runtime.tags import FOREVER, Pump, Station
from tests.blocks.restarted import restarted
from tests.blocks.starting import run_locally, standing
from tests.plc import Plc

STARTS_PER_HOUR, MINIMUM_OFF_TIME = 1, 2  # Pump.StartHeld
MOMENT = 1e-6


@pytest.fixture
def plc() -> Plc:
    return standing()


def restart(plc: Plc) -> Plc:
    other = restarted(plc)
    other[Pump.MaxSpeedChange][:] = 100.0
    return other


def test_runs_and_pauses_are_timed_as_observed(plc: Plc) -> None:
    run_locally(plc, True)
    plc.run_for(60.0)
    assert plc[Pump.RunTime][0] == pytest.approx(60.0, abs=1e-5)
    assert plc[Pump.OffTime][0] == 0.0
    run_locally(plc, False)
    plc.run_for(30.0)
    assert plc[Pump.OffTime][0] == pytest.approx(30.0, abs=1e-5)
    assert plc[Pump.RunTime][0] == 0.0
    run_locally(plc, True)
    plc.run_for(1.0)
    assert plc[Pump.TotalRunTime][0] * 3600.0 == pytest.approx(61.2)


def test_a_pump_that_nothing_is_known_of_may_start_at_once(plc: Plc) -> None:
    assert plc[Pump.OffTime][0] == FOREVER
    plc[Pump.MinOff][:] = 600.0
    plc.plan(0, speed=45.0)
    plc.step()
    assert plc[Pump.Setpoint][0] > 0.0


def test_times_stay_within_their_range(plc: Plc) -> None:
    plc[Pump.RunTime][0] = FOREVER - 0.05
    plc[Pump.OffTime][0] = 0.0
    run_locally(plc, True)
    plc.step(2)
    assert plc[Pump.RunTime][0] == FOREVER
    assert plc[Pump.OffTime][1] == FOREVER


def test_a_pump_whose_feedback_is_lost_turns_as_it_was_told(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    plc.run_for(10.0)
    plc.fresh = False
    plc.before_scan = None
    plc[Pump.MeasuredTime][:] = 0.0
    plc.run_for(10.0)
    assert plc[Pump.Turning][0]
    assert plc[Pump.RunTime][0] == pytest.approx(19.8)
    plc.plan(0, speed=0.0)
    while plc[Pump.Setpoint][0] > 0.0:
        assert plc[Pump.Turning][0]
        plc.step()
    plc.step(2)
    assert not plc[Pump.Turning][0]
    assert plc[Pump.OffTime][0] == pytest.approx(0.1, abs=1e-5)


@pytest.mark.parametrize("least", [60.0, math.nan])
def test_a_pump_that_has_not_rested_is_held_back_and_a_turning_one_is_not(
    plc: Plc, least: float
) -> None:
    plc[Pump.MinOff][0] = least
    run_locally(plc, True)
    assert plc[Pump.StartHeld][0] == 0
    run_locally(plc, False)
    plc.run_for(59.9)
    assert plc[Pump.StartHeld][0] == MINIMUM_OFF_TIME
    plc.step(2)
    assert plc[Pump.StartHeld][0] == (MINIMUM_OFF_TIME if math.isnan(least) else 0)


def test_a_pump_that_is_not_in_use_is_not_held_back(plc: Plc) -> None:
    plc[Pump.Configured][0] = False
    plc[Pump.MaxStartsPerHour][0] = 0.0
    plc[Pump.MinOff][0] = FOREVER * 2
    plc.step()
    assert plc[Pump.StartHeld][0] == 0


def test_a_restart_in_the_hour_and_in_the_pause_forgets_neither(plc: Plc) -> None:
    for _ in range(3):
        run_locally(plc, True)
        run_locally(plc, False)
    plc.run_for(20.0)
    other = restart(plc)
    other[Pump.MaxStartsPerHour][:] = 3.0
    other[Pump.MinOff][:] = 60.0
    other.step()
    assert other[Pump.StartsLastHour][0] == 3
    assert other[Pump.OffTime][0] == pytest.approx(20.1, abs=1e-5)
    assert other[Pump.StartHeld][0] == STARTS_PER_HOUR | MINIMUM_OFF_TIME


@pytest.mark.parametrize("silent", [0, 20])
def test_a_pump_that_runs_across_a_restart_goes_on_with_its_run(plc: Plc, silent: int) -> None:
    run_locally(plc, True)
    plc.run_for(60.0)
    other = restart(plc)
    other.fresh = False
    other[Pump.MeasuredRunning][0] = True
    other[Pump.MeasuredSpeed][0] = 45.0
    other.step(silent)
    assert not other[Pump.Turning][0]
    other.fresh = True
    other.step()
    assert other[Pump.RunTime][0] == pytest.approx(60.1, abs=1e-5)
    assert other[Pump.OffTime][0] == 0.0
    assert other[Pump.Starts][0] == 1


def test_a_start_commanded_before_anything_is_known_counts(plc: Plc) -> None:
    run_locally(plc, True)
    other = restart(plc)
    other.fresh = False
    other[Station.LevelHold][:] = 0.0
    while other[Pump.Setpoint][0] == 0.0:
        other.step()
    other.fresh = True
    other[Pump.MeasuredRunning][0] = True
    other.step()
    assert other[Pump.Starts][0] == 2
    assert other[Pump.RunTime][0] == MOMENT


def test_a_pump_found_at_rest_after_a_restart_has_just_stopped(plc: Plc) -> None:
    run_locally(plc, True)
    other = restart(plc)
    other.step()
    assert other[Pump.RunTime][0] == 0.0
    assert other[Pump.OffTime][0] == MOMENT


def test_a_pump_never_heard_of_after_a_restart_starts_after_its_pause(plc: Plc) -> None:
    run_locally(plc, True)
    other = restart(plc)
    other.fresh = False
    other[Pump.MinOff][:] = 30.0
    other.run_for(50.0)
    assert other[Pump.Setpoint][0] == 0.0, "without a level nothing rises yet"
    other.run_for(20.0)
    assert other[Pump.Setpoint][0] > 0.0
    assert other[Pump.Starts][0] == 2
    assert other[Pump.RunTime][0] < 20.0
