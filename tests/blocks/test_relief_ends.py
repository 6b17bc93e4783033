"""How a pump in place of another goes on, hands back, hands on, and ends."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump
from tests.blocks.three_pumps import jam, one_at_work, running, tire
from tests.plc import Plc

NONE_BUT_0 = [True, False, False, False]


@pytest.fixture
def plc() -> Plc:
    return one_at_work()


def test_relief_ends_when_the_pump_is_no_longer_asked_for(plc: Plc) -> None:
    tire(plc)
    plc.settle()
    plc.plan(0, speed=0.0)
    plc.settle()
    assert running(plc) == []
    assert plc[Pump.RelievedBy][0] == 0


def test_a_demand_that_is_no_number_is_relieved_like_the_default_that_it_becomes(
    plc: Plc,
) -> None:
    plc[Pump.DefaultSetpoint][0] = 38.0
    plc[Pump.Mode][0] = 1
    plc[Pump.ManualSetpoint][0] = math.nan
    tire(plc)
    plc.settle()
    assert plc[Pump.Setpoint].tolist() == [0.0, 0.0, 38.0, 0.0]


def test_a_pump_in_place_of_another_keeps_a_higher_demand_of_its_own(plc: Plc) -> None:
    tire(plc)
    plc.settle()
    plc.plan(2, speed=45.0)
    plc.settle()
    assert plc[Pump.Setpoint].tolist() == [0.0, 0.0, 45.0, 0.0]
    assert plc[Pump.Guarded][2] == 0


def test_a_pump_that_does_not_start_in_place_is_replaced_and_the_first_runs_on(plc: Plc) -> None:
    jam(plc, 2)
    tire(plc)
    while not plc[Pump.Failed][2]:
        assert plc[Pump.Setpoint][0] == 40.0
        plc.step()
    plc.settle()
    assert running(plc) == [1]
    assert plc[Pump.RelievedBy][0] == 2


@pytest.mark.parametrize(
    ("tag", "value"), [(Pump.EmergencyStop, True), (Pump.MeasuredLocal, True), (Pump.Station, 1)]
)
def test_if_the_other_is_lost_a_third_or_the_first_runs(plc: Plc, tag: Tag, value: float) -> None:
    plc[Pump.EmergencyAction][:] = 1
    tire(plc)
    plc.settle()
    plc[tag][2] = value
    plc.settle()
    assert plc[Pump.RelievedBy][0] == 0
    assert plc[Pump.Setpoint][0] == 40.0


def test_if_the_first_is_stopped_so_is_the_one_in_its_place(plc: Plc) -> None:
    plc[Pump.EmergencyAction][:] = 1
    tire(plc)
    plc.settle()
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc.settle()
    assert running(plc) == []


@pytest.mark.parametrize(("start_level", "left"), [(2.5, []), (1.4, [2])])
def test_a_pump_held_by_start_rules_takes_back_later_and_a_full_well_does_not_wait(
    plc: Plc, start_level: float, left: list[int]
) -> None:
    tire(plc)
    plc.settle()
    plc[Pump.Configured][1] = False
    plc[Pump.MinOff][:] = 600.0
    plc[Pump.StartLevel][:] = start_level
    plc.step()
    tire(plc, 2)
    plc.settle()
    assert running(plc) == left
    plc.run_for(600.0)
    assert running(plc) == [0]


def test_a_third_pump_takes_over_if_the_first_cannot_take_back_yet(plc: Plc) -> None:
    tire(plc)
    plc.settle()
    plc[Pump.MinOff][0] = 600.0
    plc.step()
    tire(plc, 2)
    assert plc[Pump.RelievedBy][0] == 2
    assert running(plc) == [1, 2]
    plc.settle()
    assert plc[Pump.Setpoint].tolist() == [0.0, 40.0, 0.0, 0.0]


def test_a_first_pump_that_does_not_come_back_lets_the_other_run_on_in_a_full_well(
    plc: Plc,
) -> None:
    tire(plc)
    plc.settle()
    plc[Pump.Configured][1] = False
    plc[Pump.StartLevel][:] = 1.4
    jam(plc, 0)
    plc.step()
    tire(plc, 2)
    plc.run_for(60.0)
    assert plc[Pump.Failed].tolist() == NONE_BUT_0
    assert running(plc) == [2]


def test_the_pump_of_the_start_level_is_changed_too_without_a_pause(plc: Plc) -> None:
    plc.plan(0, speed=0.0)
    plc.settle()
    plc[Pump.StartLevel][:3] = 1.4
    plc.settle()
    assert plc[Pump.GuardRun].tolist() == NONE_BUT_0
    tire(plc)
    assert running(plc) == [0, 2]
    plc.settle()
    assert running(plc) == [2]
    plc[Pump.Configured][:2] = False
    tire(plc, 2)
    plc.settle()
    assert running(plc) == [2], "with none left it runs on"
