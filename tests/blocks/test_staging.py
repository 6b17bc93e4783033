"""Staging: how many pumps run, and what each event does to their number."""

from __future__ import annotations

import pytest

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.blocks.staged import (
    DEADBAND,
    DOWN,
    HIGH,
    LOW,
    START_BAND,
    STOP_BAND,
    TARGET,
    UP,
    Staged,
    running,
)

FAST, SLOW = LOW + 0.91 * (HIGH - LOW), LOW + 0.04 * (HIGH - LOW)


@pytest.mark.parametrize("filling", [False, True])
def test_the_first_starts_at_its_start_band_and_the_last_stops_at_its_stop_band(
    filling: bool,
) -> None:
    staged = Staged(filling=filling)
    for error, run in [
        (START_BAND - 0.001, []),
        (START_BAND, [0]),
        (0.0, [0]),
        (-STOP_BAND + 0.001, [0]),
        (-STOP_BAND, []),
        (START_BAND - 0.001, []),
    ]:
        staged.error(error)
        staged.step(3)
        assert staged.run == run
        assert staged[Station.PumpsWanted][0] == len(run)


def test_one_more_starts_when_the_lead_has_been_fast_for_the_delay() -> None:
    staged = running([0])
    staged.speed = FAST
    staged.step()
    staged.step(int(UP) - 1)
    assert staged.run == [0]
    staged.step()
    assert staged.run == [0, 1]
    assert staged[Station.StageUpTime][0] == 0.0
    staged.step(int(UP))
    assert staged.run == [0, 1, 2]


def test_one_more_that_is_due_starts_as_soon_as_a_start_is_free() -> None:
    staged = running([0])
    staged[Pump.StartHeld][:] = 1
    staged.speed = FAST
    staged.step(int(1.5 * UP))
    assert staged.run == [0]
    staged[Pump.StartHeld][2] = 0
    staged.step()
    assert staged.run == [0, 2]


@pytest.mark.parametrize("error", [-DEADBAND, -0.3])
def test_a_fast_lead_that_the_level_does_not_need_gets_no_company(error: float) -> None:
    staged = running([0])
    staged.speed = FAST
    staged.error(error)
    staged.step(1000)
    assert staged.run == [0]


@pytest.mark.parametrize(
    ("error", "why"), [(0.02, "held"), (0.02, "deaf"), (DEADBAND, "held"), (DEADBAND, "deaf")]
)
def test_one_more_starts_where_the_lead_can_not_do_what_it_should(error: float, why: str) -> None:
    """A limit or its drive holds it back, and the level is beyond the deadband."""
    staged = running([0])
    staged.error(error)
    staged[Pump.NotFollowing][0] = why == "deaf"
    for _ in range(int(UP)):
        staged[Pump.LevelOutput][0] += 0.1 if why == "held" else 0.0
        staged.step()
    assert staged.run == ([0, 1] if error > DEADBAND else [0])


def test_one_less_runs_when_the_lead_has_been_slow_for_the_delay() -> None:
    staged = running([0, 1, 2])
    staged.speed = SLOW
    staged.step()
    staged.step(int(DOWN) - 1)
    assert staged.run == [0, 1, 2]
    staged.step()
    assert staged.run == [0, 1]
    assert (staged[Station.PumpsWanted][0], staged[Station.StageDownTime][0]) == (2, 0.0)
    staged.step(int(DOWN))
    assert staged.run == [0]
    staged.step(1000)
    assert staged.run == [0]


def test_slow_pumps_all_stay_while_the_level_is_beyond_the_deadband() -> None:
    staged = running([0, 1])
    staged.speed = SLOW
    staged.error(DEADBAND)
    staged.step(1000)
    assert staged.run == [0, 1]


def test_what_is_due_half_of_the_time_is_not_due() -> None:
    staged = running([0])
    for scan in range(2000):
        staged.speed = FAST if scan % 2 else 40.0
        staged.step()
    assert staged.run == [0]


def test_pumps_of_one_speed_are_staged_by_level_alone() -> None:
    staged = running([0])
    staged[Pump.LowLimit][:] = HIGH
    staged.speed = HIGH
    staged.step(500)
    assert staged.run == [0]
    staged.error(DEADBAND + 0.001)
    staged.step(int(UP))
    assert staged.run == [0, 1]
    staged.error(0.0)
    staged.step(1000)
    assert staged.run == [0, 1]
    staged.error(-DEADBAND - 0.001)
    staged.step(int(DOWN) + 100)
    assert staged.run == [0]


def test_all_stop_at_the_stop_band_however_many_run() -> None:
    staged = running([0, 1, 2])
    staged.error(-STOP_BAND)
    staged.step()
    assert staged.run == []


@pytest.mark.parametrize(
    ("tag", "value"), [(Pump.LevelTrip, True), (Pump.LevelStop, True), (Pump.Failed, True)]
)
def test_a_pump_that_may_not_go_on_is_replaced_in_the_same_scan(tag: Tag, value: bool) -> None:
    staged = running([0, 1])
    staged[tag][0] = value
    staged.step()
    assert staged.run == [1, 2]
    assert staged[Pump.LevelEngaged][0]
    assert not staged[Pump.Available][0]
    staged.step(10)
    assert staged.run == [1, 2]


@pytest.mark.parametrize(("action", "run"), [("stop", [1, 2]), ("default", [0, 1])])
def test_a_pump_that_an_emergency_stop_stops_is_replaced(action: str, run: list[int]) -> None:
    """One that goes on at its default setpoint is not."""
    staged = running([0, 1])
    staged[Pump.EmergencyAction][:] = Pump.EmergencyAction.number(action)
    staged[Pump.Stopped][0] = True
    staged.step()
    assert staged.run == ([0, *run] if action == "stop" else run)
    staged[Pump.Setpoint][0] = 0.0 if action == "stop" else 35.0
    staged.step(10)
    assert staged.run == run


def test_where_none_can_take_its_place_the_others_go_on() -> None:
    staged = running([0, 1])
    staged[Pump.StartHeld][2] = 1
    staged[Pump.Failed][0] = True
    staged.step(10)
    assert staged.run == [1]
    assert staged[Station.PumpsWanted][0] == 1


def test_the_target_of_the_lead_counts_and_it_stays_the_lead_while_it_runs() -> None:
    staged = running([1])
    staged[Pump.TargetLevel][:] = (0.0, TARGET, 0.0)
    staged.error(-STOP_BAND + 0.01)
    staged.step()
    assert (staged.run, staged.lead) == ([1], 1)
    staged.speed = FAST
    staged.error(0.0)
    staged.step(int(UP) + 1)
    assert (staged.run, staged.lead) == ([0, 1], 1)
    staged[Pump.Failed][1] = True
    staged.step()
    assert staged.lead == 0
