"""Monitored items for events: who wants to hear of what, and what waits to be told to him."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import cast

from asyncua import ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemData
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua.event import NEWS, Event, node, number, string, text, when
from runtime.servers.opcua.event_filter import EventFilter
from runtime.servers.opcua.item import Item

SERVER = ua.NodeId(ua.Int32(ObjectIds.Server))
LISTENED = ua.EventNotifier.SubscribeToEvents.mask
MOST_EVENTS = 1_000  # of one item that wait to be published
OVERFLOW = ua.NodeId(ua.Int32(ObjectIds.EventQueueOverflowEventType))


class EventItem:
    """One monitored item for events.

    When its queue is full, an event of the overflow stands once among those that are left (Part 4,
    7.22.3): first of them when the oldest gave way, else last. Who sees it asks for a refresh.
    """

    def __init__(
        self,
        subscription: InternalSubscription,
        data: MonitoredItemData,
        wanted: EventFilter,
        discard_oldest: bool,
    ) -> None:
        self.wanted = wanted
        self.discard_oldest = discard_oldest
        self._subscription = subscription
        self._data = data
        self.links: list[Item] = []  # the items that it triggers
        self._overflow: ua.EventFieldList | None = None

    @property
    def room(self) -> int:
        """How many events the queue takes before one is lost."""
        return self._data.queue_size - len(self._queue)

    @property
    def _queue(self) -> list[ua.EventFieldList]:
        queues = self._subscription._triggered_events
        return queues.get(cast(int, self._data.monitored_item_id), [])

    def offer(self, event: Event) -> None:
        """Queue an event if it is wanted."""
        if self._data.mode == ua.MonitoringMode.Reporting and self.wanted.matches(event):
            self._put(self._list(event))
            for linked in self.links:
                linked.trigger()

    def say(self, event: Event) -> None:
        """Queue an event whatever is wanted: that a refresh begins or ends."""
        self._put(self._list(event))

    def _list(self, event: Event) -> ua.EventFieldList:
        handle = cast(ua.IntegerId, self._data.client_handle)
        return ua.EventFieldList(handle, event.select(self.wanted.paths))

    def _put(self, told: ua.EventFieldList) -> None:
        mid = cast(int, self._data.monitored_item_id)
        queue = self._subscription._triggered_events.setdefault(mid, [])
        lost = any(entry is self._overflow for entry in queue)
        if len(queue) - lost < self._data.queue_size:
            queue.append(told)
            return
        if not lost:
            self._overflow = self._list(news(OVERFLOW, "Events were lost: the queue was full."))
        if self.discard_oldest:
            del queue[: 1 + lost]
            queue.append(told)
            queue.insert(0, cast(ua.EventFieldList, self._overflow))
        elif not lost:
            queue.append(cast(ua.EventFieldList, self._overflow))


class EventItems:
    """All monitored items for events, by the node at which they listen."""

    def __init__(self) -> None:
        self._at: dict[ua.NodeId, list[EventItem]] = {}
        self.begin: Callable[[], None] = lambda: None  # to be called before somebody listens

    def __bool__(self) -> bool:
        return bool(self._at)

    def add(self, at: ua.NodeId, item: EventItem) -> None:
        self.begin()
        self._at.setdefault(at, []).append(item)

    def remove(self, at: ua.NodeId, item: EventItem) -> None:
        self._at[at].remove(item)
        if not self._at[at]:
            del self._at[at]

    def tell(self, event: Event) -> None:
        """Offer an event to all that listen where it can be heard."""
        for at in (SERVER, *event.notifiers()):
            for item in self._at.get(at, ()):
                item.offer(event)


def news(kind: ua.NodeId, words: str) -> Event:
    """An event of the server itself."""
    now = time.time()
    identity = ua.Variant(secrets.token_bytes(16), ua.VariantType.ByteString)
    return Event(
        kind,
        {
            "EventId": identity,
            "EventType": node(kind),
            "SourceNode": node(SERVER),
            "SourceName": string("Server"),
            "Time": when(now),
            "ReceiveTime": when(now),
            "Message": text(words),
            "Severity": number(NEWS, ua.VariantType.UInt16),
        },
    )
