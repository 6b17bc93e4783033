"""Values: what a variable shows, made from the newest snapshot when somebody asks for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from asyncua import ua
from asyncua.server.address_space import AttributeValue
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.mirror import View
from runtime.servers.opcua.plant import Place
from runtime.tag import Quality, Tag
from runtime.tags import System

VARIANTS = {
    "?": ua.VariantType.Boolean,
    "u1": ua.VariantType.Byte,
    "u2": ua.VariantType.UInt16,
    "u4": ua.VariantType.UInt32,
    "u8": ua.VariantType.UInt64,
    "i8": ua.VariantType.Int64,
    "f8": ua.VariantType.Double,
}
WAITING = ua.StatusCode(ua.UInt32(StatusCodes.BadWaitingForInitialData))
STILL = ua.StatusCode(ua.UInt32(StatusCodes.BadNoCommunication))
RETIRED = ua.StatusCode(ua.UInt32(StatusCodes.BadOutOfService))
NO_VALUE = ua.StatusCode(ua.UInt32(StatusCodes.BadNoValue))
STATUS = {
    Quality.GOOD: ua.StatusCode(ua.UInt32(StatusCodes.Good)),
    Quality.UNCERTAIN: ua.StatusCode(ua.UInt32(StatusCodes.Uncertain)),
    Quality.BAD: ua.StatusCode(ua.UInt32(StatusCodes.Bad)),
}
NULL = ua.Variant(None, ua.VariantType.Null)

# What the server itself knows, at this moment and whatever the scan does.
OWN: dict[Tag, Callable[[View], float | bool]] = {
    System.ImageAge: lambda view: view.age,
    System.Live: lambda view: not view.stale,
}


class Values:
    """DataValues of the newest snapshot.

    The source timestamp is the time of the scan that a value is from: it stands still when the scan
    does. A Bad value is null, as Part 4 (7.11) asks: nothing can be taken for a measurement.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self._sequence = -1
        self._scanned: ua.DateTime | None = None

    @property
    def scanned(self) -> ua.DateTime | None:
        """UTC of the scan that the snapshot is from; None before the first."""
        if self._sequence != self.view.sequence:
            self._sequence = self.view.sequence
            seconds = self.view.columns.value(System.TimeUtc)
            self._scanned = utc(seconds) if seconds > 0 else None
        return self._scanned

    def read(self, tag: Tag, place: Place) -> ua.DataValue:
        """The value of a tag of a place, with its status and times."""
        now = utc(time.time())
        own = None if place.declares else OWN.get(tag)
        status = STATUS[Quality.GOOD] if own else self.status(tag, place)
        variant = NULL
        if not status.is_bad():
            value = own(self.view) if own else self.view.columns[tag].item(place.slot)
            if isinstance(value, float) and not math.isfinite(value):
                status = NO_VALUE
            else:
                variant = ua.Variant(value, VARIANTS[tag.dtype])
        return ua.DataValue(
            variant, status, SourceTimestamp=now if own else self.scanned, ServerTimestamp=now
        )

    def status(self, tag: Tag, place: Place) -> ua.StatusCode:
        """How far the value can be trusted, and if not at all, why."""
        view = self.view
        if place.declares:
            return NO_VALUE
        if not view.sequence:
            return WAITING
        if view.stale:
            return STILL
        table = place.table
        if not place.present or table is None or place.slot >= view.columns.rows(table):
            return RETIRED
        if table is not System and not view.columns[table.tag("Configured")][place.slot]:
            return RETIRED
        return STATUS[view.quality(tag, place.slot)]


def utc(seconds: float) -> ua.DateTime:
    # asyncua takes any datetime; its own subclass of it is only a name for the type.
    return cast(ua.DateTime, datetime.fromtimestamp(seconds, UTC))


class Lazy(AttributeValue):
    """An attribute that holds nothing: it is made when it is read, and can't be written.

    Monitored items of our nodes are served by `Items`, so nobody registers for changes here.
    """

    value_setter = None

    def __init__(self, make: Callable[[], ua.DataValue]) -> None:
        self._make = make
        self.value_callback = lambda nodeid, attribute: make()  # asked before `value`, and once

    @property
    def value(self) -> ua.DataValue | None:
        return self._make()

    @value.setter
    def value(self, value: ua.DataValue | None) -> None:
        raise AttributeError("a server never writes a value: it asks the scan")
