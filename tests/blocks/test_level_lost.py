"""The enforcer without a good level: nothing rises, and then the engineer's decision counts."""

from __future__ import annotations

import math

import pytest

from runtime.tags import Pump, Station
from tests.blocks.enforcer import leaping, run_at
from tests.plc import Plc

LEVEL_LOST = 1 << 3
STOP, DEFAULT, HOLD = range(3)  # Station.WithoutLevel


@pytest.fixture
def plc() -> Plc:
    return leaping()


@pytest.mark.parametrize(
    ("without_level", "setpoint"), [(STOP, 0.0), (DEFAULT, 35.0), (HOLD, 45.0)]
)
def test_without_a_level_nothing_rises_for_a_while_and_then_the_engineer_decides(
    plc: Plc, without_level: int, setpoint: float
) -> None:
    plc[Station.WithoutLevel][:] = without_level
    run_at(plc, 45.0)
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.step()
    plc.plan(0, speed=50.0)
    plc.run_for(59.8)
    assert plc[Pump.Setpoint][0] == 45.0
    assert plc[Pump.Limited][0] == LEVEL_LOST
    plc.settle()
    assert plc[Pump.Setpoint][0] == setpoint
    assert plc[Pump.Limited][0] == LEVEL_LOST


@pytest.mark.parametrize(("without_level", "setpoint"), [(STOP, 0.0), (DEFAULT, 35.0), (HOLD, 0.0)])
def test_without_a_level_a_pump_at_rest_starts_only_if_the_engineer_decided_so(
    plc: Plc, without_level: int, setpoint: float
) -> None:
    plc[Station.WithoutLevel][:] = without_level
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.plan(0, speed=50.0)
    plc.run_for(59.9)
    assert plc[Pump.Setpoint][0] == 0.0
    plc.settle()
    assert plc[Pump.Setpoint][0] == setpoint


def test_without_a_level_the_default_setpoint_raises_a_slow_pump(plc: Plc) -> None:
    run_at(plc, 30.0)
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.run_for(59.8)
    assert plc[Pump.Setpoint][0] == 30.0
    plc.run_for(1.0)
    assert 31.0 < plc[Pump.Setpoint][0] < 32.0, "at the rate of change"
    plc.settle()
    assert plc[Pump.Setpoint][0] == 35.0


@pytest.mark.parametrize("by_hand", [0.0, 30.0])
def test_without_a_level_the_default_setpoint_bounds_a_hand_but_does_not_raise_it(
    plc: Plc, by_hand: float
) -> None:
    plc.ask(Pump.Mode, 0, 1)
    plc.ask(Pump.ManualSetpoint, 0, by_hand)
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.settle()
    plc.run_for(60.0)
    plc[Pump.MeasuredLevel][:] = 1.5
    plc.settle()
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.run_for(90.0)
    assert plc[Pump.Setpoint][0] == by_hand
    plc[Pump.ManualSetpoint][0] = 45.0
    plc.settle()
    assert plc[Pump.Setpoint][0] == 35.0


def test_without_a_level_a_trip_stays_a_trip(plc: Plc) -> None:
    run_at(plc, 45.0)
    plc[Pump.MeasuredLevel][:] = 0.4
    plc.step()
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.run_for(90.0)
    assert plc[Pump.Setpoint][0] == 0.0
    assert plc[Pump.LevelTrip][0]


def test_without_a_level_an_emergency_stop_keeps_the_lower_setpoint(plc: Plc) -> None:
    plc[Pump.EmergencyAction][:] = 1
    run_at(plc, 45.0)
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.run_for(90.0)
    assert plc[Pump.Setpoint][0] == 0.0


def stopped_by_level(plc: Plc) -> None:
    """Pump 0 at its stop level, and not at its trip level."""
    plc[Pump.StopLevel][:] = 0.8
    plc[Pump.MeasuredLevel][:] = 0.7
    plc.settle()
    assert plc[Pump.LevelStop][0]
    assert plc[Pump.Setpoint][0] == 0.0


@pytest.mark.parametrize(("without_level", "setpoint"), [(STOP, 0.0), (DEFAULT, 35.0), (HOLD, 0.0)])
def test_a_pump_at_its_stop_level_starts_without_a_level_only_where_the_default_decides(
    plc: Plc, without_level: int, setpoint: float
) -> None:
    plc[Station.WithoutLevel][:] = without_level
    run_at(plc, 45.0)
    stopped_by_level(plc)
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.run_for(59.9)
    assert plc[Pump.Setpoint][0] == 0.0, "not while the level may come back"
    plc.settle()
    assert plc[Pump.Setpoint][0] == setpoint
    assert plc[Pump.LevelStop][0] == (without_level != DEFAULT), "the tag says what is done"


def test_the_stop_level_stops_such_a_pump_again_as_soon_as_the_level_is_back(plc: Plc) -> None:
    run_at(plc, 45.0)
    stopped_by_level(plc)
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.run_for(90.0)
    assert plc[Pump.Setpoint][0] == 35.0
    stopped_by_level(plc)


def test_without_a_level_a_hand_that_the_stop_level_stopped_counts_up_to_the_default(
    plc: Plc,
) -> None:
    plc.ask(Pump.Mode, 0, 1)
    plc.ask(Pump.ManualSetpoint, 0, 45.0)
    plc.settle()
    stopped_by_level(plc)
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.run_for(90.0)
    assert plc[Pump.Setpoint][0] == 35.0


def test_local_control_is_followed_without_a_level_too(plc: Plc) -> None:
    run_at(plc, 40.0)
    plc.before_scan = None
    plc[Pump.MeasuredLocal][0] = True
    plc[Pump.MeasuredSpeed][0] = 48.0
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.run_for(90.0)
    assert plc[Pump.Setpoint][0] == 48.0


def test_a_stale_level_is_a_lost_level(plc: Plc) -> None:
    plc[Station.WithoutLevel][:] = STOP
    run_at(plc, 45.0)
    plc.fresh = False
    plc.run_for(29.9)
    assert plc[Station.LevelLostTime][0] == 0.0
    plc.run_for(60.0)
    assert plc[Pump.Setpoint][0] == 45.0
    plc.settle()
    assert plc[Pump.Setpoint][0] == 0.0
