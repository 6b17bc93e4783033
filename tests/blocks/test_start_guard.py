"""Which pump runs at the start level, how fast, and who follows if it does not."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.blocks.three_pumps import at_rest, jam, raise_to, running
from tests.plc import Plc

START_LEVEL = 2  # Pump.Guarded


@pytest.fixture
def plc() -> Plc:
    return at_rest()


def test_the_pump_of_the_start_level_runs_at_its_default_or_faster(plc: Plc) -> None:
    plc.ask(Pump.Mode, 1, 1)
    plc.ask(Pump.ManualSetpoint, 1, 0.0)
    plc[Pump.DefaultSetpoint][1] = 35.0
    raise_to(plc, 2.5)
    assert plc[Pump.Setpoint].tolist() == [0.0, 35.0, 0.0, 0.0]
    plc.ask(Pump.ManualSetpoint, 1, 45.0)
    plc.settle()
    assert plc[Pump.Setpoint][1] == 45.0
    assert plc[Pump.Guarded][1] == 0


@pytest.mark.parametrize("default", [0.0, -5.0, math.nan])
def test_a_pump_without_default_or_lowest_speed_runs_at_its_highest(
    plc: Plc, default: float
) -> None:
    plc[Pump.MinSpeed][:] = plc[Pump.HardMinSpeed][:] = 0.0
    plc.ask(Pump.Mode, 1, 1)
    plc[Pump.DefaultSetpoint][1] = default
    plc[Pump.MeasuredLevel][:3] = 2.5
    plc.run_for(60.0)
    assert plc[Pump.Setpoint][1] == 50.0


def test_a_demand_that_is_no_number_runs_the_pump_all_the_same(plc: Plc) -> None:
    plc[Pump.Mode][:] = 1
    plc[Pump.ManualSetpoint][:] = math.nan
    raise_to(plc, 2.5)
    assert running(plc) == [1]


def test_a_pump_that_runs_already_is_enough(plc: Plc) -> None:
    plc.plan(0, speed=30.0)
    raise_to(plc, 2.5)
    assert running(plc) == [0]
    assert not plc[Pump.GuardRun].any()


def test_a_pump_that_turns_unasked_is_enough(plc: Plc) -> None:
    plc.before_scan = None
    plc[Pump.MeasuredRunning][0] = True
    raise_to(plc, 2.5)
    assert running(plc) == []


def test_once_chosen_a_pump_goes_on_when_the_plan_starts_another(plc: Plc) -> None:
    raise_to(plc, 2.5)
    plc.plan(0, speed=30.0)
    plc.settle()
    assert running(plc) == [0, 1]


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Pump.EmergencyStop, True),
        (Pump.MeasuredLocal, True),
        (Pump.DryRunLevel, 2.6),
        (Pump.HardMaxSpeed, 0.0),
        (Pump.Configured, False),
        (Pump.MaxStartsPerHour, 0.0),
    ],
)
def test_a_pump_that_cannot_run_is_not_counted_on(plc: Plc, tag: Tag, value: float) -> None:
    plc[tag][1] = value
    raise_to(plc, 2.5)
    assert running(plc) == [2]
    plc[Pump.GuardRun][:] = False
    plc[Pump.Setpoint][2] = 0.0
    plc[tag][:3] = value
    plc.run_for(1.0)
    assert running(plc) == []


def test_a_plan_for_a_pump_that_cannot_start_is_no_pump_that_runs(plc: Plc) -> None:
    plc[Pump.MaxStartsPerHour][0] = 0.0
    plc.plan(0, speed=30.0)
    raise_to(plc, 2.5)
    assert running(plc) == [1]


def test_a_pump_that_does_not_start_is_followed_by_another_and_kept_asked_until_then(
    plc: Plc,
) -> None:
    jam(plc, 1)
    plc[Pump.MeasuredLevel][:3] = 2.5
    while not plc[Pump.Failed][1]:
        plc.step()
        assert running(plc) == [1]
    plc.step()
    assert running(plc) == [1, 2]
    plc.settle()
    assert running(plc) == [2]
    assert plc[Pump.GuardRun].tolist() == [False, False, True, False]


def test_if_no_pump_can_start_the_chosen_one_stays_asked(plc: Plc) -> None:
    plc[Pump.MinOff][:] = 60.0
    plc[Pump.OffTime][:] = 1.0
    plc[Pump.MeasuredLevel][:3] = 2.5
    plc.run_for(50.0)
    assert plc[Pump.GuardRun].tolist() == [False, True, False, False]
    assert running(plc) == []
    plc.settle()
    assert running(plc) == [1]


def test_a_pump_that_is_stopped_in_its_turn_is_followed_by_another(plc: Plc) -> None:
    raise_to(plc, 2.5)
    plc[Pump.EmergencyAction][:] = 1
    plc.ask(Pump.EmergencyStop, 1, 1)
    plc.step(2)
    assert running(plc) == [2]


def test_the_start_level_of_one_pump_calls_any_pump_of_the_station(plc: Plc) -> None:
    plc[Pump.StartLevel][:2] = 10.0
    plc[Pump.AllRunLevel][:] = 20.0
    plc[Pump.EmergencyStop][2] = True
    plc[Pump.EmergencyAction][:] = 1
    raise_to(plc, 2.6)
    assert running(plc) == [1]
    raise_to(plc, 1.0)
    assert running(plc) == [1]
    raise_to(plc, 0.8)
    assert running(plc) == []


def test_the_chosen_pump_outlives_a_lost_level_as_the_engineer_decided(plc: Plc) -> None:
    plc[Station.WithoutLevel][:] = 2
    raise_to(plc, 2.5)
    raise_to(plc, math.nan)
    plc.run_for(90.0)
    assert plc[Pump.Setpoint].tolist() == [0.0, 25.0, 0.0, 0.0]
