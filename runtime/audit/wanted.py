"""What people look for in the audit log: a period, a user, an action, and so on."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta

TIMES = "a day such as 2026-11-30 or a time such as 2026-11-30T08:15, in UTC or with +01:00 behind"
RESULTS = "executed, asked, refused, too late, …"


@dataclass(frozen=True)
class Wanted:
    """Entries with all of this; None is anything.

    `since` and `until` bound when it happened, the latter not included. User, result and
    correlation have to be the same; action, object and text have to contain it, in any case.
    """

    since: datetime | None = None
    until: datetime | None = None
    user: str | None = None
    action: str | None = None
    object: str | None = None
    result: str | None = None
    text: str | None = None
    correlation: str | None = None

    @property
    def words(self) -> dict[str, str]:
        """What is asked for, as a report says it."""
        return {
            name: shown(value) if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if value is not None
        }


def shown(at: datetime) -> str:
    """A time in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")


def since(text: str) -> datetime:
    """The time meant, or the beginning of the day meant."""
    return _time(text, 0)


def until(text: str) -> datetime:
    """The time meant, or the end of the day meant."""
    return _time(text, 1)


def _time(text: str, days: int) -> datetime:
    try:
        if len(text) <= len("2026-11-30"):
            day = date.fromisoformat(text) + timedelta(days=days)
            return datetime.combine(day, time(), UTC)
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"found {text!r}, allowed {TIMES}") from None
