"""Monitored items: of our nodes served by the watch, of OPC UA's own by asyncua.

asyncua copies every value deeply, compares a deadband with the last value seen instead of the last
one reported (so a slow drift is never told), and searches all items to delete one. Here a value
goes to the queue of its subscription as it is.
"""

from __future__ import annotations

import logging
from typing import TypeVar, cast

from asyncua import ua
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemData, MonitoredItemService
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaprotocol_auto import EventFilter as WireFilter  # what decoding makes

from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.event_filter import EventFilter
from runtime.servers.opcua.event_items import LISTENED, MOST_EVENTS, EventItem, EventItems
from runtime.servers.opcua.item import Item, fault_of_filter
from runtime.servers.opcua.watch import Watch, revised
from runtime.tag import Tag

_Result = TypeVar("_Result", ua.MonitoredItemCreateResult, ua.MonitoredItemModifyResult)


class Items(MonitoredItemService):
    """The monitored items of one subscription."""

    def __init__(
        self,
        subscription: InternalSubscription,
        aspace: Standard,
        watch: Watch,
        listeners: EventItems,
    ) -> None:
        super().__init__(subscription, aspace)
        # asyncua's is named after the subscription, and `logging` forgets no name.
        logging.root.manager.loggerDict.pop(self.logger.name, None)
        self.logger = logging.getLogger("asyncua.server.monitored_item_service")
        self._watch = watch
        self._listeners = listeners
        self._ours: dict[int, Item] = {}
        self._events: dict[int, tuple[ua.NodeId, EventItem]] = {}

    def __len__(self) -> int:
        return len(self._monitored_items)

    async def _create_data_change_monitored_item(
        self, params: ua.MonitoredItemCreateRequest
    ) -> ua.MonitoredItemCreateResult:
        target, asked = params.ItemToMonitor, params.RequestedParameters
        asked.Filter = _filter(asked.Filter)
        node = self.aspace.get(target.NodeId)
        ours = isinstance(node, PlantNode)
        tag = _tag(node, target.AttributeId) if isinstance(node, PlantNode) else None
        fault = fault_of_filter(asked.Filter, tag)
        if fault is None and ours and target.AttributeId not in cast(PlantNode, node).attributes:
            fault = StatusCodes.BadAttributeIdInvalid
        if fault is not None:
            return ua.MonitoredItemCreateResult(ua.StatusCode(ua.UInt32(fault)))
        if not isinstance(node, PlantNode):
            return await super()._create_data_change_monitored_item(params)
        result, data = self._make_monitored_item_common(params)
        item = Item(self.isub, data, node.place, tag, bool(asked.DiscardOldest))
        item.interval = self._interval(asked.SamplingInterval)
        result.RevisedSamplingInterval = ua.Duration(item.interval * 1e3)
        self._commit_monitored_item(result, data)
        self._ours[int(result.MonitoredItemId)] = item
        if tag is not None:
            self._watch.add(item, tag, item.interval)
        item.offer(self._read(data))
        return result

    def event_items(self, number: int | None = None) -> list[EventItem]:
        """The items for events, or the one with a number."""
        found = self._events.items()
        return [item for mid, (_, item) in found if number is None or mid == number]

    def resend(self) -> None:
        """Report all values anew."""
        for mid, item in self._ours.items():
            item.resume(self._read(self._monitored_items[mid]))

    def _create_events_monitored_item(
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

    def _modify_monitored_item(
        self, params: ua.MonitoredItemModifyRequest
    ) -> ua.MonitoredItemModifyResult:
        mid = int(params.MonitoredItemId)
        if mid in self._events:
            return self._modify_events(mid, params.RequestedParameters)
        data, item = self._monitored_items.get(mid), self._ours.get(mid)
        asked = params.RequestedParameters
        asked.Filter = _filter(asked.Filter)
        fault = fault_of_filter(asked.Filter, item.tag) if item else None
        if data is None:
            fault = StatusCodes.BadMonitoredItemIdInvalid
        if fault is not None or data is None:
            return ua.MonitoredItemModifyResult(ua.StatusCode(ua.UInt32(fault or 0)))
        data.client_handle = asked.ClientHandle
        data.queue_size = self._revise_queue_size(asked.QueueSize)
        if item is not None:
            item.discard_oldest = bool(asked.DiscardOldest)
        interval = self.isub.data.RevisedPublishingInterval / 1e3
        if item is not None:
            interval = self._interval(asked.SamplingInterval)
            self._unwatch(item)
            data.filter, item.interval = asked.Filter, interval
            if item.tag is not None:
                self._watch.add(item, item.tag, interval)
        return ua.MonitoredItemModifyResult(
            RevisedSamplingInterval=ua.Duration(interval * 1e3),
            RevisedQueueSize=ua.UInt32(data.queue_size),
        )

    def _modify_events(
        self, mid: int, asked: ua.MonitoringParameters
    ) -> ua.MonitoredItemModifyResult:
        at, item = self._events[mid]
        wanted, fault = self._events_wanted(at, asked.Filter)
        if wanted is None or fault is not None:
            refused = ua.MonitoredItemModifyResult(ua.StatusCode(ua.UInt32(fault or 0)))
            return _told(refused, wanted)
        data = self._monitored_items[mid]
        data.client_handle = asked.ClientHandle
        data.queue_size = _queue_of_events(asked.QueueSize)
        item.wanted, item.discard_oldest = wanted, bool(asked.DiscardOldest)
        result = ua.MonitoredItemModifyResult(RevisedQueueSize=ua.Counter(data.queue_size))
        return _told(result, wanted)

    async def _set_monitoring_mode(self, mode: ua.MonitoringMode, mid: int) -> ua.StatusCode:
        data, item = self._monitored_items.get(mid), self._ours.get(mid)
        before = data.mode if data else None
        result = await super()._set_monitoring_mode(mode, mid)
        if mode != ua.MonitoringMode.Reporting:
            self.isub._triggered_datachanges.pop(mid, None)
            self.isub._triggered_events.pop(mid, None)
        elif data is not None and item is not None and before != mode:
            item.resume(self._read(data))
        return result

    def _delete_monitored_items(self, mid: int) -> ua.StatusCode:
        if mid in self._events:
            self._listeners.remove(*self._events.pop(mid))
            self.isub._triggered_events.pop(mid, None)
        item = self._ours.pop(mid, None)
        if item is None:
            return super()._delete_monitored_items(mid)
        self._unwatch(item)
        del self._monitored_items[mid]
        self.isub._triggered_datachanges.pop(mid, None)
        return ua.StatusCode()

    def look_again(self) -> None:
        """Offer what is no tag's value: names and versions change with the equipment."""
        for mid, item in self._ours.items():
            if item.tag is None:
                item.offer(self._read(self._monitored_items[mid]))

    def _unwatch(self, item: Item) -> None:
        if item.tag is not None:
            self._watch.remove(item, item.tag, item.interval)

    def _read(self, data: MonitoredItemData) -> ua.DataValue:
        target = cast(ua.ReadValueId, data.read_value_id)
        return self.aspace.read_attribute_value(target.NodeId, _attribute(target.AttributeId))

    def _interval(self, asked: float) -> float:
        """The sampling interval, in s, for a wish in ms; negative means as publishing."""
        wish = self.isub.data.RevisedPublishingInterval if asked < 0 else asked
        return revised(wish / 1e3)

    def _revise_queue_size(self, requested: int) -> int:
        return max(1, min(int(requested), self.isub.max_queue_size))


def _queue_of_events(asked: int) -> ua.Counter:
    return ua.Counter(min(int(asked) or MOST_EVENTS, MOST_EVENTS))


def _told(result: _Result, wanted: EventFilter | None) -> _Result:
    """The result with what the client is told of its filter, if anything is wrong with that."""
    if wanted is not None and not wanted.usable:
        result.FilterResult = cast(ua.ExtensionObject, wanted.result())
    return result


def _filter(asked: object) -> object:
    """A filter, or None if there is none: on the wire that is an object of no type."""
    return None if isinstance(asked, ua.ExtensionObject) and asked.TypeId.is_null() else asked


def _tag(node: PlantNode, attribute: int) -> Tag | None:
    return node.member.tag if node.member and attribute == AttributeIds.Value else None


def _attribute(number: int) -> AttributeIds:
    return cast(AttributeIds, number)  # asyncua takes any number, and says which it doesn't know
