"""What a digest says: in each group of alarms the first-out, and how many followed it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from zoneinfo import ZoneInfo

from runtime.alerts.first_out import Group, groups
from runtime.alerts.wording import Account, Words, called, headline, lasted, moment

LISTED = 40  # alarms that are listed; of the rest it says how many they are
SHORTLY = 3  # groups that are told on a phone
_FIELDS = ("alarm", "priority", "station", "pump", "since", "value", "limit")


def digest(
    news: Sequence[Account],
    ended: Sequence[Account],
    over: Mapping[Account, float],
    before: Collection[Account],
    standing: int,
    zone: ZoneInfo | None,
) -> Words:
    """Many alarms in one message: those that came, and those told before that have ended.

    `over` are those of both that are over already, and since when. `before` are others that were
    told one by one: what is told here may follow from them. `standing` is how many this receiver
    has been told of that still stand.
    """
    if not news:
        return _ends(ended, over, standing, zone)
    told = set(news)
    found = [group for group in groups({*news, *before}) if told.intersection(group.all)]
    number = _alarms(news)
    lines = [
        f"{number} came in a flood, so they are told together. In each group the first is the"
        " likely cause of what followed."
    ]
    room = LISTED
    for group in found:
        listed = list(_group(group, news, over, zone))
        lines += ["", *listed[: max(room, 0) + 3]]
        if len(listed) > max(room, 0) + 3:
            lines.append(f"  … and {len(listed) - max(room, 0) - 3} more")
        room -= len(listed) - 3
    if ended:
        lines += [
            "",
            f"Over that you were told of before: {_alarms(ended)}",
            *_ended(ended, over, zone),
        ]
    parts = [_shortly(group, news, zone) for group in found[:SHORTLY]]
    more = f" and {len(found) - SHORTLY} groups more." if len(found) > SHORTLY else ""
    others = f" Over: {len(ended)} told before." if ended else ""
    short = f"FLOOD: {number}. {' '.join(parts)}{more}{others} See mail or operator page."
    title = f"[flood] {number}, first {headline(found[0].first)}"
    fields = {
        "event": "digest",
        "alarms": [_fields(told, found) for told in news],
        "cleared": [_end(told, over) for told in ended],
    }
    return Words(title, "\n".join(lines), short, fields)


def _ends(
    ended: Sequence[Account], over: Mapping[Account, float], standing: int, zone: ZoneInfo | None
) -> Words:
    """The ends alone."""
    left = "none still stands" if not standing else f"{standing} still stand"
    what = _alarms(ended) if len(ended) > 1 else headline(ended[0])
    kinds = Counter(called(told) for told in ended)
    counted = ", ".join(f"{n} × {kind}" for kind, n in kinds.most_common())
    text = "\n".join(
        [
            f"Over: {_alarms(ended)}. Of those that you were told of, {left}.",
            "",
            counted,
            *_ended(ended, over, zone),
        ]
    )
    fields = {"event": "digest-cleared", "cleared": [_end(told, over) for told in ended]}
    short = f"CLEARED {what}; {left}: {counted}"
    return Words(f"[cleared] {what}; {left}", text, short, fields)


def _alarms(tolds: Sequence[Account]) -> str:
    return f"{len(tolds)} alarm{'s' if len(tolds) > 1 else ''}"


def _ended(
    ended: Sequence[Account], over: Mapping[Account, float], zone: ZoneInfo | None
) -> Iterator[str]:
    for told in ended[:LISTED]:
        until = over[told]
        yield (
            f"  P{told.priority} {called(told)}, {told.where}, until {moment(until, zone)}, after"
            f" {lasted(told.since, until)}"
        )
    if len(ended) > LISTED:
        yield f"  … and {len(ended) - LISTED} more"


def _group(
    group: Group, news: Collection[Account], over: Collection[Account], zone: ZoneInfo | None
) -> Iterator[str]:
    first = group.first
    known = ", told before" if first not in news else ""
    yield f"First: {_line(first, over, zone)}{known}"
    yield f"  What to do: {first.response}"
    followed = [told for told in group.followed if told in news]
    kinds = Counter(called(told) for told in followed)
    if not followed:
        return
    yield f"  {_count(followed)}: {', '.join(f'{n} × {kind}' for kind, n in kinds.items())}"
    times = Counter((told.tag, told.station, told.pump) for told in followed)
    latest = {(told.tag, told.station, told.pump): told for told in followed}
    for thing, told in latest.items():
        again = f", {times[thing]} times, the last" if times[thing] > 1 else ""
        yield f"  {_line(told, over, zone, again)}"


def _line(told: Account, over: Collection[Account], zone: ZoneInfo | None, again: str = "") -> str:
    value = f", {told.value}" if told.value else ""
    ended = ", over" if told in over else ""
    since = moment(told.since, zone)
    return f"P{told.priority} {called(told)}, {told.where}{again}, since {since}{value}{ended}"


def _count(followed: Sequence[Account]) -> str:
    return f"{len(followed)} followed"


def _shortly(group: Group, news: Collection[Account], zone: ZoneInfo | None) -> str:
    first = group.first
    followed = [told for told in group.followed if told in news]
    then = f", {_count(followed)}" if followed else ""
    return f"First {headline(first)}, since {moment(first.since, zone)}{then}."


def _end(told: Account, over: Mapping[Account, float]) -> dict[str, object]:
    return {name: asdict(told)[name] for name in _FIELDS} | {"cleared": over[told]}


def _fields(told: Account, found: Sequence[Group]) -> dict[str, object]:
    first = next(group.first for group in found if told in group.all)
    cause = None if first == told else f"{first.tag} of {first.where}"
    return {name: asdict(told)[name] for name in _FIELDS} | {"follows": cause}
