"""The enforcer: hard limits, trips, hysteresis in both flow directions, rate of change."""

from __future__ import annotations

import math

import pytest

from runtime.tags import Pump, Station
from tests.blocks.enforcer import leaping, run_at
from tests.plc import Plc

SPEED, RATE, LEVEL = (1 << bit for bit in range(3))
MAX_RUN, GUARD = 1 << 10, 1 << 11


@pytest.fixture
def plc() -> Plc:
    return leaping()


def test_a_plan_above_the_limits_is_held_at_the_lower_of_the_two(plc: Plc) -> None:
    plc.plan(0, speed=60.0)
    plc.settle()
    assert plc[Pump.Setpoint][0] == 50.0
    plc[Pump.HardMaxSpeed][0] = 44.0
    plc.step()
    assert plc[Pump.Setpoint][0] == 44.0
    assert plc[Pump.Limited][0] & SPEED


def test_a_plan_below_the_lowest_speed_runs_at_the_lowest_speed(plc: Plc) -> None:
    plc.plan(0, speed=3.0)
    plc.settle()
    assert plc[Pump.Setpoint][0] == 25.0


@pytest.mark.parametrize("speed", [0.0, -0.0, -20.0])
def test_a_plan_of_zero_or_less_is_stop_and_not_the_lowest_speed(plc: Plc, speed: float) -> None:
    plc.plan(0, speed=speed)
    plc.settle()
    assert plc[Pump.Authority][0] == 1
    assert plc[Pump.Setpoint][0] == 0.0


@pytest.mark.parametrize("speed", [math.nan, math.inf, -math.inf])
def test_a_plan_that_is_no_number_is_no_plan(plc: Plc, speed: float) -> None:
    plc.plan(0, speed=speed)
    plc.settle()
    assert plc[Pump.Authority][0] == 0
    assert plc[Pump.Setpoint][0] == 35.0


def test_the_setpoint_moves_at_the_rate_of_change_in_both_directions(plc: Plc) -> None:
    plc.plan(0, speed=40.0)
    plc.settle()
    plc.plan(0, speed=45.0)
    plc.run_for(1.0)
    assert plc[Pump.Setpoint][0] == pytest.approx(42.0)
    assert plc[Pump.Limited][0] & RATE
    plc.settle()
    plc.plan(0, speed=40.0)
    plc.run_for(1.0)
    assert plc[Pump.Setpoint][0] == pytest.approx(43.0)


def test_a_start_begins_at_the_lowest_speed_and_a_stop_ends_there(plc: Plc) -> None:
    plc.plan(0, speed=26.0)
    plc.step()
    assert plc[Pump.Setpoint][0] == 25.0
    plc.settle()
    plc.plan(0, speed=0.0)
    seen = set()
    while plc[Pump.Setpoint][0] > 0:
        seen.add(plc[Pump.Setpoint][0])
        plc.step()
    assert min(seen) >= 25.0


def test_a_gap_in_the_scans_is_no_jump_of_the_setpoint(plc: Plc) -> None:
    plc.plan(0, seconds=1e9, speed=25.0)
    plc.settle()
    plc[Pump.PlanSpeed][0] = 50.0
    plc.clock.advance(3600.0)
    plc.renew()
    plc.step()
    assert plc[Pump.Setpoint][0] <= 25.0 + 2.0 * 1.0 + 1e-9


@pytest.mark.parametrize("limit", [Pump.HardMinLevel, Pump.DryRunLevel, Pump.EmergencyStopLevel])
def test_a_low_level_of_an_emptying_station_is_a_trip_not_held_back_by_the_rate(
    plc: Plc, limit: object
) -> None:
    for tag in (Pump.HardMinLevel, Pump.DryRunLevel, Pump.EmergencyStopLevel):
        plc[tag][:] = 0.6 if tag is limit else 0.1
    run_at(plc, 45.0)
    plc[Pump.MeasuredLevel][:] = 0.6
    plc.step()
    assert plc[Pump.Setpoint][0] == 0.0
    assert plc[Pump.Limited][0] & LEVEL


def test_a_trip_by_level_is_released_at_the_restart_level_and_not_before(plc: Plc) -> None:
    run_at(plc, 45.0)
    plc[Pump.MeasuredLevel][:] = 0.5
    plc.step()
    plc[Pump.MeasuredLevel][:] = 0.89
    plc.settle()
    assert plc[Pump.Setpoint][0] == 0.0
    plc[Pump.MeasuredLevel][:] = 0.9
    plc.step()
    assert plc[Pump.Setpoint][0] == 25.0


def test_a_high_level_of_an_emptying_station_never_stops_or_slows_a_pump(plc: Plc) -> None:
    run_at(plc, 45.0)
    plc[Pump.AllRunLevel][:] = 30.0
    plc[Pump.MeasuredLevel][:] = 29.0
    plc.settle()
    assert plc[Pump.Setpoint][0] == 45.0


@pytest.mark.parametrize("level", [2.5, 4.0])
def test_a_high_level_of_a_filling_station_trips_and_a_low_one_never_does(
    plc: Plc, level: float
) -> None:
    plc[Station.FlowDirection][:] = 1
    plc[Pump.HardMaxLevel][:] = 2.5
    plc[Pump.EmergencyStopLevel][:] = 3.0
    plc[Pump.StopLevel][:] = 4.0
    plc[Pump.RestartLevel][:] = 2.0
    plc[Pump.StartLevel][:] = plc[Pump.AllRunLevel][:] = -1.0
    plc.plan(0, speed=45.0)
    plc[Pump.MeasuredLevel][:] = 0.0
    plc.settle()
    assert plc[Pump.Setpoint][0] == 45.0
    plc[Pump.MeasuredLevel][:] = level
    plc.step()
    assert plc[Pump.Setpoint][0] == 0.0
    plc[Pump.MeasuredLevel][:] = 2.1
    plc.settle()
    assert plc[Pump.Setpoint][0] == 0.0
    plc[Pump.MeasuredLevel][:] = 2.0
    plc.step()
    assert plc[Pump.Setpoint][0] == 25.0


def test_a_start_begins_at_the_lowest_speed_however_fast_it_may_rise() -> None:
    plc = Plc(period=10.0)
    plc[Pump.MaxSpeedChange][:] = 100.0
    plc.plan(0, speed=45.0)
    plc.step()
    assert plc[Pump.Setpoint][0] == 25.0
    plc.step()
    assert plc[Pump.Setpoint][0] == 45.0


def test_without_a_lowest_speed_a_start_begins_with_one_step(plc: Plc) -> None:
    plc[Pump.MinSpeed][:] = plc[Pump.HardMinSpeed][:] = 0.0
    plc.plan(0, speed=45.0)
    plc.step()
    assert plc[Pump.Setpoint][0] == pytest.approx(0.2)
    plc.settle()
    plc.settle()
    plc.plan(0, speed=0.0)
    plc.run_for(10.0)
    assert plc[Pump.Setpoint][0] == pytest.approx(25.0)


def test_hard_limits_beat_the_rate_of_change(plc: Plc) -> None:
    run_at(plc, 45.0)
    plc[Pump.MaxSpeed][0] = 30.0
    plc.step()
    assert plc[Pump.Setpoint][0] == 30.0
    plc[Pump.MaxSpeed][0] = 50.0
    plc[Pump.MinSpeed][0] = 40.0
    plc.plan(0, speed=10.0)
    plc.step()
    assert plc[Pump.Setpoint][0] == 40.0


def test_what_the_guards_limited_is_named_too(plc: Plc) -> None:
    run_at(plc, 45.0)
    plc[Pump.AllRunLevel][:] = 1.4
    plc[Pump.StartLevel][:] = 1.3
    plc.step()
    assert plc[Pump.Limited][0] == GUARD | RATE


def test_a_stop_after_the_longest_run_is_named_too(plc: Plc) -> None:
    run_at(plc, 45.0)
    plc[Pump.MaxRun][:] = 10.0
    plc.step()
    assert plc[Pump.Limited][0] == MAX_RUN | RATE


def test_a_retired_pump_is_stopped_in_the_same_scan(plc: Plc) -> None:
    run_at(plc, 45.0)
    plc[Pump.Configured][0] = False
    plc.step()
    assert plc[Pump.Setpoint][0] == 0.0
