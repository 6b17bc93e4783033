"""The enforcer on starts and stops: start rules, the shortest run, and taking over what runs."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.blocks.enforcer import leaping, run_at
from tests.plc import Plc

STARTS, OFF_TIME, MIN_RUN = (1 << bit for bit in (7, 8, 9))
STOP = 0  # Station.WithoutLevel


@pytest.fixture
def plc() -> Plc:
    plc = leaping()
    plc[Pump.DefaultSetpoint][1:] = 0.0
    return plc


@pytest.fixture
def runs(plc: Plc) -> Plc:
    """Pump 0 has just come to 45 Hz and must run for ten minutes."""
    plc[Pump.MinRun][:] = 600.0
    run_at(plc, 45.0)
    return plc


def test_a_pump_that_has_not_rested_long_enough_does_not_start(plc: Plc) -> None:
    plc[Pump.MinOff][:] = 60.0
    run_at(plc, 45.0)
    plc.plan(0, speed=0.0)
    plc.settle()
    plc.plan(0, speed=45.0)
    plc.step()
    assert plc[Pump.Setpoint][0] == 0.0
    assert plc[Pump.Limited][0] == OFF_TIME
    while plc[Pump.OffTime][0] < 60.0:
        assert plc[Pump.Setpoint][0] == 0.0
        plc.step()
    assert plc[Pump.Setpoint][0] == 25.0


def test_a_pump_with_all_its_starts_used_does_not_start_even_at_the_all_run_level(
    plc: Plc,
) -> None:
    plc[Pump.MaxStartsPerHour][:] = 0.0
    plc[Pump.MeasuredLevel][:] = 3.5
    plc.settle()
    assert plc[Pump.AllRun][0]
    assert plc[Pump.Setpoint][0] == 0.0
    assert plc[Pump.Limited][0] & STARTS


def test_both_start_rules_are_named_where_both_hold(plc: Plc) -> None:
    plc[Pump.MinOff][:] = 60.0
    plc[Pump.MaxStartsPerHour][:] = 1.0
    run_at(plc, 45.0)
    plc.plan(0, speed=0.0)
    plc.settle()
    plc.plan(0, speed=45.0)
    plc.step()
    assert plc[Pump.Limited][0] == STARTS | OFF_TIME


def test_a_motor_that_turns_already_is_not_started_and_so_not_held_back(plc: Plc) -> None:
    plc[Pump.MaxStartsPerHour][:] = 0.0
    plc.step()
    plc.before_scan = None
    plc[Pump.MeasuredRunning][0] = True
    plc.plan(0, speed=45.0)
    plc.step()
    assert plc[Pump.Setpoint][0] == 25.0


def test_start_rules_do_not_hold_what_local_control_starts(plc: Plc) -> None:
    plc[Pump.MaxStartsPerHour][:] = 0.0
    plc[Pump.MinOff][:] = 600.0
    plc.settle()
    plc.before_scan = None
    plc[Pump.MeasuredLocal][0] = plc[Pump.MeasuredRunning][0] = True
    plc[Pump.MeasuredSpeed][0] = 40.0
    plc.run_for(2.0)
    assert plc[Pump.Setpoint][0] == 40.0


def test_a_release_after_a_trip_goes_through_start_rules_and_rate(plc: Plc) -> None:
    plc[Pump.MinOff][:] = 60.0
    run_at(plc, 45.0)
    plc[Pump.MeasuredLevel][:] = 0.4
    plc.step()
    plc[Pump.MeasuredLevel][:] = 1.5
    plc.run_for(59.0)
    assert not plc[Pump.LevelTrip][0]
    assert plc[Pump.Setpoint][0] == 0.0
    plc.run_for(2.0)
    assert 25.0 <= plc[Pump.Setpoint][0] < 30.0


def test_a_stop_before_the_shortest_run_waits_at_the_lowest_speed(runs: Plc) -> None:
    runs.plan(0, speed=0.0)
    runs.settle()
    assert runs[Pump.Setpoint][0] == 25.0
    assert runs[Pump.Limited][0] == MIN_RUN
    runs.run_for(550.0)
    assert runs[Pump.Setpoint][0] == 25.0
    runs.run_for(20.0)
    assert runs[Pump.Setpoint][0] == 0.0


def test_without_a_lowest_speed_the_stop_waits_at_one_step(runs: Plc) -> None:
    runs[Pump.MinSpeed][:] = runs[Pump.HardMinSpeed][:] = 0.0
    runs.plan(0, speed=0.0)
    runs.run_for(60.0)
    assert runs[Pump.Setpoint][0] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Pump.MeasuredLevel, 0.4),
        (Pump.EmergencyStop, True),
        (Station.EmergencyStop, True),
        (Pump.Configured, False),
        (Pump.HardMaxSpeed, 0.0),
    ],
)
def test_the_shortest_run_delays_no_trip_and_no_stop(runs: Plc, tag: Tag, value: float) -> None:
    runs[Pump.EmergencyAction][:] = 1
    runs[tag][:] = value
    runs.step()
    assert runs[Pump.Setpoint][0] == 0.0


def test_the_shortest_run_does_not_delay_the_stop_level(runs: Plc) -> None:
    runs[Pump.StopLevel][:] = 0.8
    runs[Pump.MeasuredLevel][:] = 0.8
    runs.step()
    assert runs[Pump.Setpoint][0] == pytest.approx(44.8), "though the rate does"
    runs.settle()
    assert runs[Pump.Setpoint][0] == 0.0


@pytest.mark.parametrize(("without_level", "setpoint"), [(STOP, 0.0), (1, 25.0), (2, 25.0)])
def test_the_shortest_run_does_not_delay_a_stop_for_want_of_a_level(
    runs: Plc, without_level: int, setpoint: float
) -> None:
    runs[Station.WithoutLevel][:] = without_level
    runs[Pump.DefaultSetpoint][:] = 0.0
    runs[Pump.MeasuredLevel][:] = math.nan
    runs.plan(0, speed=0.0)
    runs.run_for(59.0)
    assert runs[Pump.Setpoint][0] == 25.0
    runs.settle()
    assert runs[Pump.Setpoint][0] == setpoint


def test_the_shortest_run_does_not_hold_what_local_control_stops(runs: Plc) -> None:
    runs.before_scan = None
    runs[Pump.MeasuredLocal][0] = True
    runs[Pump.MeasuredSpeed][0] = 0.0
    runs.step()
    assert runs[Pump.Turning][0]
    runs[Pump.MeasuredRunning][0] = False
    runs.step()
    assert runs[Pump.Setpoint][0] == 0.0


@pytest.mark.parametrize(
    ("speed", "setpoint"), [(42.0, 42.0), (80.0, 50.0), (7.0, 25.0), (25.0, 25.0)]
)
def test_a_pump_found_running_is_taken_over_at_its_speed(
    plc: Plc, speed: float, setpoint: float
) -> None:
    plc.before_scan = None
    plc[Pump.MeasuredRunning][0] = True
    plc[Pump.MeasuredSpeed][0] = speed
    plc.plan(0, speed=45.0)
    plc.step()
    assert plc[Pump.Setpoint][0] == setpoint
    assert plc[Pump.Limited][0] == 0
    plc.step()
    assert plc[Pump.Setpoint][0] == pytest.approx(setpoint, abs=0.2 + 1e-9)


def test_a_pump_found_running_is_taken_over_when_it_is_first_heard_of(plc: Plc) -> None:
    plc.fresh = False
    plc.before_scan = None
    plc[Pump.MeasuredRunning][:] = True
    plc[Pump.MeasuredSpeed][:] = 42.0
    plc.step(20)
    assert plc[Pump.Setpoint][0] == 0.0
    plc.fresh = True
    plc.step()
    assert plc[Pump.Setpoint][0] == 42.0


@pytest.mark.parametrize(("tag", "value"), [(Pump.MeasuredLevel, 0.4), (Pump.EmergencyStop, True)])
def test_a_pump_found_running_that_must_stand_is_not_taken_over(
    plc: Plc, tag: Tag, value: float
) -> None:
    plc.before_scan = None
    plc[Pump.EmergencyAction][:] = 1
    plc[Pump.MeasuredRunning][0] = True
    plc[Pump.MeasuredSpeed][0] = 42.0
    plc[tag][:] = value
    plc.step(2)
    assert plc[Pump.Setpoint][0] == 0.0


@pytest.mark.parametrize("speed", [math.nan, 0.0])
def test_a_pump_found_running_at_no_known_speed_begins_at_the_lowest(
    plc: Plc, speed: float
) -> None:
    plc.before_scan = None
    plc[Pump.MaxStartsPerHour][:] = 0.0
    plc[Pump.MeasuredRunning][0] = True
    plc[Pump.MeasuredSpeed][0] = speed
    plc.plan(0, speed=45.0)
    plc.step(2)
    assert 25.0 <= plc[Pump.Setpoint][0] <= 25.2 + 1e-9


def test_a_pump_is_taken_over_once_and_not_whenever_it_runs_unasked(plc: Plc) -> None:
    plc.plan(0, speed=0.0)
    plc.step()
    plc.before_scan = None
    plc[Pump.MeasuredRunning][0] = True
    plc[Pump.MeasuredSpeed][0] = 42.0
    plc.settle()
    assert plc[Pump.Setpoint][0] == 0.0
