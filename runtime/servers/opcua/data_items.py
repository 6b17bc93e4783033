"""Monitored items for values: of tags served by the watch, of all else when it changes.

asyncua copies every value deeply, compares a deadband with the last value seen instead of the last
one reported (so a slow drift is never told), searches all items to delete one, and knows neither
triggering nor which times a client wants. Here an item has its values ready for the wire.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable
from itertools import islice
from typing import cast

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.server.address_space import NodeData
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemService
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.item import Item, fault_of_filter
from runtime.servers.opcua.sample import Sample, sample
from runtime.servers.opcua.watch import Watch, revised
from runtime.tag import Tag

_COUNT = struct.Struct("<i")
_NO_DIAGNOSTICS = _COUNT.pack(-1)


class DataItems(MonitoredItemService):
    """The monitored items of one subscription, as far as they are for values."""

    def __init__(self, subscription: InternalSubscription, aspace: Standard, watch: Watch) -> None:
        super().__init__(subscription, aspace)
        # asyncua's is named after the subscription, and `logging` forgets no name.
        logging.root.manager.loggerDict.pop(self.logger.name, None)
        self.logger = logging.getLogger("asyncua.server.monitored_item_service")
        self.waiting: dict[int, Item] = {}  # to be published
        self._watch = watch
        self._data: dict[int, Item] = {}
        self._callbacks: dict[int, int] = {}  # by item: what asyncua calls when its value changes

    async def create_monitored_items(
        self, params: ua.CreateMonitoredItemsParameters
    ) -> list[ua.MonitoredItemCreateResult]:
        times = _checked(params.TimestampsToReturn)
        return [self._create(wanted, times) for wanted in params.ItemsToCreate]

    def modify_monitored_items(
        self, params: ua.ModifyMonitoredItemsParameters
    ) -> list[ua.MonitoredItemModifyResult]:
        times = _checked(params.TimestampsToReturn)
        return [self._modify(wanted, times) for wanted in params.ItemsToModify]

    def _create(
        self, params: ua.MonitoredItemCreateRequest, times: ua.TimestampsToReturn
    ) -> ua.MonitoredItemCreateResult:
        target, asked = params.ItemToMonitor, params.RequestedParameters
        asked.Filter = _filter(asked.Filter)
        node = self.aspace.get(target.NodeId)
        ours = node if isinstance(node, PlantNode) else None
        tag = _tag(ours, target.AttributeId) if ours else None
        fault = fault_of_filter(asked.Filter, tag)
        if fault is None:
            fault = _missing(node, target.AttributeId)
        if fault is not None:
            return ua.MonitoredItemCreateResult(ua.StatusCode(ua.UInt32(fault)))
        result, data = self._make_monitored_item_common(params)
        self._commit_monitored_item(result, data)
        number = int(result.MonitoredItemId)
        item = Item(number, self.waiting, target, ours.place if ours else None, tag)
        item.wish(asked, data.queue_size, times)
        item.set_mode(params.MonitoringMode)
        self._data[number] = item
        result.RevisedSamplingInterval = self._follow(item, asked.SamplingInterval)
        item.offer(self._read(item))
        return result

    def _modify(
        self, params: ua.MonitoredItemModifyRequest, times: ua.TimestampsToReturn
    ) -> ua.MonitoredItemModifyResult:
        number, asked = int(params.MonitoredItemId), params.RequestedParameters
        item = self._data.get(number)
        asked.Filter = _filter(asked.Filter)
        fault = fault_of_filter(asked.Filter, item.tag) if item else None
        if item is None:
            fault = StatusCodes.BadMonitoredItemIdInvalid
        if fault is not None or item is None:
            return ua.MonitoredItemModifyResult(ua.StatusCode(ua.UInt32(fault or 0)))
        size = self._revise_queue_size(asked.QueueSize)
        self._leave(item)
        item.wish(asked, size, times)
        return ua.MonitoredItemModifyResult(
            RevisedSamplingInterval=self._follow(item, asked.SamplingInterval),
            RevisedQueueSize=ua.Counter(size),
        )

    def _follow(self, item: Item, asked: float) -> ua.Duration:
        """Look for changes from now on; how often, in ms, for a wish in ms."""
        if item.tag is not None:
            # Negative means as often as the subscription publishes.
            wish = self.isub.data.RevisedPublishingInterval if asked < 0 else asked
            item.interval = revised(wish / 1e3)
            self._watch.add(item, item.tag, item.interval)
        elif item.place is None and item.number not in self._callbacks:
            self._follow_value(item)
        return ua.Duration(item.interval * 1e3)  # 0: whenever it changes

    def _follow_value(self, item: Item) -> None:
        """Be told by asyncua."""

        async def changed(
            handle: int, value: ua.DataValue, error: ua.StatusCode | None = None
        ) -> None:
            item.offer(sample(value))

        target = item.target
        attribute = _attribute(target.AttributeId)
        _, handle = self.aspace.add_datachange_callback(target.NodeId, attribute, changed)
        self._callbacks[item.number] = handle

    def _leave(self, item: Item) -> None:
        """Look for changes no longer."""
        if item.tag is not None:
            self._watch.remove(item, item.tag, item.interval)

    async def _set_monitoring_mode(self, mode: ua.MonitoringMode, mid: int) -> ua.StatusCode:
        data, item = self._monitored_items.get(mid), self._data.get(mid)
        if data is None:
            return ua.StatusCode(ua.UInt32(StatusCodes.BadMonitoredItemIdInvalid))
        before, data.mode = data.mode, mode
        if item is not None:
            item.set_mode(mode)
            if before == ua.MonitoringMode.Disabled:
                item.offer(self._read(item))
        return ua.StatusCode()

    def _delete_monitored_items(self, mid: int) -> ua.StatusCode:
        if self._monitored_items.pop(mid, None) is None:
            return ua.StatusCode(ua.UInt32(StatusCodes.BadMonitoredItemIdInvalid))
        item = self._data.pop(mid, None)
        if item is not None:
            self._leave(item)
            item.set_mode(ua.MonitoringMode.Disabled)  # who still triggers it does so in vain
            if mid in self._callbacks:
                self.aspace.delete_datachange_callback(self._callbacks.pop(mid))
        return ua.StatusCode()

    def set_triggering(
        self, number: int, add: Iterable[int], remove: Iterable[int]
    ) -> ua.SetTriggeringResult:
        """Let an item trigger others, or no longer (Part 4, 5.12.5)."""
        links = self._links(number)
        if links is None:
            raise ServiceError(StatusCodes.BadMonitoredItemIdInvalid)
        links[:] = [link for link in links if link.number in self._data]
        result = ua.SetTriggeringResult()
        for gone in remove:
            found = [link for link in links if link.number == gone]
            links[:] = [link for link in links if link.number != gone]
            result.RemoveResults.append(_linked(bool(found)))
        for new in add:
            item = self._data.get(int(new))
            if item is not None and item not in links:
                links.append(item)
            result.AddResults.append(_linked(item is not None))
        return result

    def _links(self, number: int) -> list[Item] | None:
        """What an item triggers; None if there is no such item."""
        item = self._data.get(number)
        return item.links if item else None

    def take(self, most: int) -> tuple[int, bytes]:
        """Take what waits, at most so many: their number, and a DataChangeNotification of them."""
        count, parts = 0, [b""]
        for item in list(islice(self.waiting.values(), most)):
            if count == most:
                break
            taken = item.take(most - count)
            count += len(taken)
            for encoded in taken:
                parts += (item.head, encoded)
            if not item.queue:
                del self.waiting[item.number]
        parts[0] = _COUNT.pack(count)
        parts.append(_NO_DIAGNOSTICS)
        return count, b"".join(parts)

    def resend(self) -> None:
        """Report all values anew."""
        for item in self._data.values():
            if item.mode == ua.MonitoringMode.Reporting:
                item.resume(self._read(item))

    def look_again(self) -> None:
        """Offer what is no tag's value: names and versions change with the equipment."""
        for item in self._data.values():
            if item.tag is None:
                item.offer(self._read(item))

    def _read(self, item: Item) -> Sample:
        target = item.target
        attribute = _attribute(target.AttributeId)
        return sample(self.aspace.read_attribute_value(target.NodeId, attribute))

    def _revise_queue_size(self, requested: int) -> int:
        return max(1, min(int(requested), self.isub.max_queue_size))


def _checked(times: ua.TimestampsToReturn) -> ua.TimestampsToReturn:
    if times == ua.TimestampsToReturn.Invalid:
        raise ServiceError(StatusCodes.BadTimestampsToReturnInvalid)
    return times


def _linked(is_item: bool) -> ua.StatusCode:
    code = StatusCodes.Good if is_item else StatusCodes.BadMonitoredItemIdInvalid
    return ua.StatusCode(ua.UInt32(code))


def _filter(asked: object) -> object:
    """A filter, or None if there is none: on the wire that is an object of no type."""
    return None if isinstance(asked, ua.ExtensionObject) and asked.TypeId.is_null() else asked


def _missing(node: NodeData | None, attribute: int) -> int | None:
    """What is wrong with an item of this node and attribute, if it does not exist."""
    if node is None:
        return StatusCodes.BadNodeIdUnknown
    return None if attribute in node.attributes else StatusCodes.BadAttributeIdInvalid


def _tag(node: PlantNode, attribute: int) -> Tag | None:
    return node.member.tag if node.member and attribute == AttributeIds.Value else None


def _attribute(number: int) -> AttributeIds:
    return cast(AttributeIds, number)  # asyncua takes any number, and says which it doesn't know
