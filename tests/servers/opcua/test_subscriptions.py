"""Subscriptions: what changed is told, once, and that the scan stands still is a change."""

from __future__ import annotations

from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.attribute_ids import AttributeIds

from runtime.servers.opcua.limits import MOST_ITEMS_AT_ONCE, MOST_SUBSCRIPTIONS
from runtime.servers.opcua.members import standard
from runtime.tag import Quality
from runtime.tags import Pump, Station
from tests.processes import until
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import Running, awaited, node, refused
from tests.servers.opcua.subscribing import Told, identity, subscribed


def test_a_monitored_value_is_told_at_first_and_when_it_changes(
    viewer: Client, image: Image
) -> None:
    with subscribed(viewer) as (told, subscription):
        subscription.subscribe_data_change(node(viewer, "North/11/Setpoint"))
        assert told.next() == ("North/11/Setpoint", "Good", 0.0)
        for speed in (30.0, 31.5):
            with image.change():
                image[Pump.Setpoint][0] = speed
            assert told.next() == ("North/11/Setpoint", "Good", speed)
        assert told.values[-1].SourceTimestamp == image.scanned


def test_a_change_of_quality_alone_is_told(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        with image.change():
            image[Station.Level][1], image[Station.LevelQuality][1] = 2.0, Quality.GOOD
        until(lambda: node(viewer, "South/LevelQuality").read_value() == Quality.GOOD)
        subscription.subscribe_data_change(node(viewer, "South/Level"))
        assert told.next() == ("South/Level", "Good", 2.0)
        with image.change():
            image[Station.LevelQuality][1] = Quality.UNCERTAIN
        assert told.next() == ("South/Level", "Uncertain", 2.0)


def test_every_monitored_value_goes_bad_when_the_scan_stands_still(
    viewer: Client, image: Image
) -> None:
    paths = ["System/Epoch", "South/Failsafe", "North/11/Setpoint"]
    with subscribed(viewer) as (told, subscription):
        subscription.subscribe_data_change([node(viewer, path) for path in paths])
        assert {told.next()[1] for _ in paths} == {"Good"}
        image.hold()
        assert {told.next() for _ in paths} == {
            (path, "BadNoCommunication", None) for path in paths
        }
        assert {value.SourceTimestamp for value in told.values} == {image.scanned}
        image.go_on()
        assert {told.next()[:2] for _ in paths} == {(path, "Good") for path in paths}


def test_a_pump_that_is_retired_goes_bad(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        subscription.subscribe_data_change(node(viewer, "North/11/Setpoint"))
        assert told.next()[1] == "Good"
        with image.change():
            image[Pump.Configured][0] = False
        assert told.next() == ("North/11/Setpoint", "BadOutOfService", None)


def test_values_that_do_not_differ_are_not_told(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        subscription.subscribe_data_change(node(viewer, "North/12/Setpoint"))  # retired
        assert told.next()[1] == "BadOutOfService"
        subscription.subscribe_data_change(node(viewer, "North/11/Setpoint"))
        assert told.next()[1] == "Good"
        with image.change():
            image[Pump.Setpoint][1] = 12.0
        with image.change():
            image[Pump.Setpoint][0] = 11.0
        assert told.next() == ("North/11/Setpoint", "Good", 11.0)
        assert told.nothing()


def test_an_item_that_was_deleted_is_silent(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        gone = subscription.subscribe_data_change(node(viewer, "North/11/Setpoint"))
        subscription.subscribe_data_change(node(viewer, "North/13/Setpoint"))
        assert {told.next()[0], told.next()[0]} == {"North/11/Setpoint", "North/13/Setpoint"}
        subscription.unsubscribe(gone)
        with image.change():
            image[Pump.Setpoint][0] = image[Pump.Setpoint][3] = 9.0
        with image.change():
            image[Pump.Setpoint][3] = 10.0
        until(lambda: told.next() == ("North/13/Setpoint", "Good", 10.0))
        assert {str(value.Value.Value) for value in told.values if value.Value} <= {
            "0.0",
            "9.0",
            "10.0",
        }
        assert told.nothing()


def test_the_names_and_units_of_a_value_can_be_monitored_too(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        handle = subscription.subscribe_data_change(
            node(viewer, "North/11"), AttributeIds.DisplayName
        )
        assert told.next()[2] == ua.LocalizedText("First")
        subscription.subscribe_data_change(node(viewer, "North/11/Setpoint/EURange"))
        assert told.next()[2] == ua.Range(ua.Double(0.0), ua.Double(100.0))
        subscription.unsubscribe(handle)


def test_the_server_s_own_clock_can_be_monitored(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        clock = viewer.get_node(standard(2258))  # ServerStatus.CurrentTime
        subscription.subscribe_data_change(clock)
        assert told.next()[2] != told.next()[2]


def test_a_client_can_reach_neither_subscriptions_of_others_nor_their_items(
    painted_server: Running, viewer: Client, image: Image
) -> None:
    with painted_server.client() as stranger, subscribed(viewer) as (told, subscription):
        subscription.subscribe_data_change(node(viewer, "North/11/Setpoint"))
        assert told.next()[1] == "Good"
        session, target = stranger.aio_obj.uaclient, identity(subscription)
        for coroutine in (
            session.delete_monitored_items(ua.DeleteMonitoredItemsParameters(target, [112])),
            session.create_monitored_items(ua.CreateMonitoredItemsParameters(target)),
            session.modify_monitored_items(ua.ModifyMonitoredItemsParameters(target)),
            session.set_monitoring_mode(ua.SetMonitoringModeParameters(target)),
        ):
            with refused("BadSubscriptionIdInvalid"):
                awaited(stranger, coroutine)
        deleted = awaited(stranger, session.delete_subscriptions([target]))
        assert deleted[0].name == "BadSubscriptionIdInvalid"
        moved = awaited(
            stranger, session.transfer_subscriptions(ua.TransferSubscriptionsParameters([target]))
        )
        assert moved[0].StatusCode.name == "BadSubscriptionIdInvalid"
        with image.change():
            image[Pump.Setpoint][0] = 3.0
        assert told.next()[2] == 3.0


def test_wishes_without_end_are_refused(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (_, subscription):
        item = ua.MonitoredItemCreateRequest(ua.ReadValueId(node(viewer, "System/Scan").nodeid))
        wanted = ua.CreateMonitoredItemsParameters(
            identity(subscription),
            ItemsToCreate=[item] * (MOST_ITEMS_AT_ONCE + 1),
        )
        with refused("BadTooManyOperations"):
            awaited(viewer, subscription.aio_obj.server.create_monitored_items(wanted))
        more = [viewer.create_subscription(1000, Told()) for _ in range(MOST_SUBSCRIPTIONS - 1)]
        with refused("BadTooManySubscriptions"):
            viewer.create_subscription(1000, Told())
        for one in more:
            one.delete()
