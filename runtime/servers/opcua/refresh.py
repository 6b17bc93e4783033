"""Refreshes: a client that has just come, or lost something, is told all that stands (Part 9, 5.5).

It may be much more than a queue holds, so it is told as the client takes it.
"""

from __future__ import annotations

import asyncio

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.subscription_service import SubscriptionService
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.conditions import Conditions
from runtime.servers.opcua.event_items import EventItem, news
from runtime.servers.opcua.items import Items

PAUSE = 0.05  # s until a full queue is looked at again
BEGIN = ua.NodeId(ua.Int32(ObjectIds.RefreshStartEventType))
END = ua.NodeId(ua.Int32(ObjectIds.RefreshEndEventType))


class Refreshes:
    """The refreshes under way, at most one of each subscription."""

    def __init__(self, subscriptions: SubscriptionService, conditions: Conditions) -> None:
        self._subscriptions = subscriptions
        self._conditions = conditions
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def begin(self, session: ua.NodeId | None, number: int, mid: int | None = None) -> None:
        """Refresh the items of a session's subscription, or one of them.

        Raises ServiceError if there is no such subscription or item, or a refresh is under way.
        """
        found = self._subscriptions.subscriptions.get(number)
        if found is None or found.session_id != session:
            raise ServiceError(StatusCodes.BadSubscriptionIdInvalid)
        items = found.monitored_item_srv
        assert isinstance(items, Items)
        wanted = items.event_items(mid)
        if mid is not None and not wanted:
            raise ServiceError(StatusCodes.BadMonitoredItemIdInvalid)
        if number in self._under_way:
            raise ServiceError(StatusCodes.BadRefreshInProgress)
        task = asyncio.create_task(self._refresh(number, wanted))
        self._under_way[number] = task
        task.add_done_callback(lambda _: self._under_way.pop(number, None))

    async def _refresh(self, number: int, items: list[EventItem]) -> None:
        for item in items:
            item.say(news(BEGIN, "Refresh begins."))
        for event in self._conditions.retained():
            for item in items:
                while not item.room and number in self._subscriptions.subscriptions:
                    await asyncio.sleep(PAUSE)
                item.offer(event)
        for item in items:
            item.say(news(END, "Refresh ends."))

    async def stop(self) -> None:
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
