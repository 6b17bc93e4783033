"""The services around subscriptions, as Part 4 (5.13, 5.14) has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from asyncua import ua
from asyncua.sync import Client, Subscription
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import struct_from_binary

from runtime.servers.opcua.subscription import Subscription as Served
from runtime.tags import Pump
from tests.processes import until
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import Running, awaited, node, refused
from tests.servers.opcua.subscribing import Told, identity, subscribed

FIRST, THIRD = "North/11/Setpoint", "North/13/Setpoint"


def _services(subscription: Subscription) -> Any:
    return subscription.aio_obj.server


async def _answer(server: Any, request: Any, answer: Any) -> Any:
    body = await server.protocol.send_request(request)
    return struct_from_binary(answer, body)


def _trigger(
    client: Client, subscription: Subscription, by: int, add: list[int], remove: list[int]
) -> ua.SetTriggeringResult:
    request = ua.SetTriggeringRequest()
    request.Parameters = ua.SetTriggeringParameters(
        identity(subscription),
        ua.IntegerId(by),
        [ua.IntegerId(number) for number in add],
        [ua.IntegerId(number) for number in remove],
    )
    services = client.aio_obj.uaclient
    answer = awaited(client, _answer(services, request, ua.SetTriggeringResponse))
    return answer.Parameters  # type: ignore[no-any-return]


def _sampled(running: Running, number: int) -> object:
    """What the server has queued last for an item of the newest subscription."""
    newest = list(running.server.core.subscription_service.subscriptions.values())[-1]
    last = cast(Served, newest).items._data[number]._last
    return last[0] if last else None


def _set(image: Image, row: int, value: float) -> None:
    with image.change():
        image[Pump.Setpoint][row] = value


@pytest.fixture
def pair(viewer: Client, image: Image) -> Iterator[tuple[Told, Subscription, int, int]]:
    """A subscription, and its items for the setpoints of the first and the third pump."""
    with subscribed(viewer) as (told, subscription):
        first, third = (subscription.subscribe_data_change(node(viewer, p)) for p in (FIRST, THIRD))
        assert {told.next()[0], told.next()[0]} == {FIRST, THIRD}
        yield told, subscription, first, third


def test_an_item_reports_what_it_sampled_when_another_triggers_it(
    painted_server: Running, viewer: Client, image: Image, pair: tuple[Told, Subscription, int, int]
) -> None:
    told, subscription, first, third = pair
    sampling = ua.SetMonitoringModeParameters(
        identity(subscription), ua.MonitoringMode.Sampling, [ua.IntegerId(third)]
    )
    awaited(viewer, _services(subscription).set_monitoring_mode(sampling))
    linked = _trigger(viewer, subscription, first, [third, 99_999], [first])
    assert [code.name for code in linked.AddResults] == ["Good", "BadMonitoredItemIdInvalid"]
    assert [code.name for code in linked.RemoveResults] == ["BadMonitoredItemIdInvalid"]
    _set(image, 3, 5.0)
    until(lambda: _sampled(painted_server, third) == 5.0)
    _set(image, 0, 1.0)
    assert {told.next(), told.next()} == {(FIRST, "Good", 1.0), (THIRD, "Good", 5.0)}
    unlinked = _trigger(viewer, subscription, first, [], [third])
    assert [code.name for code in unlinked.RemoveResults] == ["Good"]
    _set(image, 3, 6.0)
    until(lambda: _sampled(painted_server, third) == 6.0)
    _set(image, 0, 2.0)
    assert told.next() == (FIRST, "Good", 2.0)
    assert told.nothing()


def test_an_item_that_reports_is_told_once_although_it_is_triggered(
    viewer: Client, image: Image, pair: tuple[Told, Subscription, int, int]
) -> None:
    told, subscription, first, third = pair
    _trigger(viewer, subscription, first, [third], [])
    with image.change():
        image[Pump.Setpoint][0] = image[Pump.Setpoint][3] = 4.0
    assert {told.next(), told.next()} == {(FIRST, "Good", 4.0), (THIRD, "Good", 4.0)}
    subscription.unsubscribe(third)  # a link to it leads nowhere
    _set(image, 0, 5.0)
    assert told.next() == (FIRST, "Good", 5.0)
    assert told.nothing()


def test_triggering_needs_an_item_and_links(
    viewer: Client, image: Image, pair: tuple[Told, Subscription, int, int]
) -> None:
    _, subscription, first, third = pair
    with refused("BadMonitoredItemIdInvalid"):
        _trigger(viewer, subscription, 99_999, [first], [])
    with refused("BadNothingToDo"):
        _trigger(viewer, subscription, third, [], [])


def test_a_subscription_publishes_as_it_was_modified(viewer: Client, image: Image) -> None:
    with subscribed(viewer, publishing=60_000.0) as (told, subscription):
        subscription.subscribe_data_change(node(viewer, FIRST))
        wish = ua.ModifySubscriptionParameters(
            identity(subscription), ua.Duration(1.0), ua.Counter(10), ua.Counter(5), ua.Counter(7)
        )
        revised = awaited(viewer, _services(subscription).modify_subscription(wish))
        assert revised.RevisedPublishingInterval == 100
        assert (revised.RevisedLifetimeCount, revised.RevisedMaxKeepAliveCount) == (15, 5)
        assert told.next()[0] == FIRST  # long before a minute is over
        _set(image, 0, 3.0)
        assert told.next() == (FIRST, "Good", 3.0)
        wish.SubscriptionId = ua.IntegerId(99_999)
        with refused("BadSubscriptionIdInvalid"):
            awaited(viewer, _services(subscription).modify_subscription(wish))


def test_what_does_not_fit_into_a_message_comes_in_the_next_and_each_request_has_one_answer(
    viewer: Client, image: Image
) -> None:
    with subscribed(viewer) as (told, subscription):
        wish = ua.ModifySubscriptionParameters(
            identity(subscription),
            ua.Duration(100.0),
            MaxNotificationsPerPublish=ua.Counter(1),
        )
        awaited(viewer, _services(subscription).modify_subscription(wish))
        paths = [FIRST, THIRD, "North/Level", "South/Level", "System/Scan"]
        subscription.subscribe_data_change([node(viewer, path) for path in paths])
        assert {told.next()[0] for _ in paths} == set(paths)
        _set(image, 0, 3.0)
        until(lambda: told.next()[2] == 3.0)


def test_a_subscription_that_does_not_publish_keeps_what_changes(
    viewer: Client, image: Image, pair: tuple[Told, Subscription, int, int]
) -> None:
    told, subscription, _, _ = pair
    numbers = [identity(subscription), ua.IntegerId(99_999)]

    def publish(enabled: bool) -> list[str]:
        wish = ua.SetPublishingModeParameters(enabled, numbers)
        found = awaited(viewer, _services(subscription).set_publishing_mode(wish))
        return [code.name for code in found]

    assert publish(False) == ["Good", "BadSubscriptionIdInvalid"]
    _set(image, 0, 8.0)
    until(lambda: node(viewer, FIRST).read_value() == 8.0)
    with subscribed(viewer) as (other, second):
        second.subscribe_data_change(node(viewer, FIRST))
        assert other.next()[2] == 8.0
    assert told.nothing()
    assert publish(True)[0] == "Good"
    assert told.next() == (FIRST, "Good", 8.0)


@pytest.mark.parametrize("wanted", [ua.TimestampsToReturn.Server, ua.TimestampsToReturn.Neither])
def test_a_client_is_told_the_times_that_it_wants(
    viewer: Client, image: Image, wanted: ua.TimestampsToReturn
) -> None:
    with subscribed(viewer) as (told, subscription):
        handle = subscription.subscribe_data_change(node(viewer, FIRST))
        assert told.next()[2] == 0.0
        wish = ua.ModifyMonitoredItemsParameters(
            identity(subscription),
            wanted,
            [
                ua.MonitoredItemModifyRequest(
                    ua.IntegerId(handle),
                    ua.MonitoringParameters(ua.IntegerId(_handle(subscription, handle))),
                )
            ],
        )
        results = awaited(viewer, _services(subscription).modify_monitored_items(wish))
        results[0].StatusCode.check()
        _set(image, 0, 2.0)
        assert told.next()[2] == 2.0
        last = told.values[-1]
        assert last.SourceTimestamp is None
        assert (last.ServerTimestamp is None) == (wanted == ua.TimestampsToReturn.Neither)


def _handle(subscription: Subscription, number: int) -> int:
    """The client's own handle of an item."""
    found = subscription.aio_obj._monitored_items.values()
    return next(int(item.client_handle or 0) for item in found if item.server_handle == number)


def test_values_are_told_anew_if_a_transfer_asks_for_them(
    viewer: Client, image: Image, pair: tuple[Told, Subscription, int, int]
) -> None:
    told, subscription, _, _ = pair
    wish = ua.TransferSubscriptionsParameters([identity(subscription)], True)
    awaited(viewer, viewer.aio_obj.uaclient.transfer_subscriptions(wish))
    assert {told.next()[0], told.next()[0]} == {FIRST, THIRD}


def test_a_message_is_sent_again_until_it_is_acknowledged(viewer: Client, image: Image) -> None:
    services = viewer.aio_obj.uaclient
    create = ua.CreateSubscriptionRequest()
    create.Parameters = ua.CreateSubscriptionParameters(
        ua.Duration(100.0), ua.Counter(100), ua.Counter(10), PublishingEnabled=True
    )
    made = awaited(viewer, _answer(services, create, ua.CreateSubscriptionResponse)).Parameters
    item = ua.MonitoredItemCreateRequest(ua.ReadValueId(node(viewer, FIRST).nodeid))
    item.ItemToMonitor.AttributeId = ua.IntegerId(AttributeIds.Value)
    item.MonitoringMode = ua.MonitoringMode.Reporting
    wanted = ua.CreateMonitoredItemsParameters(made.SubscriptionId, ItemsToCreate=[item])
    awaited(viewer, services.create_monitored_items(wanted))[0].StatusCode.check()

    def published(*acknowledged: int) -> ua.PublishResult:
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = [
            ua.SubscriptionAcknowledgement(made.SubscriptionId, ua.Counter(number))
            for number in acknowledged
        ]
        answer = awaited(viewer, _answer(services, request, ua.PublishResponse))
        return answer.Parameters  # type: ignore[no-any-return]

    def again(number: int) -> ua.NotificationMessage:
        request = ua.RepublishRequest()
        request.Parameters = ua.RepublishParameters(made.SubscriptionId, ua.Counter(number))
        answer = awaited(viewer, _answer(services, request, ua.RepublishResponse))
        return answer.NotificationMessage  # type: ignore[no-any-return]

    told = published().NotificationMessage
    while not told.NotificationData:  # the first may only say that the subscription is there
        told = published().NotificationMessage
    number = int(told.SequenceNumber)
    for _ in range(2):
        assert again(number).NotificationData == told.NotificationData
    _set(image, 0, 1.0)
    acknowledged = published(number)
    assert [code.name for code in acknowledged.Results] == ["Good"]
    with refused("BadMessageNotAvailable"):
        again(number)
    awaited(viewer, services.delete_subscriptions([made.SubscriptionId]))
