"""The longest run: a change of pumps without a pause, and a rest where there is no other."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.blocks.three_pumps import one_at_work, running, tire
from tests.plc import Plc, obey

MAX_RUN, IN_PLACE = 8, 16  # Pump.Guarded
NONE_BUT_0 = [True, False, False, False]


@pytest.fixture
def plc() -> Plc:
    return one_at_work()


def test_another_pump_takes_over_before_the_first_stops(plc: Plc) -> None:
    plc.run_for(579.0)
    assert running(plc) == [0]
    while not plc[Pump.Turning][2]:
        assert plc[Pump.Setpoint][0] == 40.0
        plc.step()
    assert plc[Pump.Guarded].tolist() == [MAX_RUN, 0, IN_PLACE, 0]
    assert plc[Pump.RelievedBy].tolist() == [3, 0, 0, 0]
    plc.settle()
    assert plc[Pump.Setpoint].tolist() == [0.0, 0.0, 40.0, 0.0]


def test_it_hands_back_after_its_own_longest_run_without_a_pause(plc: Plc) -> None:
    tire(plc)
    plc.settle()
    assert running(plc) == [2]
    tire(plc, 2)
    assert running(plc) == [0, 2]
    plc.settle()
    assert running(plc) == [0]
    assert plc[Pump.RelievedBy][0] == 0


def test_without_another_the_pump_rests_its_pause_and_comes_back(plc: Plc) -> None:
    plc[Pump.Configured][1:3] = False
    plc[Pump.MinOff][0] = 60.0
    tire(plc)
    assert plc[Pump.Guarded][0] == MAX_RUN
    plc.settle()
    assert running(plc) == []
    plc.run_for(40.0)
    assert running(plc) == []
    plc.run_for(20.0)
    assert running(plc) == [0]


@pytest.mark.parametrize(("start", "all_run"), [(1.4, 3.0), (1.4, 1.4)])
def test_without_another_a_full_well_comes_first(plc: Plc, start: float, all_run: float) -> None:
    plc[Pump.Configured][1:3] = False
    plc[Pump.StartLevel][:] = start
    plc[Pump.AllRunLevel][:] = all_run
    tire(plc)
    plc.settle()
    assert running(plc) == [0]


def test_at_the_all_run_level_nothing_is_relieved(plc: Plc) -> None:
    tire(plc)
    plc.settle()
    plc[Pump.AllRunLevel][:] = plc[Pump.StartLevel][:] = 1.4
    plc.settle()
    assert running(plc) == [0, 1, 2]
    assert not plc[Pump.RelievedBy].any()


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Pump.EmergencyStop, True),
        (Pump.MeasuredLocal, True),
        (Pump.DryRunLevel, 1.6),
        (Pump.Configured, False),
        (Pump.MaxStartsPerHour, 0.0),
        (Pump.Mode, 1),
        (Pump.Failed, True),
        (Pump.GuardRun, True),
        (Pump.Station, 1),
    ],
)
def test_a_pump_that_cannot_take_over_is_passed_over(plc: Plc, tag: Tag, value: float) -> None:
    plc[tag][2] = value
    tire(plc)
    assert plc[Pump.RelievedBy][0] == 2


def test_a_pump_that_turns_or_runs_already_is_passed_over(plc: Plc) -> None:
    plc.plan(1, speed=30.0)
    plc.step()
    plc.before_scan = None
    plc[Pump.MeasuredRunning][2] = True
    tire(plc)
    assert plc[Pump.RelievedBy][0] == 0
    assert plc[Pump.Guarded][0] == MAX_RUN


@pytest.mark.parametrize("slot", [0, 2])
def test_level_controlled_pumps_under_a_plan_are_changed_over_by_others(
    plc: Plc, slot: int
) -> None:
    plc[Pump.ControlType][slot] = 1
    plc.plan(slot, level=0.6 if slot else 1.0)
    plc.step(2)
    tire(plc)
    assert plc[Pump.RelievedBy][0] == (0 if slot == 0 else 2)


def test_without_a_level_nothing_takes_over(plc: Plc) -> None:
    plc[Station.WithoutLevel][:] = 2
    plc[Pump.MeasuredLevel][:] = math.nan
    tire(plc)
    plc.settle()
    assert running(plc) == []


def test_a_pump_is_relieved_by_one_of_its_own_station_only() -> None:
    plc = Plc(station_of=(0, 1, 1, 1))
    plc.before_scan = obey
    plc[Pump.DefaultSetpoint][:] = 0.0
    plc[Pump.TotalRunTime][:] = [0.0, 0.0, 20.0, 10.0]
    plc.plan(1, speed=40.0)
    plc.settle()
    plc[Pump.MaxRun][1] = 10.0
    plc.settle()
    assert plc[Pump.RelievedBy].tolist() == [0, 4, 0, 0]
    assert plc[Pump.Setpoint].tolist() == [0.0, 0.0, 0.0, 40.0]


def test_two_pumps_at_once_are_not_both_relieved_by_one(plc: Plc) -> None:
    plc.plan(1, speed=35.0)
    plc.settle()
    plc[Pump.MaxRun][1] = 600.0
    plc[Pump.RunTime][1] = 599.95
    tire(plc)
    assert plc[Pump.RelievedBy].tolist() == [3, 0, 0, 0]
    assert plc[Pump.Command].tolist()[:3] == [40.0, 35.0, 40.0]
    plc.step()
    assert plc[Pump.Command].tolist()[:3] == [0.0, 0.0, 40.0]


def test_two_pumps_at_once_are_relieved_by_two_one_scan_after_the_other(plc: Plc) -> None:
    plc = Plc(station_of=(0, 0, 0, 0))
    plc.before_scan = obey
    plc[Pump.DefaultSetpoint][:] = [40.0, 40.0, 0.0, 0.0]
    plc.settle()
    plc[Pump.MaxRun][:] = [10.0, 10.0, 600.0, 600.0]
    plc.step()
    assert plc[Pump.RelievedBy].tolist() == [3, 0, 0, 0]
    plc.step()
    assert plc[Pump.RelievedBy].tolist() == [3, 4, 0, 0]
