"""The subscriptions of a session: bounded in what they cost, and nobody else's business."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.internal_session import InternalSession
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.freshness import Freshness
from runtime.servers.opcua.items import Items
from runtime.servers.opcua.limits import (
    LONGEST_UNSERVED,
    MOST_ITEMS,
    MOST_ITEMS_AT_ONCE,
    MOST_SUBSCRIPTIONS,
    MOST_SUBSCRIPTIONS_OF_ALL,
    SLOWEST,
    TICK,
    bounded,
)


class Subscribing(InternalSession):
    """A session's part that subscribes."""

    connection: object | None  # what serves the session now; None while that is lost
    _freshness: Freshness

    async def create_subscription(
        self,
        params: ua.CreateSubscriptionParameters,
        callback: Callable[..., Any],
        request_callback: Callable[..., Any] | None = None,
    ) -> ua.CreateSubscriptionResult:
        if len(self._own()) >= MOST_SUBSCRIPTIONS:
            raise ServiceError(StatusCodes.BadTooManySubscriptions)
        _revise(params)
        return await super().create_subscription(params, callback, request_callback)

    def modify_subscription(
        self, params: ua.ModifySubscriptionParameters
    ) -> ua.ModifySubscriptionResult:
        self._check(params.SubscriptionId)
        _revise(params)
        return super().modify_subscription(params)

    async def delete_subscriptions(self, ids: list[int]) -> list[ua.StatusCode]:
        own = self._own()
        wanted = [number if number in own else 0 for number in ids or ()]  # 0 is nobody's
        return await super().delete_subscriptions(wanted)

    async def set_publishing_mode(
        self, params: ua.SetPublishingModeParameters
    ) -> list[ua.StatusCode]:
        bounded(params.SubscriptionIds, MOST_SUBSCRIPTIONS)
        own = self._own()
        params.SubscriptionIds = [
            n if int(n) in own else ua.IntegerId(0) for n in params.SubscriptionIds
        ]
        return await super().set_publishing_mode(params)

    async def create_monitored_items(
        self, params: ua.CreateMonitoredItemsParameters
    ) -> list[ua.MonitoredItemCreateResult]:
        self._check(params.SubscriptionId)
        bounded(params.ItemsToCreate, MOST_ITEMS_AT_ONCE)
        present = monitored(self.subscription_service.subscriptions.values())
        if present + len(params.ItemsToCreate) > MOST_ITEMS:
            raise ServiceError(StatusCodes.BadTooManyMonitoredItems)
        self._freshness.look()
        return await super().create_monitored_items(params)

    async def modify_monitored_items(
        self, params: ua.ModifyMonitoredItemsParameters
    ) -> list[ua.MonitoredItemModifyResult]:
        self._check(params.SubscriptionId)
        bounded(params.ItemsToModify, MOST_ITEMS_AT_ONCE)
        return await super().modify_monitored_items(params)

    async def delete_monitored_items(
        self, params: ua.DeleteMonitoredItemsParameters
    ) -> list[ua.StatusCode]:
        self._check(params.SubscriptionId)
        bounded(params.MonitoredItemIds, MOST_ITEMS)
        return await super().delete_monitored_items(params)

    async def set_monitoring_mode(
        self, params: ua.SetMonitoringModeParameters
    ) -> list[ua.StatusCode]:
        self._check(params.SubscriptionId)
        bounded(params.MonitoredItemIds, MOST_ITEMS_AT_ONCE)
        return await super().set_monitoring_mode(params)

    def set_triggering(self, params: ua.SetTriggeringParameters) -> ua.SetTriggeringResult:
        subscription = self._check(params.SubscriptionId)
        added, removed = params.LinksToAdd or [], params.LinksToRemove or []
        bounded([*added, *removed], MOST_ITEMS_AT_ONCE)
        items = cast(Items, subscription.monitored_item_srv)
        return items.set_triggering(int(params.TriggeringItemId), added, removed)

    def publish(
        self, acks: Iterable[ua.SubscriptionAcknowledgement] | None = None
    ) -> tuple[int, list[ua.StatusCode]]:
        own = self._own()
        if not own:
            raise ServiceError(StatusCodes.BadNoSubscription)
        results = []
        for ack in acks or ():
            subscription = own.get(int(ack.SubscriptionId))
            if subscription is not None:
                subscription.publish([int(ack.SequenceNumber)])
            found = StatusCodes.Good if subscription else StatusCodes.BadSubscriptionIdInvalid
            results.append(ua.StatusCode(ua.UInt32(found)))
        return len(own), results

    def republish(self, params: ua.RepublishParameters) -> ua.NotificationMessage:
        subscription = self._check(params.SubscriptionId)
        if int(params.RetransmitSequenceNumber) not in subscription._not_acknowledged_results:
            raise ServiceError(StatusCodes.BadMessageNotAvailable)
        return super().republish(params)

    # asyncua's own override has a parameter more, too.
    async def transfer_subscriptions(  # type: ignore[override]
        self, params: ua.TransferSubscriptionsParameters, callback: Callable[..., Any]
    ) -> list[ua.TransferResult]:
        """Take over subscriptions of a session of the same user whose connection is lost."""
        bounded(params.SubscriptionIds, MOST_SUBSCRIPTIONS_OF_ALL)
        subscriptions = self.subscription_service.subscriptions
        mine = {number for number, found in subscriptions.items() if self._may_take(found)}
        params.SubscriptionIds = [
            number if int(number) in mine else ua.IntegerId(0) for number in params.SubscriptionIds
        ]
        results = await super().transfer_subscriptions(params, callback)
        processor: UaProcessor = callback.__self__  # type: ignore[attr-defined]  # a bound method
        for number in mine & {int(number) for number in params.SubscriptionIds}:
            # asyncua leaves this with the lost connection, which publishes nothing any more.
            publishes: Callable[[Any], Any] = processor.get_publish_request
            subscriptions[number].pub_request_callback = publishes
            if params.SendInitialValues:
                cast(Items, subscriptions[number].monitored_item_srv).resend()
        return results

    def _may_take(self, subscription: InternalSubscription) -> bool:
        if subscription.session_id == self.session_id:
            return True
        for owner in self.iserver._external_sessions.values():
            if owner.session_id == subscription.session_id and isinstance(owner, Subscribing):
                return owner.connection is None and owner.user == self.user
        return True

    def _own(self) -> dict[int, InternalSubscription]:
        found = self.subscription_service.subscriptions.items()
        return {number: one for number, one in found if one.session_id == self.session_id}

    def _check(self, number: int) -> InternalSubscription:
        own = self._own()
        if int(number) not in own:
            raise ServiceError(StatusCodes.BadSubscriptionIdInvalid)
        return own[int(number)]


def monitored(subscriptions: Iterable[InternalSubscription]) -> int:
    """How many monitored items there are."""
    return sum(len(one.monitored_item_srv._monitored_items) for one in subscriptions)


def _revise(asked: ua.CreateSubscriptionParameters | ua.ModifySubscriptionParameters) -> None:
    """Bring what is asked of a subscription into what is possible (Part 4, 5.14.2)."""
    wish = float(asked.RequestedPublishingInterval)
    interval = min(wish, SLOWEST) if wish > TICK * 1e3 else TICK * 1e3
    lives = int(LONGEST_UNSERVED / interval)
    keep_alive = _counter(asked.RequestedMaxKeepAliveCount, lives // 3)
    asked.RequestedPublishingInterval = ua.Duration(interval)
    asked.RequestedMaxKeepAliveCount = keep_alive
    lifetime = _counter(asked.RequestedLifetimeCount, lives)
    asked.RequestedLifetimeCount = ua.Counter(max(lifetime, 3 * keep_alive))


def _counter(asked: int, most: int) -> ua.Counter:
    return ua.Counter(min(int(asked) or most, most))
