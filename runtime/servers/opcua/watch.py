"""Which values clients monitor, and what of them changed: found for all of them in a few passes.

Items are grouped by tag and sampling interval. When a group is due, its rows are compared with
those of its last time as arrays, and only what differs becomes a value and goes to its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.servers.mirror import View
from runtime.servers.opcua.column import Column, table_of
from runtime.servers.opcua.limits import TICK
from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.sample import Sample
from runtime.servers.opcua.values import Values
from runtime.tag import Tag
from runtime.tags import System

INTERVALS = (TICK, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)  # s
SLACK = TICK / 2  # s by which a group may be early, so that a late tick doesn't shift all others


def revised(interval: float) -> float:
    """The sampling interval, in s, that a wish gets: the next shorter one of those we have."""
    return max((step for step in INTERVALS if step <= interval), default=TICK)


class Watcher(Protocol):
    """A monitored item as the watch sees it."""

    place: Place | None  # a tag's item has one
    always: bool  # whether it wants every sample, changed or not

    def offer(self, new: Sample) -> None:
        """Take note of a value that may be new."""


class _Group:
    """The items of one tag and sampling interval."""

    def __init__(self, tag: Tag, interval: float, values: Values) -> None:
        self.tag = tag
        self.interval = interval
        self.due = 0.0
        self.items: dict[Place, list[Watcher]] = {}
        self.always = 0  # how many of them want every sample
        self._values = values
        self._sources = [_bits(values.view, source) for source in _sources(tag)]
        self._column: Column | None = None
        self._listeners: list[list[Watcher]] = []  # by row of it
        self._last: list[NDArray[np.generic]] = []

    def renew(self) -> None:
        """Look at all rows anew next time: others are watched, or have moved."""
        self._column = None

    def offer(self) -> None:
        """Offer what may have changed since the last time."""
        everything = self.always > 0
        if self._column is None:
            everything = True
            self._column = Column(self._values, self.tag, list(self.items))
            self._listeners = list(self.items.values())
        slots = self._column.slots
        before, self._last = self._last, [source[slots] for source in self._sources]
        if everything:
            rows = np.arange(len(slots))
        else:
            differs = self._last[0] != before[0]
            for now, then in zip(self._last[1:], before[1:], strict=True):
                differs |= now != then
            rows = differs.nonzero()[0]
        if not len(rows):
            return
        listeners = self._listeners
        for row, sample in zip(rows.tolist(), self._column.samples(rows), strict=True):
            for item in listeners[row]:
                item.offer(sample)


def _sources(tag: Tag) -> Iterator[Tag]:
    """The columns that a value and its status are made from."""
    table = table_of(tag)
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
            group = self._groups[tag, interval] = _Group(tag, interval, self._values)
        assert item.place is not None
        group.items.setdefault(item.place, []).append(item)
        group.always += item.always
        group.renew()
        self.count += 1

    def remove(self, item: Watcher, tag: Tag, interval: float) -> None:
        group = self._groups[tag, interval]
        assert item.place is not None
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
                group.offer()
