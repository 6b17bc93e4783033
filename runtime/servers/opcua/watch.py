"""Which values clients monitor, and what of them changed: found for all of them in a few passes.

Items are grouped by tag and sampling interval. When a group is due, its rows are compared with
those of its last time as arrays, and only what differs becomes a value and goes to its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from asyncua import ua
from numpy.typing import NDArray

from runtime.servers.mirror import View
from runtime.servers.opcua.limits import TICK
from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.values import Values
from runtime.tag import Tag
from runtime.tags import SHOWN, System

INTERVALS = (TICK, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)  # s
SLACK = TICK / 2  # s by which a group may be early, so that a late tick doesn't shift all others


def revised(interval: float) -> float:
    """The sampling interval, in s, that a wish gets: the next shorter one of those we have."""
    return max((step for step in INTERVALS if step <= interval), default=TICK)


class Watcher(Protocol):
    """A monitored item as the watch sees it."""

    place: Place

    @property
    def always(self) -> bool:
        """Whether it wants every sample, changed or not."""

    def offer(self, value: ua.DataValue) -> None:
        """Take note of a value that may be new."""


class _Group:
    """The items of one tag and sampling interval."""

    def __init__(self, tag: Tag, interval: float, view: View) -> None:
        self.tag = tag
        self.interval = interval
        self.due = 0.0
        self.items: dict[Place, list[Watcher]] = {}
        self.always = 0  # how many of them want every sample
        self._sources = [_bits(view, source) for source in _sources(tag)]
        self._places: list[Place] = []
        self._slots: NDArray[np.intp] = np.zeros(0, np.intp)
        self._last: list[NDArray[np.generic]] = []

    def renew(self) -> None:
        """Look at all rows anew next time: others are watched, or have moved."""
        self._last = []

    def changed(self, everything: bool) -> list[Place]:
        """The places whose value may have changed since the last call."""
        if not self._last:
            everything = True
            room = min(len(source) for source in self._sources)
            self._places = list(self.items)
            self._slots = np.array([min(p.slot, room - 1) for p in self._places], np.intp)
        before, self._last = self._last, [source[self._slots] for source in self._sources]
        if everything:
            return self._places
        differs = self._last[0] != before[0]
        for now, then in zip(self._last[1:], before[1:], strict=True):
            differs |= now != then
        return [self._places[index] for index in differs.nonzero()[0]]


def _sources(tag: Tag) -> Iterator[Tag]:
    """The columns that a value and its status are made from."""
    table = next(table for table in SHOWN if table.__name__ == tag.table)
    yield tag
    if tag.quality is not None:
        yield table.tag(tag.quality)
    if table is not System:
        yield table.tag("Configured")


def _bits(view: View, tag: Tag) -> NDArray[np.generic]:
    """A column as bits: a value that is not a number equals itself there."""
    column = view.columns[tag]
    return column.view(f"u{column.dtype.itemsize}")


class Watch:
    """All monitored items of tags."""

    def __init__(self, values: Values) -> None:
        self.count = 0
        self._values = values
        self._view = values.view
        self._groups: dict[tuple[Tag, float], _Group] = {}
        self._state = (False, False)

    def add(self, item: Watcher, tag: Tag, interval: float) -> None:
        group = self._groups.get((tag, interval))
        if group is None:
            group = self._groups[tag, interval] = _Group(tag, interval, self._view)
        group.items.setdefault(item.place, []).append(item)
        group.always += item.always
        group.renew()
        self.count += 1

    def remove(self, item: Watcher, tag: Tag, interval: float) -> None:
        group = self._groups[tag, interval]
        items = group.items[item.place]
        items.remove(item)
        group.always -= item.always
        self.count -= 1
        if not items:
            del group.items[item.place]
            group.renew()
        if not group.items:
            del self._groups[tag, interval]

    def renew(self) -> None:
        """The equipment has changed: rows may mean something else now."""
        for group in self._groups.values():
            group.renew()

    def push(self, now: float) -> None:
        """Offer what changed to the items that are due at `now`, in s of any steady clock."""
        state = (bool(self._view.sequence), self._view.stale)
        if state != self._state:
            self._state = state
            self.renew()
        for group in self._groups.values():
            if now + SLACK >= group.due:
                group.due = now + group.interval
                self._offer(group)

    def _offer(self, group: _Group) -> None:
        for place in group.changed(everything=group.always > 0):
            value = self._values.read(group.tag, place)
            for item in group.items[place]:
                item.offer(value)
