"""The comparison of the recorded columns with what they were: where edges are found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import compiled, prepared
from runtime.layout import Column, Columns, Layout
from runtime.tag import Table, Tag
from runtime.tags import NUMBER, TAGS, Pump, Station, System

RECORDED: tuple[Tag, ...] = tuple(tag for tag in TAGS if tag.recorded)
WORD = 8  # bytes
MOST = 65_536  # edges of one comparison; what is beyond is found by the next

EDGE = np.dtype(
    [
        ("seq", "u8"),
        ("scan", "u8"),
        ("utc", "f8"),  # s since 1970
        ("old", "f8"),
        ("new", "f8"),
        ("slot", "u4"),
        ("tag", "u2"),
    ],
    align=True,
)
PLACE = np.dtype(
    [
        ("before", "i8"),  # the byte of the baseline at which an element lies
        ("now", "i8"),  # and that of all columns
        ("size", "i8"),
    ],
    align=True,
)
Edges = NDArray[np.void]

_TABLES: tuple[type[Table], ...] = (System, Station, Pump)


class Recorded(NamedTuple):
    """The recorded columns, which hold whole numbers without sign, one after the other.

    Places and lengths are in words: a word is looked into only if it differs.
    """

    now: NDArray[np.uint64]  # all columns
    before: NDArray[np.uint64]  # the baseline: the recorded ones
    now_bytes: NDArray[np.uint8]
    before_bytes: NDArray[np.uint8]
    at: NDArray[np.int64]
    at_before: NDArray[np.int64]
    length: NDArray[np.int64]
    size: NDArray[np.int64]  # bytes of an element
    tag: NDArray[np.int64]
    table: NDArray[np.int64]
    used: tuple[NDArray[np.bool_], ...]  # of each table: which rows are in use


def room(layout: Layout) -> int:
    """Bytes of a baseline."""
    return WORD * sum(_words(tag, layout) for tag in RECORDED)


def _words(tag: Tag, layout: Layout) -> int:
    return -(-layout.capacity.rows(tag.table) * np.dtype(tag.dtype).itemsize // WORD)


class Comparison:
    """Compares columns with a baseline, and puts the edges that it finds into a ring.

    Ring and baseline are its own until it is bound to others: a standby makes it ahead of time.
    `before` are the columns of the baseline, `most` the edges that there can be at once.
    """

    def __init__(self, columns: Columns) -> None:
        layout = columns.layout
        baseline = np.zeros(room(layout), np.uint8)
        lengths = np.array([_words(tag, layout) for tag in RECORDED])
        self.most = min(WORD * int(lengths.sum()), MOST)
        self._ring: Edges = np.zeros(MOST, EDGE)
        self._places = np.zeros(self.most, PLACE)
        self._recorded = Recorded(
            now=columns.arena.view(np.uint64),
            before=baseline.view(np.uint64),
            now_bytes=columns.arena,
            before_bytes=baseline,
            at=np.array([layout.offsets[tag] // WORD for tag in RECORDED]),
            at_before=np.cumsum(lengths) - lengths,
            length=lengths,
            size=np.array([np.dtype(tag.dtype).itemsize for tag in RECORDED]),
            tag=np.array([NUMBER[tag] for tag in RECORDED]),
            table=np.array([[t.__name__ for t in _TABLES].index(tag.table) for tag in RECORDED]),
            used=(
                np.ones(1, np.bool_),
                columns[Station.Configured].view(np.bool_),
                columns[Pump.Configured].view(np.bool_),
            ),
        )
        self.before = self._columns_of(baseline, layout)
        self._find = prepared(_find, (self._recorded, self._ring, self._places, 0, 0, 0, 0, 0.0))
        self._settle = prepared(_settle, (self._recorded, self._places, 0))

    def bind(self, ring: Edges, baseline: NDArray[np.uint8], layout: Layout) -> None:
        """Go on with this ring and this baseline."""
        self._ring = ring
        self._recorded = self._recorded._replace(
            before=baseline.view(np.uint64), before_bytes=baseline
        )
        self.before = self._columns_of(baseline, layout)

    def _columns_of(self, baseline: NDArray[np.uint8], layout: Layout) -> dict[Tag, Column]:
        starts = (self._recorded.at_before * WORD).tolist()
        return {
            tag: baseline[start:].view(tag.dtype)[: layout.capacity.rows(tag.table)]
            for tag, start in zip(RECORDED, starts, strict=True)
        }

    def find(self, at: int, free: int, first: int, scan: int, utc: float) -> int:
        """Find the edges of a scan, numbered from `first`; how many they are.

        They go into the ring from `at` on, as many as there is room `free`.
        """
        count: int = self._find(
            self._recorded, self._ring, self._places, at, free, first, scan, utc
        )
        return count

    def settle(self, count: int) -> None:
        """Bring the baseline up to the first edges found."""
        self._settle(self._recorded, self._places, count)


@compiled
def _element(content: NDArray[np.uint8], place: int, size: int) -> np.uint64:
    """The number of `size` bytes, the lowest first."""
    value = np.uint64(0)
    for byte in range(place + size - 1, place - 1, -1):
        value = value * np.uint64(256) + np.uint64(content[byte])
    return value


@compiled
def _find(
    recorded: Recorded,
    ring: Edges,
    places: Edges,
    at: int,
    free: int,
    first: int,
    scan: int,
    utc: float,
) -> int:
    """What a row that is not in use says of itself is no edge, but for the end of what it said."""
    count = 0
    for k in range(len(recorded.at)):
        start, start_before, size = recorded.at[k], recorded.at_before[k], recorded.size[k]
        used = recorded.used[recorded.table[k]]
        for w in range(recorded.length[k]):
            if recorded.now[start + w] == recorded.before[start_before + w]:
                continue
            for slot in range(w * WORD // size, (w + 1) * WORD // size):
                now, before = start * WORD + slot * size, start_before * WORD + slot * size
                new = _element(recorded.now_bytes, now, size)
                old = _element(recorded.before_bytes, before, size)
                if new == old or not (used[slot] or old != 0):
                    continue
                if count == len(places):
                    return count
                if count < free:
                    edge = ring[(at + count) % len(ring)]
                    edge.seq, edge.scan, edge.utc = first + count, scan, utc
                    edge.old, edge.new, edge.slot, edge.tag = old, new, slot, recorded.tag[k]
                place = places[count]
                place.now, place.before, place.size = now, before, size
                count += 1
    return count


@compiled
def _settle(recorded: Recorded, places: Edges, count: int) -> None:
    for place in places[:count]:
        for byte in range(place.size):
            recorded.before_bytes[place.before + byte] = recorded.now_bytes[place.now + byte]
