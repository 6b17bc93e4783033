"""What is called on conditions: the scan does it, and who did it stands in the next event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.sync import Client

from runtime.alarm import AlarmState
from runtime.places import Places
from runtime.servers.opcua.one_shots import OneShot, OneShots
from runtime.tags import Pump, System
from tests.processes import until
from tests.servers.modbus.station import CAPACITY, Plant
from tests.servers.opcua.attacking import PASSWORD
from tests.servers.opcua.listening import (
    Heard,
    called,
    comment,
    event_id,
    listening,
    milliseconds,
)
from tests.servers.opcua.serving import Running

ACKNOWLEDGE = "AcknowledgeableConditionType_Acknowledge"
CONFIRM = "AcknowledgeableConditionType_Confirm"
COMMENT = "ConditionType_AddComment"
DISABLE, ENABLE = "ConditionType_Disable", "ConditionType_Enable"
TIMED, ONE_SHOT, UNSHELVE = (
    f"ShelvedStateMachineType_{method}" for method in ("TimedShelve", "OneShotShelve", "Unshelve")
)
REFUSED = "System/RecordsRefused/Condition"


@contextmanager
def refused_records(plant: Plant, heard: Heard) -> Iterator[dict[str, object]]:
    """The alarm of refused records stands; what was told of it."""
    plant[System.RecordsRefused][0] = True
    try:
        yield heard.of("System", "RecordsRefused")
    finally:
        plant[System.RecordsRefused][0] = False
        until(lambda: not plant[System.tag("RecordsRefusedSince")][0])


def test_who_acknowledges_and_why_stands_in_the_event(operator: Client, plant: Plant) -> None:
    with listening(operator) as (heard, _):
        with refused_records(plant, heard) as told:
            assert told["AckedState/Id"] is False
            words = comment("seen from the road")
            assert called(operator, REFUSED, ACKNOWLEDGE, event_id(told), words) == "Good"
            told = heard.of("System", "RecordsRefused")
            assert (told["AckedState/Id"], told["ActiveState/Id"]) == (True, True)
            assert (told["Comment"], told["ClientUserId"]) == ("seen from the road", "operator")
            again = called(operator, REFUSED, ACKNOWLEDGE, event_id(told), words)
            assert again == "BadConditionBranchAlreadyAcked"
        assert heard.of("System", "RecordsRefused")["Retain"] is False


def test_an_alarm_that_came_back_is_not_acknowledged_with_an_event_from_before(
    operator: Client, plant: Plant
) -> None:
    with listening(operator) as (heard, _):
        with refused_records(plant, heard) as first:
            pass
        assert heard.of("System", "RecordsRefused")["ActiveState/Id"] is False
        with refused_records(plant, heard) as second:
            words = comment("")
            stale = called(operator, REFUSED, ACKNOWLEDGE, event_id(first), words)
            assert stale == "BadEventIdUnknown"
            assert called(operator, REFUSED, ACKNOWLEDGE, event_id(second), words) == "Good"
        assert heard.of("System", "RecordsRefused")["AckedState/Id"] is True


def test_events_of_others_and_made_up_ones_are_unknown(operator: Client, plant: Plant) -> None:
    with listening(operator) as (heard, _), refused_records(plant, heard) as told:
        words = comment("")
        other = "South/21/NoFlow/Condition"
        assert called(operator, other, ACKNOWLEDGE, event_id(told), words) == "BadEventIdUnknown"
        for made_up in (None, b"", b"x" * 16, b"x" * 100):
            given = ua.Variant(made_up, ua.VariantType.ByteString)
            assert called(operator, REFUSED, ACKNOWLEDGE, given, words) == "BadEventIdUnknown"
            assert called(operator, REFUSED, COMMENT, given, words) == "BadEventIdUnknown"


def test_a_latch_is_reset_by_confirming(operator: Client, plant: Plant) -> None:
    condition = "North/13/RunsUncommanded/Condition"
    with listening(operator) as (heard, _):
        plant.hold()
        plant[Pump.tag("RunsUncommandedState")][3] = AlarmState.LATCHED
        plant.go_on()
        told = heard.of("North/13", "RunsUncommanded")
        words = comment("looked at")
        early = called(operator, condition, CONFIRM, event_id(told), words)
        assert early == "BadConditionBranchAlreadyConfirmed"
        assert called(operator, condition, ACKNOWLEDGE, event_id(told), words) == "Good"
        told = heard.of("North/13", "RunsUncommanded")
        assert (told["LatchedState/Id"], told["ConfirmedState/Id"]) == (True, False)
        assert called(operator, condition, CONFIRM, event_id(told), words) == "Good"
        told = heard.of("North/13", "RunsUncommanded")
        assert (told["ConfirmedState/Id"], told["Retain"]) == (True, False)


def test_a_comment_changes_nothing_but_the_comment(
    operator: Client, plant: Plant, server: Running
) -> None:
    with listening(operator) as (heard, _), refused_records(plant, heard) as told:
        assert (
            called(operator, REFUSED, COMMENT, event_id(told), comment("van is on its way"))
            == "Good"
        )
        again = heard.of("System", "RecordsRefused")
        assert again["Comment"] == "van is on its way"
        assert again["AckedState/Id"] is told["AckedState/Id"]
        assert again["EventId"] != told["EventId"]


def test_shelving_for_a_time_and_back(operator: Client, plant: Plant) -> None:
    with listening(operator) as (heard, _), refused_records(plant, heard):
        machine = f"{REFUSED}/ShelvingState"  # either this or the condition itself, says Part 9
        for far in (1e3, 1e9, float("nan")):
            status = called(operator, machine, TIMED, milliseconds(far))
            assert status == "BadShelvingTimeOutOfRange"
        assert called(operator, REFUSED, UNSHELVE) == "BadConditionNotShelved"
        assert called(operator, machine, TIMED, milliseconds(600e3)) == "Good"
        told = heard.of("System", "RecordsRefused")
        assert told["ShelvingState/CurrentState"] == "Timed Shelved"
        assert 590e3 < float(str(told["ShelvingState/UnshelveTime"])) <= 600e3
        again = called(operator, machine, TIMED, milliseconds(700e3))
        assert again == "BadConditionAlreadyShelved"
        assert called(operator, REFUSED, UNSHELVE) == "Good"
        while heard.of("System", "RecordsRefused")["ShelvingState/CurrentState"] != "Unshelved":
            pass


def test_one_shot_shelving_ends_with_the_alarm(operator: Client, plant: Plant) -> None:
    with listening(operator) as (heard, _):
        with refused_records(plant, heard):
            assert called(operator, REFUSED, ONE_SHOT) == "Good"
            told = heard.of("System", "RecordsRefused")
            assert told["ShelvingState/CurrentState"] == "One Shot Shelved"
            assert called(operator, REFUSED, ONE_SHOT) == "BadConditionAlreadyShelved"
        told = heard.of("System", "RecordsRefused")
        assert (told["ShelvingState/CurrentState"], told["Retain"]) == ("Unshelved", False)


def test_one_shot_shelving_goes_on_after_a_restart(plant: Plant, plant_places: Places) -> None:
    state = System.tag("RecordsRefusedState")
    plant[System.RecordsRefused][0] = True
    with serving(plant_places) as first, first.client("operator", first.token) as client:
        until(lambda: plant[state][0] == AlarmState.UNACKNOWLEDGED)
        assert called(client, REFUSED, ONE_SHOT) == "Good"
    assert plant[state][0] == AlarmState.SHELVED
    with serving(plant_places) as second, second.client("operator", second.token) as client:
        until(lambda: called(client, REFUSED, ONE_SHOT) == "BadConditionAlreadyShelved")
        plant[System.RecordsRefused][0] = False
        until(lambda: plant[state][0] == AlarmState.NORMAL)
        until(lambda: OneShots(plant_places.one_shots).load() == frozenset())


def test_what_was_shelved_again_for_a_time_does_not_come_back_with_its_end(
    plant: Plant, plant_places: Places
) -> None:
    state = System.tag("RecordsRefusedState")
    plant[System.RecordsRefused][0] = True
    with serving(plant_places) as first, first.client("operator", first.token) as client:
        until(lambda: plant[state][0] == AlarmState.UNACKNOWLEDGED)
        assert called(client, REFUSED, TIMED, milliseconds(600e3)) == "Good"
    kept = OneShots(plant_places.one_shots)
    kept.keep(frozenset({OneShot(REFUSED, 1, "operator")}))  # it ended, and was shelved elsewhere
    with serving(plant_places) as second, second.client("operator", second.token) as client:
        until(lambda: kept.load() == frozenset())
        assert called(client, REFUSED, TIMED, milliseconds(700e3)) == "BadConditionAlreadyShelved"
        assert called(client, REFUSED, UNSHELVE) == "Good"
    plant[System.RecordsRefused][0] = False
    until(lambda: not plant[System.tag("RecordsRefusedSince")][0])


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"path": "System"}]'])
def test_a_file_of_one_shots_that_cannot_be_read_costs_no_more_than_what_it_said(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "one-shots.json"
    path.write_text(content)
    assert OneShots(path).load() == frozenset()


def test_disabling_takes_out_of_service_and_enabling_brings_back(
    guarded: Running, plant: Plant
) -> None:
    with (
        guarded.client("engineer-1", PASSWORD) as engineer,
        guarded.client("operator-1", PASSWORD) as operator,
        listening(engineer) as (heard, _),
        refused_records(plant, heard),
    ):
        assert called(operator, REFUSED, DISABLE) == "BadUserAccessDenied"
        assert called(engineer, REFUSED, ENABLE) == "BadConditionAlreadyEnabled"
        assert called(engineer, REFUSED, DISABLE) == "Good"
        told = heard.of("System", "RecordsRefused")
        assert (told["EnabledState/Id"], told["Retain"]) == (False, False)
        assert told["ClientUserId"] == "engineer-1"
        assert called(engineer, REFUSED, DISABLE) == "BadConditionAlreadyDisabled"
        given = (event_id(told), comment(""))
        for method in (ACKNOWLEDGE, CONFIRM, COMMENT):
            assert called(engineer, REFUSED, method, *given) == "BadConditionDisabled"
        for method in (ONE_SHOT, UNSHELVE):
            assert called(engineer, REFUSED, method) == "BadConditionDisabled"
        assert called(engineer, REFUSED, ENABLE) == "Good"
        while not (told := heard.of("System", "RecordsRefused"))["EnabledState/Id"]:
            pass
        assert told["ActiveState/Id"] is True


@contextmanager
def serving(places: Places) -> Iterator[Running]:
    """A server that ends, as a process that is restarted."""
    running = Running(places, CAPACITY)
    try:
        yield running
    finally:
        running.end()


@pytest.mark.parametrize("method", [ACKNOWLEDGE, COMMENT])
def test_arguments_are_checked(operator: Client, plant: Plant, method: str) -> None:
    assert called(operator, REFUSED, method) == "BadArgumentsMissing"
    wrong = ua.Variant("not an id", ua.VariantType.String)
    assert called(operator, REFUSED, method, wrong, comment("")) == "BadInvalidArgument"
    assert called(operator, "South/21", method, wrong, comment("")) == "BadInvalidArgument"
    fits = ua.Variant(b"1", ua.VariantType.ByteString)
    assert called(operator, "South/21", method, fits, comment("")) == "BadNodeIdUnknown"
    lone = comment("\0")
    assert called(operator, REFUSED, method, fits, lone) == "BadInvalidArgument"
