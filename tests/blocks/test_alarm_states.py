"""Each alarm goes its way: announced, acknowledged, ended, latched, suppressed, and back."""

from __future__ import annotations

import pytest

from runtime.alarm import AlarmState
from runtime.requests import Result, Role
from runtime.tag import Tag
from runtime.tags import Pump, Station, System
from tests.blocks.panel import UTC, Panel

NORMAL, UNACKNOWLEDGED = AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED
ACKNOWLEDGED, CLEARED = AlarmState.ACKNOWLEDGED, AlarmState.CLEARED
LATCHED, LATCHED_ACKNOWLEDGED = AlarmState.LATCHED, AlarmState.LATCHED_ACKNOWLEDGED
SUPPRESSED = AlarmState.SUPPRESSED


@pytest.fixture
def panel() -> Panel:
    panel = Panel()
    panel.step()
    return panel


def is_now(panel: Panel, tag: Tag, condition: bool, scans: int = 1) -> AlarmState:
    """The state some scans after the condition of pump, station or system 0 became so."""
    panel[tag][0] = condition
    panel.step(scans)
    return panel.state(tag)


def acknowledge(panel: Panel, tag: Tag) -> AlarmState:
    assert panel.ask(tag, 0, ACKNOWLEDGED) is Result.EXECUTED
    return panel.state(tag)


def test_an_acknowledged_alarm_is_normal_when_it_ends(panel: Panel) -> None:
    assert is_now(panel, Pump.Failed, True) is UNACKNOWLEDGED
    assert acknowledge(panel, Pump.Failed) is ACKNOWLEDGED
    assert is_now(panel, Pump.Failed, True) is ACKNOWLEDGED
    assert is_now(panel, Pump.Failed, False) is NORMAL


def test_an_alarm_that_ends_unacknowledged_waits_for_somebody(panel: Panel) -> None:
    is_now(panel, Pump.Failed, True)
    assert is_now(panel, Pump.Failed, False, scans=1000) is CLEARED
    assert acknowledge(panel, Pump.Failed) is NORMAL


def test_an_alarm_that_comes_again_unacknowledged_is_active_again(panel: Panel) -> None:
    is_now(panel, Pump.Failed, True)
    is_now(panel, Pump.Failed, False)
    assert is_now(panel, Pump.Failed, True) is UNACKNOWLEDGED
    assert panel[System.Annunciations][0] == 2


def test_who_acknowledges_as_the_alarm_ends_sees_it_normal(panel: Panel) -> None:
    is_now(panel, Pump.Failed, True)
    panel[Pump.Failed][0] = False
    assert acknowledge(panel, Pump.Failed) is NORMAL


def test_who_acknowledges_an_ended_alarm_as_it_comes_again_is_told_of_it_anew(panel: Panel) -> None:
    is_now(panel, Pump.Failed, True)
    is_now(panel, Pump.Failed, False)
    panel[Pump.Failed][0] = True
    assert acknowledge(panel, Pump.Failed) is UNACKNOWLEDGED


def test_a_latching_alarm_stays_until_it_is_acknowledged_and_reset(panel: Panel) -> None:
    is_now(panel, Pump.RunsUncommanded, True)
    assert is_now(panel, Pump.RunsUncommanded, False, scans=1000) is LATCHED
    assert panel.ask(Pump.RunsUncommanded, 0, NORMAL) is Result.WRONG_STATE
    assert acknowledge(panel, Pump.RunsUncommanded) is LATCHED_ACKNOWLEDGED
    assert is_now(panel, Pump.RunsUncommanded, False) is LATCHED_ACKNOWLEDGED
    assert panel.ask(Pump.RunsUncommanded, 0, NORMAL) is Result.EXECUTED
    assert panel.state(Pump.RunsUncommanded) is NORMAL


def test_a_latching_alarm_acknowledged_while_active_has_still_to_be_reset(panel: Panel) -> None:
    is_now(panel, Pump.RunsUncommanded, True)
    acknowledge(panel, Pump.RunsUncommanded)
    assert is_now(panel, Pump.RunsUncommanded, False) is LATCHED_ACKNOWLEDGED


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_latched_alarm_that_comes_again_is_announced_again(
    panel: Panel, acknowledged: bool
) -> None:
    is_now(panel, Pump.RunsUncommanded, True)
    is_now(panel, Pump.RunsUncommanded, False)
    if acknowledged:
        acknowledge(panel, Pump.RunsUncommanded)
    assert is_now(panel, Pump.RunsUncommanded, True) is UNACKNOWLEDGED


def test_an_alarm_counts_as_it_stands(panel: Panel) -> None:
    panel[Pump.Failed][:3] = True
    panel[System.EmergencyStop][0] = True
    panel.step()
    assert panel[Station.UnacknowledgedAlarms].tolist() == [2, 1]
    assert panel[System.UnacknowledgedAlarms][0] == 4
    panel[Pump.Failed][1] = False
    panel.ask(Pump.Failed, 0, ACKNOWLEDGED)
    assert panel[Station.ActiveAlarms].tolist() == [1, 1]
    assert panel[Station.UnacknowledgedAlarms].tolist() == [1, 1]
    assert (panel[System.ActiveAlarms][0], panel[System.UnacknowledgedAlarms][0]) == (3, 3)


def test_the_database_is_lost_until_it_has_been_back_for_a_while(panel: Panel) -> None:
    assert is_now(panel, System.DatabaseLost, True) is UNACKNOWLEDGED
    assert is_now(panel, System.DatabaseLost, False, scans=30) is UNACKNOWLEDGED
    assert is_now(panel, System.DatabaseLost, True) is UNACKNOWLEDGED
    assert is_now(panel, System.DatabaseLost, False, scans=30) is UNACKNOWLEDGED
    assert panel[System.DatabaseLostSince][0] == UTC + 2.0
    assert is_now(panel, System.DatabaseLost, False) is CLEARED


def test_levels_that_differ_for_a_moment_are_no_alarm(panel: Panel) -> None:
    assert is_now(panel, Station.LevelsDiffer, True, scans=10) is NORMAL
    assert is_now(panel, Station.LevelsDiffer, False) is NORMAL
    assert is_now(panel, Station.LevelsDiffer, True, scans=10) is NORMAL
    assert is_now(panel, Station.LevelsDiffer, True) is UNACKNOWLEDGED


def test_a_delay_begins_anew_when_a_station_is_taken_into_use_again(panel: Panel) -> None:
    is_now(panel, Station.LevelsDiffer, True, scans=10)
    panel[Station.Configured][0] = False
    panel.step()
    panel[Station.Configured][0] = True
    panel.step(10)
    assert panel.state(Station.LevelsDiffer) is NORMAL


def test_a_pump_under_local_control_raises_no_alarm_of_flow_and_power(panel: Panel) -> None:
    panel[Pump.LocalControl][0] = True
    assert is_now(panel, Pump.NoFlow, True) is SUPPRESSED
    assert is_now(panel, Pump.PowerDeviates, True) is SUPPRESSED
    assert panel[System.UnacknowledgedAlarms][0] == 0
    assert panel[System.ActiveAlarms][0] == 2, "hidden, not gone"
    panel[Pump.LocalControl][0] = False
    panel.step()
    assert panel.state(Pump.NoFlow) is UNACKNOWLEDGED
    assert panel.state(Pump.PowerDeviates) is SUPPRESSED, "its cause stands"


def test_a_suppressed_alarm_that_ends_was_never_announced(panel: Panel) -> None:
    panel[Pump.LocalControl][0] = True
    is_now(panel, Pump.NoFlow, True)
    assert is_now(panel, Pump.NoFlow, False, scans=31) is NORMAL
    assert panel[System.Annunciations][0] == 0


def test_what_is_announced_is_not_hidden_by_a_cause_that_comes_later(panel: Panel) -> None:
    is_now(panel, Pump.PowerDeviates, True)
    is_now(panel, Pump.NoFlow, True)
    assert panel.state(Pump.PowerDeviates) is UNACKNOWLEDGED
    assert acknowledge(panel, Pump.PowerDeviates) is ACKNOWLEDGED


def test_consequences_of_the_same_scan_are_suppressed(panel: Panel) -> None:
    panel[Pump.NoFlow][0] = panel[Pump.PowerDeviates][0] = True
    panel.step()
    assert panel.state(Pump.NoFlow) is UNACKNOWLEDGED
    assert panel.state(Pump.PowerDeviates) is SUPPRESSED


def test_one_lost_database_is_one_alarm(panel: Panel) -> None:
    panel[System.DatabaseLost][0] = True
    panel.step()
    panel[Pump.FeedbackLost][:] = True
    panel.step()
    assert panel[System.UnacknowledgedAlarms][0] == 1
    assert panel[System.ActiveAlarms][0] == 5
    panel[System.DatabaseLost][0] = False
    panel.step(5)
    panel[Pump.FeedbackLost][:3] = False
    panel.step(26)
    assert [int(panel.state(Pump.FeedbackLost, slot)) for slot in range(4)] == [
        *(NORMAL, NORMAL, NORMAL),
        UNACKNOWLEDGED,
    ]


def test_a_restart_of_the_machine_announces_nothing_that_was_acknowledged(panel: Panel) -> None:
    is_now(panel, Pump.Failed, True)
    acknowledge(panel, Pump.Failed)
    panel.restart_cold()
    panel.step(30)
    assert panel.state(Pump.Failed) is ACKNOWLEDGED
    assert panel[System.ActiveAlarms][0] == 1
    assert is_now(panel, Pump.Failed, True) is ACKNOWLEDGED
    assert panel[Pump.FailedSince][0] == panel[System.TimeUtc][0]
    assert is_now(panel, Pump.Failed, False) is NORMAL


@pytest.mark.parametrize(("acknowledged", "then"), [(True, NORMAL), (False, CLEARED)])
def test_what_does_not_come_back_after_a_restart_has_ended(
    panel: Panel, acknowledged: bool, then: AlarmState
) -> None:
    before = is_now(panel, Pump.Failed, True)
    if acknowledged:
        before = acknowledge(panel, Pump.Failed)
    panel.restart_cold()
    panel.step(299)
    assert panel.state(Pump.Failed) is before
    panel.step()
    assert panel.state(Pump.Failed) is then


def test_the_alarm_of_a_fault_waits_for_somebody_once_the_scan_runs_again(panel: Panel) -> None:
    assert is_now(panel, System.Fault, True) is UNACKNOWLEDGED  # as the scan leaves it
    assert is_now(panel, System.Fault, False) is CLEARED


def test_the_state_of_a_pump_out_of_use_stands_still(panel: Panel) -> None:
    is_now(panel, Pump.Failed, True)
    panel[Pump.Configured][0] = False
    panel.step(10)
    assert panel.state(Pump.Failed) is UNACKNOWLEDGED
    assert panel[System.UnacknowledgedAlarms][0] == panel[System.ActiveAlarms][0] == 0
    assert panel.ask(Pump.Failed, 0, ACKNOWLEDGED) is Result.UNKNOWN_SLOT
    panel[Pump.Configured][0] = True
    panel.step()
    assert panel[System.UnacknowledgedAlarms][0] == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMINISTRATOR])
def test_who_only_looks_acknowledges_nothing(panel: Panel, role: Role) -> None:
    is_now(panel, Pump.Failed, True)
    assert panel.ask(Pump.Failed, 0, ACKNOWLEDGED, role=role) is Result.NOT_WRITABLE
    assert panel.state(Pump.Failed) is UNACKNOWLEDGED


def test_a_normal_alarm_can_not_be_acknowledged(panel: Panel) -> None:
    assert panel.ask(Pump.Failed, 0, ACKNOWLEDGED) is Result.WRONG_STATE


def test_two_who_acknowledge_in_one_scan_are_not_both_the_one(panel: Panel) -> None:
    is_now(panel, Pump.Failed, True)
    asked = [panel.put(Pump.Failed, 0, ACKNOWLEDGED) for _ in range(2)]
    panel.step()
    assert [panel.answer(one) for one in asked] == [Result.EXECUTED, Result.WRONG_STATE]


@pytest.mark.parametrize("wish", [UNACKNOWLEDGED, CLEARED, LATCHED, SUPPRESSED, 9, 2.5, -1])
def test_nobody_can_ask_for_a_state_that_only_a_condition_leads_to(
    panel: Panel, wish: float
) -> None:
    is_now(panel, Pump.Failed, True)
    assert panel.ask(Pump.Failed, 0, wish, role=Role.ENGINEER) is Result.OUT_OF_RANGE
    assert panel.state(Pump.Failed) is UNACKNOWLEDGED
