"""Alarms as conditions: what clients are told of them, and when."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.sync import Client

from runtime.alarm import AlarmState
from runtime.servers.opcua.references import node_id
from runtime.tag import Tag
from runtime.tags import Pump, Station, System
from tests.servers.opcua.image import Image
from tests.servers.opcua.listening import CONDITIONS, called, listening, number
from tests.servers.opcua.serving import Running, node

_S = AlarmState
STATES = {
    _S.UNACKNOWLEDGED: (True, False, True, True),
    _S.ACKNOWLEDGED: (True, True, True, True),
    _S.CLEARED: (False, False, True, True),
    _S.LATCHED: (False, False, True, True),
    _S.LATCHED_ACKNOWLEDGED: (False, True, False, True),
    _S.SHELVED: (True, True, True, True),
    _S.SUPPRESSED: (True, True, True, True),
    _S.OUT_OF_SERVICE: (True, True, True, False),
    _S.NORMAL: (False, True, True, False),
}


def paint(image: Image, alarm: Tag, slot: int, state: AlarmState, since: float = 0.0) -> None:
    table = {"Pump": Pump, "Station": Station, "System": System}[alarm.table]
    with image.change():
        image[table.tag(alarm.state)][slot] = state
        image[table.tag(alarm.since)][slot] = since


@pytest.mark.parametrize("state", [state for state in _S if state is not _S.NORMAL])
def test_each_state_of_an_alarm_reads_as_part_9_has_it(
    viewer: Client, image: Image, state: AlarmState
) -> None:
    active, acknowledged, confirmed, retained = STATES[state]
    with listening(viewer) as (heard, _):
        paint(image, Pump.NotFollowing, 0, state, image.utc - 5 if active else 0.0)
        told = heard.of("North/11", "NotFollowing")
        assert told["ActiveState/Id"] is active
        assert told["AckedState/Id"] is acknowledged
        assert told["ConfirmedState/Id"] is confirmed
        assert told["Retain"] is retained
        assert told["EnabledState/Id"] is (state is not _S.OUT_OF_SERVICE)
        assert told["SuppressedOrShelved"] is (state in (_S.SHELVED, _S.SUPPRESSED))
        paint(image, Pump.NotFollowing, 0, _S.NORMAL)
        told = heard.of("North/11", "NotFollowing")
        assert (told["ActiveState/Id"], told["Retain"]) == (False, False)


def test_an_alarm_names_its_source_its_condition_and_how_severe_it_is(
    viewer: Client, image: Image
) -> None:
    with listening(viewer) as (heard, _):
        paint(image, Station.Failsafe, 1, _S.UNACKNOWLEDGED, image.utc)
        told = heard.of("South", "Failsafe")
        assert told["SourceName"] == "South well"
        assert told["ConditionId"] == node_id("South/Failsafe/Condition")
        assert told["Severity"] == 700
        assert told["Time"] == image.scanned.replace(tzinfo=told["Time"].tzinfo)  # type: ignore[attr-defined]
        assert str(told["Message"]).startswith("South well: ")
        paint(image, System.Fault, 0, _S.UNACKNOWLEDGED, image.utc)
        assert heard.of("System", "Fault")["Severity"] == 900
        condition = node(viewer, "South/Failsafe/Condition")
        assert condition.read_node_class() == ua.NodeClass.Object
        callable_on = [method.read_browse_name().Name for method in condition.get_methods()]
        assert {"Acknowledge", "AddComment", "Confirm", "Reset", "Disable"} <= set(callable_on)
        assert condition.get_child("ShelvingState").get_child("TimedShelve") is not None


def test_what_stands_already_is_told_by_a_refresh_between_its_beginning_and_end(
    viewer: Client, image: Image
) -> None:
    with listening(viewer) as (before, _):
        paint(image, Pump.NoFlow, 0, _S.OUT_OF_SERVICE, image.utc)
        for slot in (0, 1, 3):  # the pump of row 1 is not in use
            paint(image, Pump.Failed, slot, _S.UNACKNOWLEDGED, image.utc)
        assert before.of("North/13", "Failed")["Retain"]
    with listening(viewer) as (heard, subscription):
        refresh(viewer, subscription.aio_obj.subscription_id)
        begin, first, second, end = (heard.next() for _ in range(4))
        assert begin["EventType"] == number("RefreshStartEventType")
        assert end["EventType"] == number("RefreshEndEventType")
        assert {told["SourceNode"] for told in (first, second)} == {
            node_id("North/11"),
            node_id("North/13"),
        }
        refresh(viewer, subscription.aio_obj.subscription_id)
        again = [heard.next() for _ in range(4)]
        assert {told["EventId"] for told in again[1:3]} == {first["EventId"], second["EventId"]}
        assert heard.nothing()


def test_a_refresh_is_of_one_s_own_subscription(viewer: Client, painted_server: Running) -> None:
    with listening(viewer) as (_, subscription), painted_server.client() as stranger:
        mine = ua.Variant(subscription.aio_obj.subscription_id, ua.VariantType.UInt32)
        none = ua.Variant(99, ua.VariantType.UInt32)
        kind = CONDITIONS
        method = "ConditionType_ConditionRefresh"
        assert called(stranger, kind, method, mine) == "BadSubscriptionIdInvalid"
        assert called(viewer, kind, f"{method}2", mine, none) == "BadMonitoredItemIdInvalid"
        assert called(viewer, kind, method) == "BadArgumentsMissing"


def test_who_listens_at_a_station_hears_of_it_and_its_pumps_alone(
    viewer: Client, image: Image
) -> None:
    with listening(viewer, node_id("South")) as (heard, _):
        paint(image, Pump.Failed, 0, _S.UNACKNOWLEDGED, image.utc)
        paint(image, Pump.Failed, 4, _S.UNACKNOWLEDGED, image.utc)
        assert heard.next()["SourceNode"] == node_id("South/21")
        paint(image, Station.Failsafe, 1, _S.UNACKNOWLEDGED, image.utc)
        assert heard.next()["SourceNode"] == node_id("South")
        assert heard.nothing()


def test_conditions_say_that_the_scan_stands_still(viewer: Client, image: Image) -> None:
    with listening(viewer) as (heard, _):
        paint(image, Pump.Failed, 0, _S.ACKNOWLEDGED, image.utc)
        assert heard.next()["Quality"].is_good()  # type: ignore[attr-defined]
        image.hold()
        assert heard.next()["Quality"].name == "BadNoCommunication"  # type: ignore[attr-defined]
        image.go_on()
        assert heard.next()["Quality"].is_good()  # type: ignore[attr-defined]


def test_the_alarm_of_a_pump_that_is_retired_is_of_no_interest_any_more(
    viewer: Client, image: Image
) -> None:
    with listening(viewer) as (heard, _):
        paint(image, Pump.Failed, 0, _S.UNACKNOWLEDGED, image.utc)
        assert heard.next()["Retain"] is True
        with image.change():
            image[Pump.Configured][0] = False
        assert heard.next()["Retain"] is False


def refresh(client: Client, subscription: int | None) -> None:
    wanted = ua.Variant(subscription, ua.VariantType.UInt32)
    kind = CONDITIONS
    assert called(client, kind, "ConditionType_ConditionRefresh", wanted) == "Good"
