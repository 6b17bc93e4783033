"""Monitored items: of our nodes served by the watch, of OPC UA's own by asyncua.

asyncua copies every value deeply, compares a deadband with the last value seen instead of the last
one reported (so a slow drift is never told), and searches all items to delete one. Here a value
goes to the queue of its subscription as it is.
"""

from __future__ import annotations

from typing import cast

from asyncua import ua
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemData, MonitoredItemService
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaprotocol_auto import EventFilter

from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.item import Item, fault_of_filter
from runtime.servers.opcua.watch import Watch, revised
from runtime.tag import Tag


class Items(MonitoredItemService):
    """The monitored items of one subscription."""

    def __init__(self, subscription: InternalSubscription, aspace: Standard, watch: Watch) -> None:
        super().__init__(subscription, aspace)
        self._watch = watch
        self._ours: dict[int, Item] = {}

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

    def _create_events_monitored_item(
        self, params: ua.MonitoredItemCreateRequest
    ) -> ua.MonitoredItemCreateResult:
        if not isinstance(params.RequestedParameters.Filter, EventFilter):
            refused = ua.StatusCode(ua.UInt32(StatusCodes.BadMonitoredItemFilterInvalid))
            return ua.MonitoredItemCreateResult(refused)
        return super()._create_events_monitored_item(params)

    def _modify_monitored_item(
        self, params: ua.MonitoredItemModifyRequest
    ) -> ua.MonitoredItemModifyResult:
        data = self._monitored_items.get(int(params.MonitoredItemId))
        item = self._ours.get(int(params.MonitoredItemId))
        asked = params.RequestedParameters
        asked.Filter = _filter(asked.Filter)
        fault = fault_of_filter(asked.Filter, item.tag) if item else None
        if data is None:
            fault = StatusCodes.BadMonitoredItemIdInvalid
        if fault is not None or data is None:
            return ua.MonitoredItemModifyResult(ua.StatusCode(ua.UInt32(fault or 0)))
        data.client_handle = asked.ClientHandle
        data.queue_size = self._revise_queue_size(asked.QueueSize)
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

    async def _set_monitoring_mode(self, mode: ua.MonitoringMode, mid: int) -> ua.StatusCode:
        data, item = self._monitored_items.get(mid), self._ours.get(mid)
        before = data.mode if data else None
        result = await super()._set_monitoring_mode(mode, mid)
        if mode != ua.MonitoringMode.Reporting:
            self.isub._triggered_datachanges.pop(mid, None)
        elif data is not None and item is not None and before != mode:
            item.resume(self._read(data))
        return result

    def _delete_monitored_items(self, mid: int) -> ua.StatusCode:
        item = self._ours.pop(mid, None)
        if item is None:
            return super()._delete_monitored_items(mid)
        self._unwatch(item)
        del self._monitored_items[mid]
        self.isub._triggered_datachanges.pop(mid, None)
        return ua.StatusCode()

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


def _filter(asked: object) -> object:
    """A filter, or None if there is none: on the wire that is an object of no type."""
    return None if isinstance(asked, ua.ExtensionObject) and asked.TypeId.is_null() else asked


def _tag(node: PlantNode, attribute: int) -> Tag | None:
    return node.member.tag if node.member and attribute == AttributeIds.Value else None


def _attribute(number: int) -> AttributeIds:
    return cast(AttributeIds, number)  # asyncua takes any number, and says which it doesn't know
