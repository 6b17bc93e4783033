"""A client's side of a subscription."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from asyncua import ua
from asyncua.sync import Client, Subscription
from asyncua.ua.attribute_ids import AttributeIds

from tests.servers.opcua.serving import awaited, node

PATIENCE = 60.0  # s


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
