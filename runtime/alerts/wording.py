"""What the messages say: what, where, since when, value, limit, and what to do.

A message has a title and a text for mail and the like, one line for a phone, and fields for
machines. All of them name the key by which a receiver recognises that it has it already. What comes
first, since phones show no more of a title; an alarm of the system says on which machine.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from config.calendar import local
from runtime.equipment import Equipment

if TYPE_CHECKING:  # finding occurrences takes compiled code, which telling of them needs not load
    from runtime.alerts.occurrences import Occurrence

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
        return f"the whole system, on {platform.node()}"
    station = equipment.station(found.station)
    named = f"station {found.station}"
    if station is not None and station.name not in ("", found.station):
        named += f" ({station.name})"
    if found.pump is None:
        return named
    pump = equipment.pump(found.station, found.pump)
    named += f", pump {found.pump}"
    return f"{named} ({pump.name})" if pump is not None and pump.name else named


def called(told: Account) -> str:
    """The name of an alarm as people write it, such as "Emergency stop"."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda found: f" {found[0].lower()}", told.alarm)


def headline(told: Account) -> str:
    """What, and where in short."""
    if told.station is None:
        return f"{called(told)}: {told.where}"
    pump = "" if told.pump is None else f" pump {told.pump}"
    return f"{called(told)}: {told.station}{pump}"


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
        "",
        "Acknowledge it on the operator page: until then, others may be called too.",
    ]
    head = f"P{told.priority} {headline(told)}"
    facts = "; ".join(fact for fact in (told.value, again) if fact)
    short = f"{head}, since {since}" + (f" ({facts})" if facts else "") + f". Do: {told.response}"
    title = f"[P{told.priority}{' ESCALATED' if again else ''}] {headline(told)}"
    return Words(title, "\n".join(lines), short, {"event": "raised", **asdict(told)})


def passed(told: Account, zone: ZoneInfo | None, ended: float) -> Words:
    """An alarm that was over again when it was first seen."""
    since, until = moment(told.since, zone), moment(ended, zone)
    lines = [
        f"{called(told)} came and went: it is over, and waits to be acknowledged.",
        told.what,
        "",
        f"Where: {told.where}",
        f"From: {since}",
        f"Until: {until}, after {lasted(told.since, ended)}",
        f"Priority: {told.priority} ({PRIORITIES[told.priority]})",
        f"Cause: {told.cause}",
        f"What to do: {told.response}",
    ]
    title = f"[P{told.priority}, over] {headline(told)}"
    short = (
        f"P{told.priority} {headline(told)}, since {since}, over after"
        f" {lasted(told.since, ended)}. Do: {told.response}"
    )
    fields = {"event": "passed", **asdict(told), "cleared": ended}
    return Words(title, "\n".join(lines), short, fields)


def cleared(told: Account, zone: ZoneInfo | None, at: float) -> Words:
    """The end of an alarm."""
    since, until = moment(told.since, zone), moment(at, zone)
    lines = [
        f"{called(told)} is over.",
        "",
        f"Where: {told.where}",
        f"From: {since}",
        f"Until: {until}, after {lasted(told.since, at)}",
        f"It had said: {told.what}",
    ]
    title = f"[cleared] {headline(told)}"
    text = "\n".join(lines)
    short = f"CLEARED {headline(told)}, {until}, after {lasted(told.since, at)}"
    return Words(title, text, short, {"event": "cleared", **asdict(told), "cleared": at})


def test(channel: str, zone: ZoneInfo | None, at: float) -> Words:
    """A message that only proves that a channel works."""
    text = (
        f"This is a test of the channel {channel}, sent by Calejo on {platform.node()} at"
        f" {moment(at, zone)}. There is no alarm, and nothing to do."
    )
    return Words("[test] Calejo alerts", text, text, {"event": "test"})


def heartbeat(zone: ZoneInfo | None, at: float) -> Words:
    """The sign of life."""
    text = f"Calejo runs on {platform.node()}; {moment(at, zone)}"
    return Words("[heartbeat] Calejo", text, text, {"event": "heartbeat"})


def lasted(since: float, until: float) -> str:
    """How long something was, roughly."""
    seconds = max(until - since, 0.0)
    for unit, name in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s" if seconds >= 1.0 else "less than 1 s"


def moment(utc: float, zone: ZoneInfo | None) -> str:
    """A time as people read it, with its zone."""
    return f"{local(utc, zone):%Y-%m-%d %H:%M:%S %Z}"
