"""What the messages say: what, where, since when, value, limit, and what to do.

A message has a title and a text for mail and the like, one line for a phone, and fields for
machines. All of them name the key by which a receiver recognises that it has it already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo

from config.calendar import local
from runtime.alerts.occurrences import Occurrence
from runtime.equipment import Equipment

PRIORITIES = {1: "critical", 2: "high", 3: "medium", 4: "low"}


@dataclass(frozen=True)
class Account:
    """What there is to say of an alarm, written down when it was first seen."""

    tag: str
    alarm: str
    priority: int
    what: str
    where: str
    station: str | None
    pump: int | None
    since: float
    value: str
    limit: str
    cause: str
    consequence: str
    response: str


@dataclass(frozen=True)
class Words:
    """A message."""

    title: str
    text: str
    short: str
    fields: Mapping[str, object]


def account(
    found: Occurrence, equipment: Equipment, seen: tuple[Sequence[str], Sequence[str]]
) -> Account:
    """Write down an alarm. `seen` is its value and its limits in words."""
    value, limits = (", ".join(words) for words in seen)
    return Account(
        repr(found.tag),
        found.tag.name,
        found.alarm.priority,
        found.tag.doc if found.tag.alarm else "The scan stands still.",
        _where(found, equipment),
        found.station,
        found.pump,
        found.since,
        value,
        limits,
        found.alarm.cause,
        found.alarm.consequence,
        found.alarm.response,
    )


def _where(found: Occurrence, equipment: Equipment) -> str:
    if found.station is None:
        return "the whole system"
    station = equipment.station(found.station)
    named = f"station {found.station}"
    if station is not None and station.name not in ("", found.station):
        named += f" ({station.name})"
    if found.pump is None:
        return named
    pump = equipment.pump(found.station, found.pump)
    named += f", pump {found.pump}"
    return f"{named} ({pump.name})" if pump is not None and pump.name else named


def raised(told: Account, zone: ZoneInfo | None, after: float) -> Words:
    """An alarm; with `after` (s), one that nobody has acknowledged for so long."""
    again = f"not acknowledged for {after / 60:g} min" if after else ""
    since = moment(told.since, zone)
    lines = [
        told.what,
        "",
        *([f"Escalated: {again}"] if again else []),
        f"Where: {told.where}",
        f"Since: {since}",
        *([f"Value: {told.value}"] if told.value else []),
        *([f"Limit: {told.limit}"] if told.limit else []),
        f"Priority: {told.priority} ({PRIORITIES[told.priority]})",
        f"Cause: {told.cause}",
        f"Consequence: {told.consequence}",
        f"What to do: {told.response}",
    ]
    head = f"P{told.priority} {told.where}: {told.alarm}"
    facts = "; ".join(fact for fact in (told.value, again) if fact)
    short = f"{head} since {since}" + (f" ({facts})" if facts else "") + f". Do: {told.response}"
    title = f"[P{told.priority}{' ESCALATED' if again else ''}] {told.where}: {told.alarm}"
    return Words(title, "\n".join(lines), short, {"event": "raised", **asdict(told)})


def passed(told: Account, zone: ZoneInfo | None, ended: float) -> Words:
    """An alarm that was over again when it was first seen."""
    since, until = moment(told.since, zone), moment(ended, zone)
    lasted = f"{since} to {until}" if since != until else f"{since}, for less than a second"
    lines = [
        f"{told.what} It was over again at once.",
        "",
        f"Where: {told.where}",
        f"When: {lasted}",
        f"Priority: {told.priority} ({PRIORITIES[told.priority]})",
        f"Cause: {told.cause}",
        f"What to do: {told.response}",
    ]
    title = f"[P{told.priority}, over] {told.where}: {told.alarm}"
    short = (
        f"P{told.priority} {told.where}: {told.alarm}, over again: {lasted}. Do: {told.response}"
    )
    fields = {"event": "passed", **asdict(told), "cleared": ended}
    return Words(title, "\n".join(lines), short, fields)


def cleared(told: Account, zone: ZoneInfo | None, at: float) -> Words:
    """The end of an alarm."""
    since, until = moment(told.since, zone), moment(at, zone)
    title = f"[cleared] {told.where}: {told.alarm}"
    text = f"{told.what}\n\nOver since: {until}\nWhere: {told.where}\nIt began: {since}"
    short = f"CLEARED {told.where}: {told.alarm}, {since} to {until}"
    return Words(title, text, short, {"event": "cleared", **asdict(told), "cleared": at})


def test(channel: str, zone: ZoneInfo | None, at: float) -> Words:
    """A message that only proves that a channel works."""
    text = f"This is a test of the channel {channel}, sent at {moment(at, zone)}. No alarm."
    return Words("[test] Calejo alerts", text, text, {"event": "test"})


def heartbeat(zone: ZoneInfo | None, at: float) -> Words:
    """The sign of life."""
    text = f"Calejo runs; {moment(at, zone)}"
    return Words("[heartbeat] Calejo", text, text, {"event": "heartbeat"})


def moment(utc: float, zone: ZoneInfo | None) -> str:
    """A time as people read it, with its zone."""
    return f"{local(utc, zone):%Y-%m-%d %H:%M:%S %Z}"
