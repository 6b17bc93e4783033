"""First-out: which of many alarms came first, and which of them follow from it.

An alarm whose declared cause (`caused_by`) is among them belongs to that cause, however late that
was found out. One that strikes several stations at once has a cause outside them: those belong
together. Of the others, those of one station do: the first of them is its first-out, the likely
cause. Alarms of the system have nothing to do with each other. Of several stations that have one
and the same alarm alone, the first stands for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.alerts.wording import Account
from runtime.tags import ALARMS, System

CAUSES = {repr(alarm.tag): alarm.caused_by for alarm in ALARMS if alarm.caused_by is not None}

AT_ONCE = 2.0  # s

_Thing = tuple[str, str | None, int | None]


@dataclass(frozen=True)
class Group:
    """The first alarm, and those that followed, in their order."""

    first: Account
    followed: tuple[Account, ...] = ()

    @property
    def all(self) -> tuple[Account, ...]:
        return (self.first, *self.followed)


def groups(alarms: Iterable[Account]) -> list[Group]:
    """The alarms in groups, the one that began first at the front."""
    ranked = sorted(alarms, key=_rank)
    there: dict[_Thing, Account] = {}
    for told in ranked:
        there.setdefault((told.tag, told.station, told.pump), told)
    common = _common(ranked)
    roots: dict[str, list[Account]] = {}
    for told in ranked:
        root = _root(told, there)
        inside = root.station is not None and root not in common
        roots.setdefault(f"in {root.station}" if inside else root.tag, []).append(told)
    found = [_group(members, there) for members in roots.values()]
    return sorted(_joined(found), key=lambda group: _rank(group.first))


def _rank(told: Account) -> tuple[float, str, int]:
    return told.since, told.station or "", told.pump or 0


def _common(ranked: Iterable[Account]) -> set[Account]:
    """Alarms that struck another station at the same time."""
    latest: dict[str, list[Account]] = {}
    found: set[Account] = set()
    for told in ranked:
        near = [one for one in latest.get(told.tag, []) if told.since - one.since <= AT_ONCE]
        latest[told.tag] = [*near, told]
        if len({one.station for one in latest[told.tag]}) > 1:
            found.update(latest[told.tag])
    return found


def _root(told: Account, there: dict[_Thing, Account]) -> Account:
    """What an alarm goes back to by its declared causes, as far as they are there."""
    cause = CAUSES.get(told.tag)
    if cause is None:
        return told
    of_system = cause.table == System.__name__
    where = (None, None) if of_system else (told.station, told.pump)
    found = there.get((repr(cause), *where))
    return told if found is None else _root(found, there)


def _group(members: Sequence[Account], there: dict[_Thing, Account]) -> Group:
    first = next(told for told in members if _root(told, there) is told)
    return Group(first, tuple(told for told in members if told is not first))


def _joined(found: Iterable[Group]) -> list[Group]:
    """Those of one alarm alone become one group."""
    alone: dict[str, Group] = {}
    others: list[Group] = []
    for group in found:
        if any(told.tag != group.first.tag for told in group.followed):
            others.append(group)
            continue
        before = alone.get(group.first.tag)
        alone[group.first.tag] = _merged(before, group) if before else group
    return [*others, *alone.values()]


def _merged(one: Group, other: Group) -> Group:
    first, *followed = sorted((*one.all, *other.all), key=_rank)
    return Group(first, tuple(followed))
