"""The monitored items of one subscription: for values (`data_items`), and for events."""

from __future__ import annotations

from typing import TypeVar, cast

from asyncua import ua
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaprotocol_auto import EventFilter as WireFilter  # what decoding makes

from runtime.servers.opcua.data_items import DataItems
from runtime.servers.opcua.event_filter import EventFilter
from runtime.servers.opcua.event_items import LISTENED, MOST_EVENTS, EventItem, EventItems
from runtime.servers.opcua.item import Item
from runtime.servers.opcua.watch import Watch

_Result = TypeVar("_Result", ua.MonitoredItemCreateResult, ua.MonitoredItemModifyResult)


class Items(DataItems):
    """All monitored items of one subscription."""

    def __init__(
        self,
        subscription: InternalSubscription,
        aspace: Standard,
        watch: Watch,
        listeners: EventItems,
    ) -> None:
        super().__init__(subscription, aspace, watch)
        self._listeners = listeners
        self._events: dict[int, tuple[ua.NodeId, EventItem]] = {}

    def event_items(self, number: int | None = None) -> list[EventItem]:
        """The items for events, or the one with a number."""
        found = self._events.items()
        return [item for mid, (_, item) in found if number is None or mid == number]

    def _create(
        self, params: ua.MonitoredItemCreateRequest, times: ua.TimestampsToReturn
    ) -> ua.MonitoredItemCreateResult:
        if params.ItemToMonitor.AttributeId == AttributeIds.EventNotifier:
            return self._create_for_events(params)
        return super()._create(params, times)

    def _create_for_events(
        self, params: ua.MonitoredItemCreateRequest
    ) -> ua.MonitoredItemCreateResult:
        target, asked = params.ItemToMonitor, params.RequestedParameters
        wanted, fault = self._events_wanted(target.NodeId, asked.Filter)
        if wanted is None or fault is not None:
            refused = ua.MonitoredItemCreateResult(ua.StatusCode(ua.UInt32(fault or 0)))
            return _told(refused, wanted)
        result, data = self._make_monitored_item_common(params)
        data.queue_size = result.RevisedQueueSize = _queue_of_events(asked.QueueSize)
        result.RevisedSamplingInterval = ua.Duration(0)
        self._commit_monitored_item(result, data)
        item = EventItem(self.isub, data, wanted, bool(asked.DiscardOldest))
        self._events[int(result.MonitoredItemId)] = target.NodeId, item
        self._listeners.add(target.NodeId, item)
        return _told(result, wanted)

    def _events_wanted(
        self, at: ua.NodeId, wanted: object
    ) -> tuple[EventFilter | None, int | None]:
        """The filter, and the status code that refuses it or the node."""
        node = self.aspace.get(at)
        if node is None:
            return None, StatusCodes.BadNodeIdUnknown
        if AttributeIds.EventNotifier not in node.attributes:
            return None, StatusCodes.BadAttributeIdInvalid
        value = node.attributes[AttributeIds.EventNotifier].value
        if value is None or value.Value is None or not value.Value.Value & LISTENED:
            return None, StatusCodes.BadNotSupported
        if not isinstance(wanted, WireFilter):
            return None, StatusCodes.BadMonitoredItemFilterInvalid
        read = EventFilter(wanted, self.aspace)
        return read, None if read.usable else StatusCodes.BadEventFilterInvalid

    def _modify(
        self, params: ua.MonitoredItemModifyRequest, times: ua.TimestampsToReturn
    ) -> ua.MonitoredItemModifyResult:
        number = int(params.MonitoredItemId)
        if number not in self._events:
            return super()._modify(params, times)
        asked = params.RequestedParameters
        at, item = self._events[number]
        wanted, fault = self._events_wanted(at, asked.Filter)
        if wanted is None or fault is not None:
            refused = ua.MonitoredItemModifyResult(ua.StatusCode(ua.UInt32(fault or 0)))
            return _told(refused, wanted)
        data = self._monitored_items[number]
        data.client_handle = asked.ClientHandle
        data.queue_size = _queue_of_events(asked.QueueSize)
        item.wanted, item.discard_oldest = wanted, bool(asked.DiscardOldest)
        result = ua.MonitoredItemModifyResult(RevisedQueueSize=ua.Counter(data.queue_size))
        return _told(result, wanted)

    async def _set_monitoring_mode(self, mode: ua.MonitoringMode, mid: int) -> ua.StatusCode:
        if mode != ua.MonitoringMode.Reporting:
            self.isub._triggered_events.pop(mid, None)
        return await super()._set_monitoring_mode(mode, mid)

    def _delete_monitored_items(self, mid: int) -> ua.StatusCode:
        if mid in self._events:
            self._listeners.remove(*self._events.pop(mid))
            self.isub._triggered_events.pop(mid, None)
        return super()._delete_monitored_items(mid)

    def _links(self, number: int) -> list[Item] | None:
        found = self._events.get(number)
        return found[1].links if found else super()._links(number)


def _queue_of_events(asked: int) -> ua.Counter:
    return ua.Counter(min(int(asked) or MOST_EVENTS, MOST_EVENTS))


def _told(result: _Result, wanted: EventFilter | None) -> _Result:
    """The result with what the client is told of its filter, if anything is wrong with that."""
    if wanted is not None and not wanted.usable:
        result.FilterResult = cast(ua.ExtensionObject, wanted.result())
    return result
