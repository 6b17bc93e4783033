"""What a client may wish for of a monitored item, and what it gets."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.sync import Client, Subscription

from runtime.servers.opcua.watch import revised
from runtime.tags import Pump
from tests.processes import until
from tests.servers.modbus.station import PLANT
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import awaited, node, refused
from tests.servers.opcua.subscribing import identity, monitor, subscribed


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


def test_an_item_that_is_only_sampled_reports_nothing(viewer: Client, image: Image) -> None:
    with subscribed(viewer) as (told, subscription):
        subscription.subscribe_data_change(node(viewer, "North/11/Setpoint"))
        assert told.next()[2] == 0.0
        awaited(viewer, subscription.aio_obj.set_monitoring_mode(ua.MonitoringMode.Sampling))
        subscription.subscribe_data_change(node(viewer, "North/13/Setpoint"))
        assert told.next() == ("North/13/Setpoint", "Good", 0.0)
        with image.change():
            image[Pump.Setpoint][0] = image[Pump.Setpoint][3] = 8.0
        assert told.next() == ("North/13/Setpoint", "Good", 8.0)
        assert told.nothing()


def test_an_item_is_told_every_scan_if_it_asks_for_times(viewer: Client, image: Image) -> None:
    wish = ua.DataChangeFilter(ua.DataChangeTrigger.StatusValueTimestamp)
    with subscribed(viewer) as (told, subscription):
        subscribe = subscription.aio_obj._subscribe
        awaited(viewer, subscribe(node(viewer, "North/11/Setpoint").aio_obj, mfilter=wish))
        assert told.next()[2] == 0.0
        image.equip(PLANT)  # a second later, and nothing else
        assert told.next()[2] == 0.0
        assert told.values[-1].SourceTimestamp == image.scanned


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
