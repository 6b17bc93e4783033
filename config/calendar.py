"""When a rule counts: weekdays, hours of the day, and the time zone that both are told in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.notation import Notation

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = tuple(range(7))
_ALL = "all"
_DAY = "|".join(DAYS)
_TIME = r"([01][0-9]|2[0-3]):([0-5][0-9])"


class Span(NamedTuple):
    """A part of each day by the clock on the wall; it may go past midnight.

    With `begin` equal to `end` it is the whole day.
    """

    begin: time
    end: time

    def day_of(self, moment: datetime) -> int | None:
        """The weekday (0: Monday) on which the span that holds a moment began; None outside of it.

        22:00-06:00 of a Friday goes on until Saturday morning. The clock on the wall decides: an
        hour that daylight saving skips is not waited for, one that it repeats counts twice.
        """
        clock = moment.time()
        if self.begin == self.end or self.begin <= clock < self.end:
            return moment.weekday()
        if self.begin < self.end:
            return None
        if clock >= self.begin:
            return moment.weekday()
        return (moment - timedelta(days=1)).weekday() if clock < self.end else None


WHOLE_DAY = Span(time(0), time(0))


def local(utc: float, zone: ZoneInfo | None) -> datetime:
    """What clock and calendar on the wall say at a time in s since 1970."""
    return datetime.fromtimestamp(utc, zone or UTC)


@dataclass(frozen=True)
class Weekdays(Notation[tuple[int, ...]]):
    """Days of the week, 0 for Monday."""

    @property
    def allowed(self) -> str:
        return "all, or days such as 'mon-fri', 'sat, sun' (" + ", ".join(DAYS) + ")"

    def read(self, written: object) -> tuple[int, ...]:
        if written == _ALL:
            return EVERY_DAY
        if isinstance(written, tuple) and all(isinstance(day, int) for day in written):
            return written
        parts = written if isinstance(written, list) else str(written).split(",")
        days: set[int] = set()
        for part in parts:
            match = re.fullmatch(rf"\s*({_DAY})\s*(?:-\s*({_DAY})\s*)?", str(part))
            if match is None:
                raise ValueError("")
            first = DAYS.index(match[1])
            last = DAYS.index(match[2]) if match[2] else first
            days.update((first + n) % 7 for n in range((last - first) % 7 + 1))
        if not days:
            raise ValueError("")
        return tuple(sorted(days))

    def write(self, value: tuple[int, ...]) -> str | list[str]:
        return _ALL if value == EVERY_DAY else [DAYS[day] for day in value]

    def schema(self) -> dict[str, Any]:
        some = rf"\s*({_DAY})\s*(-\s*({_DAY})\s*)?"
        text = {"type": "string", "pattern": rf"^({_ALL}|{some}(,{some})*)$"}
        items = {"type": "string", "pattern": f"^{some}$"}
        return {"oneOf": [text, {"type": "array", "items": items, "minItems": 1}]}


@dataclass(frozen=True)
class Hours(Notation[Span]):
    """A part of the day."""

    @property
    def allowed(self) -> str:
        return "all, or a part of the day such as '07:00-16:30' or '22:00-06:00'"

    def read(self, written: object) -> Span:
        if written == _ALL:
            return WHOLE_DAY
        if isinstance(written, Span):
            return written
        match = re.fullmatch(rf"{_TIME}\s*-\s*{_TIME}", str(written).strip())
        if match is None:
            raise ValueError("")
        first, second, third, fourth = map(int, match.groups())
        return Span(time(first, second), time(third, fourth))

    def write(self, value: Span) -> str:
        return _ALL if value == WHOLE_DAY else f"{value.begin:%H:%M}-{value.end:%H:%M}"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": rf"^\s*({_ALL}|{_TIME}\s*-\s*{_TIME})\s*$"}


@dataclass(frozen=True)
class TimeZone(Notation[ZoneInfo | None]):
    """A time zone by its name in the IANA database, or none."""

    NONE = "none"

    @property
    def allowed(self) -> str:
        return "a time zone such as 'Europe/Berlin', or none"

    def read(self, written: object) -> ZoneInfo | None:
        if written is None or written == self.NONE:
            return None
        if isinstance(written, ZoneInfo):
            return written
        try:
            return ZoneInfo(str(written))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("") from None

    def write(self, value: ZoneInfo | None) -> str:
        return self.NONE if value is None else value.key

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "title": self.allowed}
