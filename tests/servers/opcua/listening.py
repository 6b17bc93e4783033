"""Listening to events, and what is called on conditions, as a client does it."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from asyncua import ua
from asyncua.sync import Client, Subscription
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua.references import node_id
from tests.servers.opcua.serving import awaited
from tests.servers.opcua.subscribing import PATIENCE, identity

FIELDS = (
    *("EventId", "EventType", "SourceNode", "SourceName", "Time", "Message", "Severity"),
    *("ConditionName", "Retain", "Comment", "ClientUserId", "Quality", "SuppressedOrShelved"),
    *("EnabledState/Id", "ActiveState/Id", "AckedState/Id", "ConfirmedState/Id"),
    *("ShelvingState/CurrentState", "ShelvingState/UnshelveTime", "LatchedState/Id"),
)
CONDITIONS = int(ObjectIds.ConditionType)
SERVER = ua.NodeId(ua.Int32(ObjectIds.Server))
Told = dict[str, object]


class Heard:
    """Events as they are told: each by the names of its fields."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[ua.EventFieldList] = queue.SimpleQueue()

    def event_notification(self, event: object) -> None:
        """What asyncua makes of an event drops its path; `take` has the bare one."""

    def take(self, result: ua.PublishResult) -> None:
        for part in result.NotificationMessage.NotificationData or []:
            if isinstance(part, ua.EventNotificationList):
                for told in part.Events:
                    self._queue.put(told)

    def next(self) -> Told:
        fields = self._queue.get(timeout=PATIENCE).EventFields
        values = [given.Value for given in fields]
        plain = [value.Text if isinstance(value, ua.LocalizedText) else value for value in values]
        return dict(zip((*FIELDS, "ConditionId"), plain, strict=False))

    def of(self, source: str, name: str) -> Told:
        """The next event of a condition; others are passed over."""
        while True:
            told = self.next()
            if (told["SourceNode"], told["ConditionName"]) == (node_id(source), name):
                return told

    def nothing(self) -> bool:
        return self._queue.empty()


@contextmanager
def listening(
    client: Client,
    at: ua.NodeId = SERVER,
    where: Sequence[ua.ContentFilterElement] = (),
    queue_size: int = 0,
    publishing: float = 100.0,
) -> Iterator[tuple[Heard, Subscription]]:
    """Hear all events of a node that fit."""
    heard = Heard()
    subscription = client.create_subscription(publishing, heard)
    inner = subscription.aio_obj
    original = inner.publish_callback

    async def publish(result: ua.PublishResult) -> None:
        heard.take(result)
        await original(result)

    callbacks: dict[int | None, object] = client.aio_obj.uaclient._subscription_callbacks
    callbacks[inner.subscription_id] = publish
    try:
        made = monitor_events(client, subscription, at, where, queue_size)
        assert made.StatusCode.is_good(), made
        yield heard, subscription
    finally:
        subscription.delete()


def monitor_events(
    client: Client,
    subscription: Subscription,
    at: ua.NodeId = SERVER,
    where: Sequence[ua.ContentFilterElement] = (),
    queue_size: int = 0,
    discard_oldest: bool = True,
) -> ua.MonitoredItemCreateResult:
    """Create a monitored item for events."""
    wanted = ua.EventFilter()
    wanted.SelectClauses = [field(name) for name in FIELDS]
    wanted.SelectClauses.append(
        ua.SimpleAttributeOperand(
            TypeDefinitionId=ua.NodeId(ua.Int32(ObjectIds.ConditionType)),
            AttributeId=ua.IntegerId(AttributeIds.NodeId),
        )
    )
    wanted.WhereClause = ua.ContentFilter(list(where))
    item = ua.MonitoredItemCreateRequest(
        ua.ReadValueId(at, ua.IntegerId(AttributeIds.EventNotifier)),
        ua.MonitoringMode.Reporting,
        ua.MonitoringParameters(
            Filter=wanted, QueueSize=ua.Counter(queue_size), DiscardOldest=discard_oldest
        ),
    )
    params = ua.CreateMonitoredItemsParameters(identity(subscription), ItemsToCreate=[item])
    return awaited(client, subscription.aio_obj.server.create_monitored_items(params))[0]


def field(path: str) -> ua.SimpleAttributeOperand:
    return ua.SimpleAttributeOperand(
        TypeDefinitionId=ua.NodeId(ua.Int32(ObjectIds.BaseEventType)),
        BrowsePath=[ua.QualifiedName(name) for name in path.split("/")],
        AttributeId=ua.IntegerId(AttributeIds.Value),
    )


def literal(value: object, kind: ua.VariantType) -> ua.LiteralOperand:
    return ua.LiteralOperand(ua.Variant(value, kind))


def element(operator: ua.FilterOperator, *operands: object) -> ua.ContentFilterElement:
    return ua.ContentFilterElement(operator, list(operands))


def called(client: Client, place: str | int, method: str, *inputs: ua.Variant) -> str:
    """The status of a call of one of OPC UA's own methods."""
    target = node_id(place) if isinstance(place, str) else ua.NodeId(ua.Int32(place))
    number = ua.NodeId(ua.Int32(getattr(ObjectIds, method)))
    call = ua.CallMethodRequest(target, number, list(inputs))
    result: ua.CallMethodResult = awaited(client, client.aio_obj.uaclient.call([call]))[0]
    return str(result.StatusCode.name)


def event_id(told: Told) -> ua.Variant:
    return ua.Variant(told["EventId"], ua.VariantType.ByteString)


def comment(words: str) -> ua.Variant:
    return ua.Variant(ua.LocalizedText(words), ua.VariantType.LocalizedText)


def milliseconds(duration: float) -> ua.Variant:
    return ua.Variant(duration, ua.VariantType.Double)


def number(name: str) -> ua.NodeId:
    """The id of a type of OPC UA's own."""
    return ua.NodeId(ua.Int32(getattr(ObjectIds, name)))
