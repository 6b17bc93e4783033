"""What the messages say: what, where, since when, value, limit, and what to do.

A message has a title and a text for mail and the like, one line for a phone, and fields for
machines. All of them name the key by which a receiver recognises that it has it already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo

from config.calendar import local
from runtime.alerts.occurrences import Occurrence
from runtime.equipment import Equipment

LISTED = 40  # alarms in a digest; of the rest it says how many they are
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


def cleared(told: Account, zone: ZoneInfo | None, at: float) -> Words:
    """The end of an alarm."""
    since, until = moment(told.since, zone), moment(at, zone)
    title = f"[cleared] {told.where}: {told.alarm}"
    text = f"{told.what}\n\nOver since: {until}\nWhere: {told.where}\nIt began: {since}"
    short = f"CLEARED {told.where}: {told.alarm}, {since} to {until}"
    return Words(title, text, short, {"event": "cleared", **asdict(told), "cleared": at})


def digest(tolds: Sequence[Account], over: frozenset[int], zone: ZoneInfo | None) -> Words:
    """Many alarms in one: by station, in each the one that came first before its consequences.

    `over` holds the places in `tolds` of those that are over already.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for place in sorted(range(len(tolds)), key=lambda place: tolds[place].since):
        groups[tolds[place].station or "the whole system"].append(place)
    lines = [f"{len(tolds)} alarms came in a flood. Of each station the first is the likely cause."]
    listed = 0
    for station, places in groups.items():
        lines += ["", f"{station}: {len(places)}"]
        for n, place in enumerate(places):
            if listed == LISTED:
                lines.append(f"  … and {len(places) - n} more")
                break
            told = tolds[place]
            first = "first: " if n == 0 else ""
            ended = ", over" if place in over else ""
            value = f", {told.value}" if told.value else ""
            lines.append(
                f"  {first}P{told.priority} {told.alarm}, {told.where},"
                f" since {moment(told.since, zone)}{value}{ended}"
            )
            if n == 0:
                lines.append(f"    what to do: {told.response}")
            listed += 1
    oldest = min(tolds, key=lambda told: told.since)
    title = f"[flood] {len(tolds)} alarms at {', '.join([*groups][:3])}"
    short = (
        f"FLOOD: {len(tolds)} alarms, {len(groups)} places. First: {oldest.where}: {oldest.alarm}"
        f" since {moment(oldest.since, zone)}. See mail or operator page."
    )
    alarms = [{name: asdict(told)[name] for name in _LISTED} for told in tolds]
    return Words(title, "\n".join(lines), short, {"event": "digest", "alarms": alarms})


_LISTED = ("alarm", "priority", "station", "pump", "since", "value", "limit")


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
