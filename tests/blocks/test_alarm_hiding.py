"""Alarms that are hidden: shelved for a while, or out of service, by whom that is allowed."""

from __future__ import annotations

import pytest

from runtime.alarm import AlarmState
from runtime.requests import Result, Role
from runtime.tags import Pump, Station, System
from tests.blocks.panel import ALARM, HOUR, Panel

NORMAL, UNACKNOWLEDGED = AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED
ACKNOWLEDGED, CLEARED = AlarmState.ACKNOWLEDGED, AlarmState.CLEARED
SHELVED, OUT_OF_SERVICE = AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE
ENGINEER = Role.ENGINEER


@pytest.fixture
def panel() -> Panel:
    """Pump 0 has failed."""
    panel = Panel()
    panel[Pump.Failed][0] = True
    panel.step()
    return panel


def state(panel: Panel) -> AlarmState:
    return panel.state(Pump.Failed)


def test_a_shelved_alarm_is_hidden_and_counted(panel: Panel) -> None:
    assert panel.ask(Pump.Failed, 0, SHELVED) is Result.EXECUTED
    assert state(panel) is SHELVED
    assert panel[System.UnacknowledgedAlarms][0] == 0
    assert (panel[System.ShelvedAlarms][0], panel[Station.ShelvedAlarms].tolist()) == (1, [1, 0])
    assert panel[System.ActiveAlarms][0] == 1, "it is evaluated all the same"


def test_shelving_ends_by_itself_and_what_is_active_is_announced_anew(panel: Panel) -> None:
    panel.ask(Pump.Failed, 0, SHELVED, 60)
    panel.step(59)
    assert state(panel) is SHELVED
    panel.step()
    assert state(panel) is UNACKNOWLEDGED
    assert panel[System.Annunciations][0] == 2
    assert panel[System.ShelvedAlarms][0] == 0
    assert panel[ALARM[Pump.Failed].shelved_until][0] == 0


def test_shelving_ends_quietly_when_the_condition_is_gone(panel: Panel) -> None:
    panel.ask(Pump.Failed, 0, SHELVED, 60)
    panel[Pump.Failed][0] = False
    panel.step(60)
    assert state(panel) is NORMAL
    assert panel[System.UnacknowledgedAlarms][0] == 0


def test_an_alarm_can_be_unshelved_before_its_time(panel: Panel) -> None:
    panel.ask(Pump.Failed, 0, SHELVED)
    assert panel.ask(Pump.Failed, 0, NORMAL) is Result.EXECUTED
    assert state(panel) is UNACKNOWLEDGED, "announced in the same scan"
    assert panel[ALARM[Pump.Failed].shelved_until][0] == 0


def test_a_normal_alarm_can_be_shelved_before_it_comes(panel: Panel) -> None:
    assert panel.ask(Pump.NotFollowing, 1, SHELVED) is Result.EXECUTED
    panel[Pump.NotFollowing][1] = True
    panel.step(5)
    assert panel.state(Pump.NotFollowing, 1) is SHELVED
    assert panel[Pump.NotFollowingSince][1] > 0.0, "since when is known all the same"


def test_a_shelved_alarm_can_be_shelved_for_longer(panel: Panel) -> None:
    panel.ask(Pump.Failed, 0, SHELVED, 60)
    panel.step(50)
    assert panel.ask(Pump.Failed, 0, SHELVED, 60) is Result.EXECUTED
    panel.step(59)
    assert state(panel) is SHELVED
    panel.step()
    assert state(panel) is UNACKNOWLEDGED


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        (0, Result.OUT_OF_RANGE),
        (59, Result.OUT_OF_RANGE),
        (60, Result.EXECUTED),
        (8 * HOUR, Result.EXECUTED),
        (8 * HOUR + 1, Result.OUT_OF_RANGE),
        (2**63, Result.OUT_OF_RANGE),
    ],
)
def test_shelving_lasts_from_a_minute_to_eight_hours(
    panel: Panel, seconds: int, answer: Result
) -> None:
    assert panel.ask(Pump.Failed, 0, SHELVED, seconds) is answer
    assert state(panel) is (SHELVED if answer is Result.EXECUTED else UNACKNOWLEDGED)


def test_the_wall_clock_does_not_shorten_or_prolong_shelving(panel: Panel) -> None:
    panel.ask(Pump.Failed, 0, SHELVED, 60)
    panel[System.TimeUtc][0] += 1e7
    panel.step(30)
    panel[System.TimeUtc][0] -= 2e7
    panel.step(29)
    assert state(panel) is SHELVED
    panel.step()
    assert state(panel) is UNACKNOWLEDGED


def test_shelving_outlives_a_restart_of_the_machine_and_goes_on(panel: Panel) -> None:
    panel.ask(Pump.Failed, 0, SHELVED, 60)
    panel.step(20)
    panel.restart_cold()
    panel[Pump.Failed][0] = True
    panel.step(39)
    assert state(panel) is SHELVED
    panel.step()
    assert state(panel) is UNACKNOWLEDGED


def test_an_operator_shelves_no_alarm_of_priority_1(panel: Panel) -> None:
    panel[Pump.EmergencyStop][0] = True
    panel.step()
    assert panel.ask(Pump.EmergencyStop, 0, SHELVED) is Result.NOT_ALLOWED
    assert panel.state(Pump.EmergencyStop) is UNACKNOWLEDGED
    assert panel.ask(Pump.EmergencyStop, 0, ACKNOWLEDGED) is Result.EXECUTED
    assert panel.ask(Pump.EmergencyStop, 0, SHELVED, role=ENGINEER) is Result.EXECUTED
    assert panel.ask(Pump.EmergencyStop, 0, NORMAL) is Result.EXECUTED, "anyone may unshelve"


def test_only_an_engineer_takes_an_alarm_out_of_service_and_back(panel: Panel) -> None:
    assert panel.ask(Pump.Failed, 0, OUT_OF_SERVICE) is Result.NOT_ALLOWED
    assert panel.ask(Pump.Failed, 0, OUT_OF_SERVICE, role=ENGINEER) is Result.EXECUTED
    panel.step(9 * HOUR)
    assert state(panel) is OUT_OF_SERVICE, "nothing but an engineer ends that"
    assert panel.ask(Pump.Failed, 0, NORMAL) is Result.NOT_ALLOWED
    assert panel.ask(Pump.Failed, 0, NORMAL, role=ENGINEER) is Result.EXECUTED
    assert state(panel) is UNACKNOWLEDGED


def test_a_shelved_alarm_can_be_taken_out_of_service_and_is_no_longer_shelved(
    panel: Panel,
) -> None:
    panel.ask(Pump.Failed, 0, SHELVED, 60)
    assert panel.ask(Pump.Failed, 0, OUT_OF_SERVICE, role=ENGINEER) is Result.EXECUTED
    panel.step(100)
    assert state(panel) is OUT_OF_SERVICE
    assert panel.ask(Pump.Failed, 0, SHELVED, role=ENGINEER) is Result.WRONG_STATE


def test_a_hidden_alarm_can_not_be_acknowledged(panel: Panel) -> None:
    panel.ask(Pump.Failed, 0, SHELVED)
    assert panel.ask(Pump.Failed, 0, ACKNOWLEDGED) is Result.WRONG_STATE


def test_a_latched_alarm_is_not_shelved_away(panel: Panel) -> None:
    panel[Pump.RunsUncommanded][0] = True
    panel.step()
    panel[Pump.RunsUncommanded][0] = False
    panel.step()
    assert panel.ask(Pump.RunsUncommanded, 0, SHELVED) is Result.WRONG_STATE
    assert panel.state(Pump.RunsUncommanded) is AlarmState.LATCHED


def test_who_unshelves_what_is_suppressed_sees_nothing_announced(panel: Panel) -> None:
    panel[Pump.LocalControl][0] = panel[Pump.NoFlow][0] = True
    panel.step()
    assert panel.ask(Pump.NoFlow, 0, SHELVED) is Result.EXECUTED
    assert panel.ask(Pump.NoFlow, 0, NORMAL) is Result.EXECUTED
    assert panel.state(Pump.NoFlow) is AlarmState.SUPPRESSED
