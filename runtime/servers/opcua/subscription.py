"""Subscriptions: what Part 4 (5.14) asks for and asyncua's does not do.

A client may limit the notifications of a message, change a subscription that is there, and ask for
a message again as often as it needs until it acknowledges it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.subscription_service import SubscriptionService
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.event_items import EventItems
from runtime.servers.opcua.items import Items
from runtime.servers.opcua.watch import Watch

MOST_NOTIFICATIONS = 10_000  # of one message
LAST_NUMBER = 2**32 - 1  # of a message; 1 follows
CHANGES = ua.NodeId(ua.Int32(ObjectIds.DataChangeNotification_Encoding_DefaultBinary))
_T = TypeVar("_T")


class Subscription(InternalSubscription):
    """One subscription, with the items of it that clients monitor."""

    most = MOST_NOTIFICATIONS
    _revised: asyncio.Event
    _more = False

    def bound(self, asked: int) -> None:
        """Let a message have no more notifications than a client asked for; 0 is no limit."""
        self.most = min(int(asked) or MOST_NOTIFICATIONS, MOST_NOTIFICATIONS)

    async def start(self) -> None:
        self._revised = asyncio.Event()
        await super().start()

    def revise(self, interval: float, lifetime: int, keep_alive: int) -> None:
        """Publish at another interval (ms), from now on."""
        self.data.RevisedPublishingInterval = ua.Duration(interval)
        self.data.RevisedLifetimeCount = ua.Counter(lifetime)
        self.data.RevisedMaxKeepAliveCount = ua.Counter(keep_alive)
        self._publish_cycles_count = 0
        self._revised.set()

    async def publish_results(self, requestdata: Any = None) -> bool:
        """Publish what waits, in as many messages as there are requests for; whether any was."""
        published = more = await super().publish_results(requestdata)
        while more and self._more:
            more = await super().publish_results()
        return published

    @property
    def items(self) -> Items:
        return cast(Items, self.monitored_item_srv)

    def has_published_results(self) -> bool:
        if self._triggered_statuschanges or (self._publishing_enabled and self.items.waiting):
            return True
        return super().has_published_results()

    def republish(self, nb: int) -> ua.NotificationMessage:
        message: ua.NotificationMessage = self._not_acknowledged_results[nb].NotificationMessage
        return message

    async def _subscription_loop(self) -> None:
        """Publish on a grid of the interval, which begins anew when it is revised."""
        due = time.monotonic()
        await self.publish_results()
        while not self._closing:
            due += self.data.RevisedPublishingInterval / 1e3
            try:
                async with asyncio.timeout(max(due - time.monotonic(), 0)):
                    await self._revised.wait()
                self._revised.clear()
                due = time.monotonic()
            except TimeoutError:
                await self.publish_results()

    def _pop_publish_result(self) -> ua.PublishResult:
        """The next message: what waits, as much as it may have, or that nothing does."""
        parts: list[Any] = []
        self._more = False
        if self._publishing_enabled:
            count, values = self.items.take(self.most)
            events = _taken(self._triggered_events, self.most - count)
            parts += [ua.ExtensionObject(CHANGES, ua.ByteString(values))] if count else []
            parts += [ua.EventNotificationList(events)] if events else []
            self._more = bool(self.items.waiting or self._triggered_events)
        if self._triggered_statuschanges:
            parts.append(ua.StatusChangeNotification(self._triggered_statuschanges.pop(0)))
        self._keep_alive_count = self._publish_cycles_count = 0
        self._startup = False
        number = self._notification_seq
        result = ua.PublishResult(
            SubscriptionId=self.data.SubscriptionId,
            MoreNotifications=cast(ua.Boolean, self._more),  # a name for bool
            NotificationMessage=ua.NotificationMessage(ua.Counter(number), NotificationData=parts),
        )
        kept = self._not_acknowledged_results
        if parts and self.pub_request_callback:
            self._notification_seq = number % LAST_NUMBER + 1
            kept[number] = result
            while len(kept) > self._no_acks_limit:
                del kept[next(iter(kept))]
        result.AvailableSequenceNumbers = [ua.Counter(one) for one in kept]
        return result


def _taken(queues: dict[int, list[_T]], most: int) -> list[_T]:
    """The first of what waits, at most so many; what is left stays in its queues."""
    taken: list[_T] = []
    for mid in list(queues):
        queue = queues[mid]
        room = most - len(taken)
        if len(queue) > room:
            taken += queue[:room]
            del queue[:room]
            break
        taken += queues.pop(mid)
    return taken


class Subscriptions(SubscriptionService):
    """The subscriptions of all clients."""

    def __init__(
        self, server: InternalServer, aspace: Standard, watch: Watch, events: EventItems
    ) -> None:
        super().__init__(aspace, server)
        self._watch = watch
        self._events = events

    async def create_subscription(
        self,
        params: ua.CreateSubscriptionParameters,
        callback: Callable[..., Any],
        session_id: ua.NodeId,
        request_callback: Callable[..., Any] | None = None,
    ) -> ua.CreateSubscriptionResult:
        server = self.iserver
        assert server is not None
        if len(self.subscriptions) >= server.max_subscriptions:
            raise ServiceError(StatusCodes.BadTooManySubscriptions)
        self._sub_id_counter += 1
        number = self._sub_id_counter
        result = ua.CreateSubscriptionResult(
            SubscriptionId=ua.IntegerId(number),
            RevisedPublishingInterval=params.RequestedPublishingInterval,
            RevisedLifetimeCount=params.RequestedLifetimeCount,
            RevisedMaxKeepAliveCount=params.RequestedMaxKeepAliveCount,
        )
        made = Subscription(
            result,
            self.aspace,
            callback,
            session_id,
            request_callback,
            lambda: self.subscriptions.pop(number, None),
            server.max_unacked_messages_per_subscription,
            server.max_monitored_item_queue_size,
            bool(params.PublishingEnabled),
        )
        made.bound(params.MaxNotificationsPerPublish)
        made.monitored_item_srv = Items(made, self.aspace, self._watch, self._events)
        self.subscriptions[number] = made
        await made.start()
        return result

    def modify_subscription(
        self, params: ua.ModifySubscriptionParameters
    ) -> ua.ModifySubscriptionResult:
        found = cast(Subscription, self.subscriptions[params.SubscriptionId])
        found.bound(params.MaxNotificationsPerPublish)
        found.revise(
            params.RequestedPublishingInterval,
            params.RequestedLifetimeCount,
            params.RequestedMaxKeepAliveCount,
        )
        data = found.data
        return ua.ModifySubscriptionResult(
            data.RevisedPublishingInterval, data.RevisedLifetimeCount, data.RevisedMaxKeepAliveCount
        )
