"""One monitored item: what of a value its client wants to be told."""

from __future__ import annotations

import math
import struct
from typing import cast

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaprotocol_auto import DataChangeFilter  # what decoding makes; ua's is below it

from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.sample import Sample, overflown, timed
from runtime.tag import Tag

ALL_CHANGES = DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValue)
DISABLED, SAMPLING, REPORTING = (
    *(ua.MonitoringMode.Disabled, ua.MonitoringMode.Sampling),
    ua.MonitoringMode.Reporting,
)
BOTH = ua.TimestampsToReturn.Both
_HANDLE = struct.Struct("<I")


class Item:
    """A monitored value: of a tag of a place, or any other attribute.

    mode        a change            the queue
    Disabled    is not looked for   is empty
    Sampling    is queued           waits until an item that triggers this one has a change
    Reporting   is queued           goes into the next message

    `waiting` has the items of the subscription whose queues go into its next message.
    """

    __slots__ = (
        *("always", "discard_oldest", "interval", "links", "mode", "number", "place", "queue"),
        *("size", "tag", "target", "times", "head", "_band", "_choosy", "_last", "_status_only"),
        "_waiting",
    )

    def __init__(
        self,
        number: int,
        waiting: dict[int, Item],
        target: ua.ReadValueId,
        place: Place | None = None,
        tag: Tag | None = None,
    ) -> None:
        self.number, self.target, self.place, self.tag = number, target, place, tag
        self.mode = REPORTING
        self.times = BOTH
        self.interval = 0.0  # s
        self.size = 1
        self.discard_oldest = True
        self.head = b""  # of each notification: the handle that the client knows it by
        self.queue: list[bytes] = []  # DataValues, encoded
        self.links: list[Item] = []  # what it triggers
        self.always = False  # a new time is a change, too
        self._choosy = self._status_only = False
        self._band: float | None = None  # changes within it are none
        self._last: Sample | None = None  # what was reported
        self._waiting = waiting

    def wish(self, asked: ua.MonitoringParameters, size: int, times: ua.TimestampsToReturn) -> None:
        """Take over what the client asks for; its filter has been found to be usable."""
        wanted = cast(DataChangeFilter, asked.Filter or ALL_CHANGES)
        trigger = wanted.Trigger
        self.always = trigger == ua.DataChangeTrigger.StatusValueTimestamp
        self._status_only = trigger == ua.DataChangeTrigger.Status
        self._band = _band(wanted, self.tag)
        self._choosy = self._status_only or self._band is not None
        self.head = _HANDLE.pack(int(asked.ClientHandle))
        self.size, self.discard_oldest, self.times = size, bool(asked.DiscardOldest), times
        while len(self.queue) > size:
            self._drop()

    def set_mode(self, mode: ua.MonitoringMode) -> None:
        self.mode = mode
        if mode is REPORTING:
            self.report()
        else:
            self._waiting.pop(self.number, None)
        if mode is DISABLED:
            self.queue.clear()
            self._last = None

    def offer(self, new: Sample) -> None:
        """Queue a value if it differs, as the item's filter has it, from the last one reported."""
        if self.mode is DISABLED:
            return
        last = self._last
        if last is not None and not self._differs(last, new):
            return
        self._last = new
        self.queue.append(new[3] if self.times is BOTH else timed(new[3], self.times))
        if len(self.queue) > self.size:
            self._drop()
        if self.mode is REPORTING:
            self._waiting[self.number] = self
        for linked in self.links:
            linked.trigger()

    def trigger(self) -> None:
        """Report what was sampled, as an item that triggers this one has a change."""
        if self.mode is SAMPLING:
            self.report()

    def report(self) -> None:
        """Let what is queued go into the next message."""
        if self.queue:
            self._waiting[self.number] = self

    def take(self, most: int) -> list[bytes]:
        """Take the first values of the queue, at most so many."""
        taken = self.queue
        self.queue = taken[most:]
        return taken[:most] if self.queue else taken

    def resume(self, new: Sample) -> None:
        """Report a value whatever was reported before."""
        self._last = None
        self.offer(new)

    def _drop(self) -> None:
        """Let the oldest value go, or the one before the newest; the next one tells that it did."""
        queue = self.queue
        del queue[0 if self.discard_oldest else -2]
        if self.size > 1:
            place = 0 if self.discard_oldest else -1
            queue[place] = overflown(queue[place])

    def _differs(self, last: Sample, new: Sample) -> bool:
        if last[1] != new[1]:
            return True
        if last[0] != new[0]:
            return not self._choosy or self._exceeds(last[0], new[0])
        return self.always and last[2] != new[2]

    def _exceeds(self, last: object, new: object) -> bool:
        """Whether a value differs by more than the deadband."""
        if self._status_only:
            return False
        if self._band is None or last is None or new is None:
            return True
        return abs(cast(float, new) - cast(float, last)) > self._band


def _band(wanted: DataChangeFilter, tag: Tag | None) -> float | None:
    """The deadband in the unit of the tag; None if every change is one."""
    if wanted.DeadbandType == ua.DeadbandType.None_:
        return None
    band = float(wanted.DeadbandValue)
    if wanted.DeadbandType == ua.DeadbandType.Percent and tag is not None:
        band *= (tag.high - tag.low) / 100
    return band


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
