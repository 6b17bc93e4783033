"""Staging: which pumps level control is in charge of, and which of them is next."""

from __future__ import annotations

import pytest

from runtime.tag import Quality, Tag
from runtime.tags import FOREVER, Pump, Station
from tests.blocks.staged import DOWN, HIGH, LOW, START_BAND, STOP_BAND, UP, Staged, running

STANDBY = 1
FAST, SLOW = HIGH, LOW


def leave(staged: Staged, how: str) -> None:
    tag, value = {
        "manual": (Pump.Mode, 1),
        "local": (Pump.LocalControl, True),
        "plan": (Pump.PlanActive, False),
        "type": (Pump.ControlType, 0),
        "authority": (Pump.Authority, 0),
        "retired": (Pump.Configured, False),
        "unknown": (Pump.Adopted, False),
    }[how]
    staged[tag][0] = value


@pytest.mark.parametrize(
    "how", ["manual", "local", "plan", "type", "authority", "retired", "unknown"]
)
def test_a_pump_that_others_take_over_is_left_to_them_and_not_replaced(how: str) -> None:
    staged = running([0, 1])
    leave(staged, how)
    staged.step(10)
    assert not staged[Pump.LevelEngaged][0]
    assert staged.run == [0, 1], "its setpoint stands"
    assert staged[Station.PumpsWanted][0] == 1
    assert staged.lead == 1
    staged[Pump.Setpoint][0] = 0.0
    staged.step(10)
    assert staged.run == [1]


def test_a_pump_that_comes_back_running_goes_on() -> None:
    staged = running([1])
    staged[Pump.Mode][0] = 1
    staged.step()
    staged[Pump.Setpoint][0] = 41.0
    staged[Pump.Mode][0] = 0
    staged.step(10)
    assert staged.run == [0, 1]
    assert staged[Station.PumpsWanted][0] == 2


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Station.LevelQuality, Quality.UNCERTAIN),
        (Station.LevelQuality, Quality.BAD),
        (Station.Failsafe, True),
    ],
)
def test_without_level_or_plan_nobody_is_in_charge_and_what_runs_then_goes_on_later(
    tag: Tag, value: float
) -> None:
    staged = running([0, 1])
    before = staged[tag][0]
    staged[Station.StageUpTime][0] = staged[Station.StageDownTime][0] = 50.0
    staged[tag][0] = value
    staged.error(-STOP_BAND)
    staged.step(10)
    assert staged[Station.StageUpTime][0] == staged[Station.StageDownTime][0] == 0.0
    assert not staged[Pump.LevelEngaged].any()
    assert staged.run == [0, 1]
    assert (staged[Station.PumpsWanted][0], staged.lead) == (0, -1)
    staged[Pump.Setpoint][:] = (0.0, 44.0, 0.0)
    staged[tag][0] = before
    staged.error(0.0)
    staged.step(10)
    assert (staged.run, staged.lead) == ([1], 1)


def test_a_pump_of_which_no_feedback_comes_is_staged_as_it_is_commanded() -> None:
    staged = Staged()
    staged[Pump.RunningQuality][:] = Quality.BAD
    staged[Pump.Adopted][:] = False
    staged[Pump.LocalControl][:] = True
    staged.error(START_BAND)
    staged.step()
    assert staged.run == [0]


@pytest.mark.parametrize(
    ("alternate", "starts", "stops"),
    [("fixed", [0, 1, 2], [2, 1]), ("run_hours", [1, 2, 0], [0, 2]), ("starts", [2, 0, 1], [1, 0])],
)
def test_pumps_start_and_stop_in_the_order_of_what_alternation_evens_out(
    alternate: str, starts: list[int], stops: list[int]
) -> None:
    staged = Staged(alternate=alternate)
    staged[Pump.TotalRunTime][:] = (30.0, 10.0, 20.0)
    staged[Pump.Starts][:] = (6, 7, 5)
    staged.error(START_BAND)
    staged.step()
    staged.error(0.0)
    staged.speed = FAST
    found = [staged.run[0]]
    while len(staged.run) < 3:
        before = staged.run
        staged.step()
        found += [pump for pump in staged.run if pump not in before]
    assert found == starts
    staged.speed = SLOW
    found = []
    while len(staged.run) > 1:
        before = staged.run
        staged.step()
        found += [pump for pump in before if pump not in staged.run]
    assert found == stops


def test_pumps_of_equal_wear_start_in_the_order_of_their_slots_and_stop_against_it() -> None:
    staged = Staged(alternate="run_hours")
    staged.error(START_BAND)
    staged.step()
    assert staged.run == [0]
    staged.speed = FAST
    staged.step(int(2 * UP) + 2)
    assert staged.run == [0, 1, 2]
    staged.error(0.0)
    staged.speed = SLOW
    staged.step(int(DOWN + UP) + 1)
    assert staged.run == [0, 1]


@pytest.mark.parametrize("held", [1, 2, 3])
def test_a_pump_whose_start_is_held_back_is_passed_over(held: int) -> None:
    staged = Staged()
    staged[Pump.StartHeld][:] = (held, 0, 0)
    staged.error(START_BAND)
    staged.step()
    assert staged.run == [1]


def test_where_all_starts_are_held_back_the_first_that_is_free_starts() -> None:
    staged = Staged()
    staged[Pump.StartHeld][:] = 2
    staged.error(START_BAND)
    staged.step(100)
    assert (staged.run, staged.lead) == ([], -1)
    staged[Pump.StartHeld][1] = 0
    staged.step()
    assert (staged.run, staged.lead) == ([1], 1)


def test_standby_runs_only_in_place_of_a_pump_that_can_not() -> None:
    staged = Staged()
    staged[Pump.LevelRole][:] = (STANDBY, 0, 0)
    staged.error(START_BAND)
    staged.step()
    staged.speed = FAST
    staged.step(1000)
    assert staged.run == [1, 2]
    staged[Pump.Failed][2] = True
    staged.step()
    assert staged.run == [0, 1]
    staged[Pump.Failed][2] = False
    staged.error(0.0)
    staged.speed = SLOW
    staged.step(int(DOWN + UP) + 1)
    assert staged.run == [1], "standby stops first"


def test_standby_starts_where_the_starts_of_the_others_are_held_back() -> None:
    staged = Staged()
    staged[Pump.LevelRole][:] = (STANDBY, 0, 0)
    staged[Pump.StartHeld][:] = (0, 1, 2)
    staged.error(START_BAND)
    staged.step()
    assert staged.run == [0]


def test_stations_are_staged_each_for_itself_wherever_their_pumps_stand() -> None:
    staged = Staged(station_of=(1, 0, 1, 0))
    staged[Station.Level][0] += START_BAND + 0.01
    staged.step()
    assert staged.run == [1]
    assert list(staged[Station.LeadPump]) == [2, 1]
    assert list(staged[Station.PumpsWanted]) == [1, 0]
    staged.speed = FAST
    staged.step(int(UP) + 1)
    assert staged.run == [1, 3]


def test_times_that_something_has_been_due_end_somewhere() -> None:
    staged = running([0, 1, 2])
    staged.speed = FAST
    staged[Station.StageUpTime][0] = FOREVER
    staged.step(3)
    assert staged[Station.StageUpTime][0] == FOREVER
