"""Staging: a pump that has run for its longest is replaced, and none is ever missing."""

from __future__ import annotations

import pytest

from runtime.tags import Pump, Station
from tests.blocks.staged import DOWN, LOW, STOP_BAND, Staged, running

SLOW = LOW


def overdue(pumps: list[int], *, run: list[int]) -> Staged:
    """These pumps have run for their longest. Drives that don't obey are pumps 1 and 2."""
    staged = running(run)
    staged.deaf = {1, 2} - set(run)
    staged[Pump.MaxRun][:] = 3600.0
    for pump in pumps:
        staged[Pump.RunTime][pump] = 3600.0
    return staged


def test_after_its_longest_run_a_pump_goes_on_until_another_turns_in_its_place() -> None:
    staged = overdue([0], run=[0])
    staged.step(20)
    assert staged.run == [0, 1]
    assert staged[Station.Relieved][0] == 1
    staged.deaf.clear()
    staged.step(2)
    assert staged.run == [1]
    staged.step(20)
    assert (staged.run, staged.lead, staged[Station.Relieved][0]) == ([1], 1, 0)


def test_pumps_that_all_have_run_for_their_longest_are_relieved_one_at_a_time() -> None:
    staged = overdue([0, 1], run=[0, 1])
    staged.deaf.clear()
    staged.step(2)
    assert staged.run == [0, 2]
    staged.step(20)
    assert staged.run == [0, 2], "pump 1 turned until now: it has not rested"
    staged[Pump.RunTime][1] = 0.0
    staged.step(2)
    assert staged.run == [1, 2]


def test_where_no_other_can_start_the_longest_run_goes_on_and_ends_first() -> None:
    staged = overdue([0], run=[0, 1])
    staged[Pump.StartHeld][2] = 1
    staged.step(100)
    assert staged.run == [0, 1]
    staged.speed = SLOW
    staged.step(int(DOWN) + 1)
    assert staged.run == [1]


@pytest.mark.parametrize(("lost", "run"), [(0, [1]), (1, [0, 2])])
def test_a_change_over_survives_that_one_of_the_two_fails(lost: int, run: list[int]) -> None:
    """If it is the new one, a third takes its turn."""
    staged = overdue([0], run=[0])
    staged.step(5)
    assert staged.run == [0, 1]
    staged[Pump.Failed][lost] = True
    staged.step(5)
    assert staged.run == run


@pytest.mark.parametrize("pump", [0, 1])
def test_where_one_of_the_two_is_taken_away_the_other_goes_on(pump: int) -> None:
    staged = overdue([0], run=[0])
    staged.step(5)
    staged[Pump.Mode][pump] = 1
    staged[Pump.RunTime][0] = 0.0
    staged.step(5)
    assert staged[Station.PumpsWanted][0] == 1
    assert staged.lead == 1 - pump
    assert staged[Station.Relieved][0] == 0


def test_a_change_over_ends_when_both_pumps_are_taken_away() -> None:
    staged = overdue([0], run=[0])
    staged.step(5)
    staged[Pump.Mode][:2] = 1
    staged.step(5)
    assert not staged[Pump.LevelRun][2]
    assert staged[Station.Relieved][0] == 0


def test_a_change_over_ends_with_the_need_for_pumps() -> None:
    staged = overdue([0], run=[0])
    staged.step(5)
    staged.error(-STOP_BAND)
    staged.step(5)
    assert (staged.run, staged[Station.Relieved][0]) == ([], 0)
