"""What a HistoryRead asks about: from when to when, how many, and where an answer ended.

Continuation points say where to go on and nothing else: they cost nothing, and are good for as long
as the history is.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes

NEVER = 1.0  # s since 1970: at or before this there is no history, and clients mean "none"
ALWAYS = 4e9  # s since 1970: no end was given
_POINT = struct.Struct("<dqIB")  # time and number of where to go on, how many are left, what kind
RAW, PROCESSED, EVENTS = 1, 2, 3  # kinds of points


class HistoryFault(Exception):
    """One node's history can't be read; the status says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Period:
    """From when to when, in s since 1970; from the end to the start if it is the later one."""

    start: float
    end: float
    left: int  # values that are still wanted, 0: all

    @property
    def backwards(self) -> bool:
        return self.start > self.end

    @property
    def low(self) -> float:
        return min(self.start, self.end)

    @property
    def high(self) -> float:
        return max(self.start, self.end)


@dataclass(frozen=True)
class Point:
    """Where an answer ended: a time, the number of what was last, and what is left (0: all)."""

    at: float
    number: int = 0
    left: int = 0

    def encode(self, kind: int) -> bytes:
        return _POINT.pack(self.at, self.number, self.left, kind)


def resumed(given: object, kind: int) -> Point:
    """The point that a client goes on from. Raises HistoryFault."""
    try:
        at, number, left, of = _POINT.unpack(cast(bytes, given))
    except (struct.error, TypeError):
        at, number, left, of = math.nan, 0, 0, 0
    if of != kind or not NEVER <= at <= ALWAYS or number < 0:
        raise HistoryFault(StatusCodes.BadContinuationPointInvalid)
    return Point(at, number, left)


def period_of(details: Any) -> Period:
    """Two of beginning, end and number have to be given. Raises HistoryFault."""
    start, end = seconds(details.StartTime), seconds(details.EndTime)
    most = int(details.NumValuesPerNode)
    given = (start > NEVER) + (end > NEVER) + (most > 0)
    if given < 2:
        raise HistoryFault(StatusCodes.BadInvalidArgument)
    if start <= NEVER:  # from the end backwards
        return Period(min(end, ALWAYS), NEVER, most)
    return Period(min(start, ALWAYS), min(end, ALWAYS) if end > NEVER else ALWAYS, most)


def utc(at: float) -> ua.DateTime:
    return cast(ua.DateTime, datetime.fromtimestamp(at, UTC))


def seconds(moment: datetime | None) -> float:
    """Since 1970; 0 for none, which on the wire is the beginning of 1601."""
    if moment is None:
        return 0.0
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
