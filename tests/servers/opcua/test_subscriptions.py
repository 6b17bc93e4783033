"""Monitored items: what changed is told, once, and that the scan stands still is a change."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asyncua import ua
from asyncua.sync import Client, Subscription
from asyncua.ua.attribute_ids import AttributeIds

from runtime.servers.opcua.members import standard
from runtime.servers.opcua.session import MOST_ITEMS_AT_ONCE, MOST_SUBSCRIPTIONS
from runtime.servers.opcua.watch import revised
from runtime.tag import Quality
from runtime.tags import Pump, Station
from tests.servers.modbus.station import until
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import Running, awaited, node, refused

PATIENCE = 10.0  # s


class Told:
    """What a subscription tells: (path, status, value), in order."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[str, str, object]] = queue.SimpleQueue()
        self.values: list[ua.DataValue] = []

    def datachange_notification(self, found: Any, value: object, data: Any) -> None:
        item: ua.DataValue = data.monitored_item.Value
        self.values.append(item)
        name = item.StatusCode.name if item.StatusCode else ""
        self._queue.put((str(found.nodeid.Identifier), name, value))

    def next(self) -> tuple[str, str, object]:
        return self._queue.get(timeout=PATIENCE)

    def nothing(self) -> bool:
        return self._queue.empty()


@contextmanager
def subscribed(client: Client, publishing: float = 100.0) -> Iterator[tuple[Told, Subscription]]:
    told = Told()
    subscription = client.create_subscription(publishing, told)
    yield told, subscription
    subscription.delete()


def identity(subscription: Subscription) -> ua.IntegerId:
    return ua.IntegerId(subscription.aio_obj.subscription_id or 0)


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


def monitor(
    client: Client, subscription: Subscription, path: str, **wishes: Any
) -> ua.MonitoredItemCreateResult:
    """Create a monitored item; `wishes` are parameters of it. What changes is told to nobody."""
    item = ua.MonitoredItemCreateRequest(
        ua.ReadValueId(node(client, path).nodeid, ua.IntegerId(AttributeIds.Value)),
        ua.MonitoringMode.Reporting,
        ua.MonitoringParameters(**wishes),
    )
    wanted = ua.CreateMonitoredItemsParameters(identity(subscription), ItemsToCreate=[item])
    results = awaited(client, subscription.aio_obj.server.create_monitored_items(wanted))
    return results[0]


def test_a_deadband_is_measured_from_what_was_told_last(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        deadband = subscription.aio_obj.deadband_monitor
        awaited(viewer, deadband(node(viewer, "North/11/Setpoint").aio_obj, ua.Double(1.0)))
        assert told.next()[2] == 0.0
        for speed in (0.6, 1.2):  # each step is small, the drift is not
            with image.change():
                image[Pump.Setpoint][0] = speed
            until(lambda: node(viewer, "North/11/Setpoint").read_value() == speed)  # noqa: B023
        assert told.next()[2] == 1.2


def test_a_deadband_in_percent_is_one_of_the_range(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        setpoint = node(viewer, "North/11/Setpoint")  # 0 to 100 Hz
        deadband = subscription.aio_obj.deadband_monitor
        percent = ua.UInt32(ua.DeadbandType.Percent)
        awaited(viewer, deadband(setpoint.aio_obj, ua.Double(10.0), percent))
        assert told.next()[2] == 0.0
        for speed in (9.0, 10.5):
            with image.change():
                image[Pump.Setpoint][0] = speed
            until(lambda: setpoint.read_value() == speed)  # noqa: B023
        assert told.next()[2] == 10.5


@pytest.mark.parametrize(
    ("path", "filter_", "name"),
    [
        ("North/11/Mode", (1, 1.0), "BadFilterNotAllowed"),
        ("North/11/Setpoint", (1, -1.0), "BadDeadbandFilterInvalid"),
        ("North/11/Setpoint", (1, float("nan")), "BadDeadbandFilterInvalid"),
        ("North/11/Setpoint", (2, 101.0), "BadDeadbandFilterInvalid"),
        ("North/11/Setpoint", (3, 1.0), "BadDeadbandFilterInvalid"),
        ("System/TimeUtc", (2, 1.0), "BadFilterNotAllowed"),
    ],
)
def test_a_deadband_that_makes_no_sense_is_refused(
    viewer: Client, image: Image, path: str, filter_: tuple[int, float], name: str
) -> None:
    kind, band = filter_
    wish = ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, ua.UInt32(kind), ua.Double(band))
    with subscribed(viewer) as (_, subscription):
        assert monitor(viewer, subscription, path, Filter=wish).StatusCode.name == name


def test_a_filter_of_another_kind_is_refused(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (_, subscription):
        result = monitor(viewer, subscription, "North/11/Setpoint", Filter=ua.EventFilter())
        assert result.StatusCode.name == "BadMonitoredItemFilterUnsupported"


def test_wishes_are_revised_to_what_is_possible(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (_, subscription):
        made = awaited(viewer, subscription.aio_obj.server.create_subscription(_hasty(), print))
        assert made.RevisedPublishingInterval == 100
        assert 3 * made.RevisedMaxKeepAliveCount <= made.RevisedLifetimeCount <= 6_000
        wishes = [(0.0, 0), (250.0, 3), (1e9, 10_000), (-1.0, 1)]
        found = [
            monitor(viewer, subscription, "North/11/Setpoint", SamplingInterval=ms, QueueSize=size)
            for ms, size in wishes
        ]
        assert [(item.RevisedSamplingInterval, item.RevisedQueueSize) for item in found] == [
            (100, 1),
            (200, 3),
            (60_000, 10),
            (100, 1),
        ]


def _hasty() -> ua.CreateSubscriptionParameters:
    return ua.CreateSubscriptionParameters(
        ua.Duration(float("nan")), ua.Counter(2**32 - 1), ua.Counter(2**32 - 1)
    )


@pytest.mark.parametrize(
    ("wish", "revision"), [(0.05, 0.1), (0.1, 0.1), (0.99, 0.5), (3600.0, 60.0)]
)
def test_sampling_intervals_are_those_of_a_short_list(wish: float, revision: float) -> None:
    assert revised(wish) == revision


def test_a_disabled_item_is_silent_and_tells_its_value_when_enabled(
    viewer: Client, image: Image
) -> None:
    with subscribed(viewer) as (told, subscription):
        subscription.subscribe_data_change(node(viewer, "North/11/Setpoint"))
        assert told.next()[2] == 0.0
        awaited(viewer, subscription.aio_obj.set_monitoring_mode(ua.MonitoringMode.Disabled))
        with image.change():
            image[Pump.Setpoint][0] = 7.0
        until(lambda: node(viewer, "North/11/Setpoint").read_value() == 7.0)
        subscription.subscribe_data_change(node(viewer, "North/13/Setpoint"))
        assert told.next() == ("North/13/Setpoint", "Good", 0.0)
        awaited(viewer, subscription.aio_obj.set_monitoring_mode(ua.MonitoringMode.Reporting))
        assert told.next() == ("North/11/Setpoint", "Good", 7.0)


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


def test_the_interval_and_queue_of_an_item_can_be_changed(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        handle = subscription.subscribe_data_change(
            node(viewer, "North/11/Setpoint"), sampling_interval=60_000.0
        )
        assert told.next()[2] == 0.0
        modify = subscription.aio_obj.modify_monitored_item
        results = awaited(viewer, modify(handle, ua.Duration(100.0), new_queuesize=5))
        assert [(r.RevisedSamplingInterval, r.RevisedQueueSize) for r in results] == [(100, 5)]
        with image.change():
            image[Pump.Setpoint][0] = 5.0
        assert told.next()[2] == 5.0
        with refused("BadMonitoredItemIdInvalid"):
            awaited(viewer, _modify(subscription, 99_999)).StatusCode.check()


async def _modify(subscription: Subscription, item: int) -> ua.MonitoredItemModifyResult:
    wanted = ua.ModifyMonitoredItemsParameters(
        identity(subscription),
        ItemsToModify=[ua.MonitoredItemModifyRequest(ua.IntegerId(item))],
    )
    results = await subscription.aio_obj.server.modify_monitored_items(wanted)
    return results[0]


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
