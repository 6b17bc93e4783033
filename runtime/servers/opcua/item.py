"""One monitored item: what of a value its client wants to be told."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

from asyncua import ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemData
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaprotocol_auto import DataChangeFilter  # what decoding makes; ua's is below it

from runtime.servers.opcua.plant import Place
from runtime.tag import Tag

OVERFLOW = 0x0480  # information of a data value: the queue was full
ALL_CHANGES = DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValue)


class Item:
    """A monitored value of a tag (or, without one, an attribute that never changes)."""

    def __init__(
        self,
        subscription: InternalSubscription,
        data: MonitoredItemData,
        place: Place,
        tag: Tag | None,
        discard_oldest: bool,
    ) -> None:
        self.place = place
        self.tag = tag
        self.interval = 0.0
        self._subscription = subscription
        self._data = data
        self.discard_oldest = discard_oldest
        self._last: ua.DataValue | None = None

    @property
    def _filter(self) -> DataChangeFilter:
        return cast(DataChangeFilter, self._data.filter or ALL_CHANGES)

    @property
    def always(self) -> bool:
        return self._filter.Trigger is ua.DataChangeTrigger.StatusValueTimestamp

    def offer(self, value: ua.DataValue) -> None:
        """Queue a value if it differs, as the item's filter has it, from the last one reported."""
        if self._data.mode != ua.MonitoringMode.Reporting:
            return
        last = self._last
        if last is not None and not self._differs(last, value):
            return
        self._last = value
        note = ua.MonitoredItemNotification(cast(ua.IntegerId, self._data.client_handle), value)
        queue = self._subscription._triggered_datachanges.setdefault(
            cast(int, self._data.monitored_item_id), []
        )
        queue.append(note)
        if len(queue) > self._data.queue_size:
            self._drop(queue)

    def _drop(self, queue: list[ua.MonitoredItemNotification]) -> None:
        """Let the oldest value go, or the one before the newest; the next one tells that it did."""
        place = 0 if self.discard_oldest else -2
        del queue[place]
        if self._data.queue_size > 1:
            place = 0 if self.discard_oldest else -1
            queue[place] = ua.MonitoredItemNotification(
                queue[place].ClientHandle, _overflown(queue[place].Value)
            )

    def resume(self, value: ua.DataValue) -> None:
        """Report a value whatever was reported before."""
        self._last = None
        self.offer(value)

    def _differs(self, last: ua.DataValue, value: ua.DataValue) -> bool:
        wanted = self._filter
        if last.StatusCode != value.StatusCode:
            return True
        if wanted.Trigger is ua.DataChangeTrigger.Status:
            return False
        if last.Value != value.Value:
            return self._beyond_deadband(wanted, last, value)
        return self.always and last.SourceTimestamp != value.SourceTimestamp

    def _beyond_deadband(
        self, wanted: DataChangeFilter, last: ua.DataValue, value: ua.DataValue
    ) -> bool:
        band = float(wanted.DeadbandValue)
        if wanted.DeadbandType == ua.DeadbandType.Percent and self.tag is not None:
            band *= (self.tag.high - self.tag.low) / 100
        elif wanted.DeadbandType == ua.DeadbandType.None_:
            return True
        if (
            last.Value is None
            or value.Value is None
            or None in (last.Value.Value, value.Value.Value)
        ):
            return True
        return bool(abs(value.Value.Value - last.Value.Value) > band)


def _overflown(value: ua.DataValue) -> ua.DataValue:
    """The value with the overflow bit in its status (Part 4, 7.39.1)."""
    status = value.StatusCode.value if value.StatusCode else StatusCodes.Good
    return replace(value, StatusCode=ua.StatusCode(ua.UInt32(status | OVERFLOW)))


def fault_of_filter(wanted: object, tag: Tag | None) -> int | None:
    """The status code that refuses a filter; None if it can be used."""
    if wanted is None:
        return None
    if not isinstance(wanted, DataChangeFilter):
        return StatusCodes.BadMonitoredItemFilterUnsupported
    if wanted.DeadbandType == ua.DeadbandType.None_:
        return None
    if tag is None or tag.is_bool or tag.states or tag.flags:
        return StatusCodes.BadFilterNotAllowed
    percent = wanted.DeadbandType == ua.DeadbandType.Percent
    if percent and not tag.low < tag.high:
        return StatusCodes.BadFilterNotAllowed
    band = float(wanted.DeadbandValue)
    absolute = wanted.DeadbandType == ua.DeadbandType.Absolute
    if not (percent or absolute) or not 0 <= band <= (100 if percent else math.inf):
        return StatusCodes.BadDeadbandFilterInvalid
    return None
