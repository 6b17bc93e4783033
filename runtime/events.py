"""Events: the edges of recorded tags, from the scan to the recorder.

After the blocks have run, the recorded columns are compared with what they were when edges were
last emitted; each difference is an edge. Edges go into a ring in shared memory:

    header (64-bit words) | ring of edges | baseline: the recorded columns when last emitted

The writer never waits: what finds no room is dropped and counted, and leaves a gap in the numbers.
The reader's position moves only when it acknowledges, after the edges are on disk.

The baseline lies in the file, so that a scan process that takes over finds also the edges of a scan
that its predecessor published and could not emit any more. Edges count once the written position is
stored; the baseline follows, and a successor first brings it up to the last edges written.

In a new file the baseline is the columns as they are, with retained memory restored: a latch from
before a power cut is no new edge. The first edge of a new file is one of `System.FirstScan`
instead: what was on before, and is not retained, has ended unseen.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.layout import Columns, Layout
from runtime.shared import HEADER, SharedFile
from runtime.tag import Tag
from runtime.tags import NUMBER, TAGS, Pump, Station, System

MAGIC = 0x544E5645_0001  # "EVNT", format 1
CAPACITY = 65_536  # edges
_IDENTITY, _WRITTEN, _DROPPED, _BASED = range(2, 6)
_READ = 8  # the reader's word, in a cache line of its own

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
Edges = NDArray[np.void]
_OPAQUE = np.dtype((np.void, EDGE.itemsize))  # copied in one piece, not field by field

RECORDED: tuple[Tag, ...] = tuple(tag for tag in TAGS if tag.recorded)


def _open(path: Path, layout: Layout, *, create: bool) -> SharedFile:
    text = f"{layout.hash} {RECORDED}"
    signature = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    size = CAPACITY * EDGE.itemsize + sum(_padded(tag, layout) for tag in RECORDED)
    return SharedFile(path, MAGIC, signature, size, create=create)


def _ring(file: SharedFile) -> Edges:
    return file.memory[HEADER:][: CAPACITY * EDGE.itemsize].view(EDGE)


def _baseline(file: SharedFile, layout: Layout) -> list[NDArray[np.generic]]:
    found: list[NDArray[np.generic]] = []
    start = HEADER + CAPACITY * EDGE.itemsize
    for tag in RECORDED:
        rows = layout.capacity.rows(tag.table)
        found.append(file.memory[start:][: _padded(tag, layout)].view(tag.dtype)[:rows])
        start += _padded(tag, layout)
    return found


def _padded(tag: Tag, layout: Layout) -> int:
    """Bytes of a column in the baseline, a multiple of 8."""
    return -(-layout.capacity.rows(tag.table) * np.dtype(tag.dtype).itemsize // 8) * 8


def _bits(column: NDArray[np.generic]) -> NDArray[np.generic]:
    """A column as integers, to compare it bit for bit: NaN is equal to NaN."""
    return column.view("u8") if column.dtype.kind == "f" else column


def _used(tag: Tag, columns: Columns) -> NDArray[np.bool_] | None:
    """Which rows are in use. What an unused row says of itself is no event."""
    table = {"Station": Station.Configured, "Pump": Pump.Configured}.get(tag.table)
    return columns[table].view(np.bool_) if table else None


class EventWriter:
    """The scan's end. Make it when leading, with the columns restored.

    `produced` counts all edges there have been, `dropped` those that found no room.
    """

    def __init__(self, path: Path, columns: Columns) -> None:
        file = _open(path, columns.layout, create=True)
        self._words = file.words
        self._words[_IDENTITY] = self._words[_IDENTITY] or secrets.randbits(63)
        self._ring = _ring(file).view(_OPAQUE)
        self._now = [columns[tag] for tag in RECORDED]
        self._before = _baseline(file, columns.layout)
        self._used = [_used(tag, columns) for tag in RECORDED]
        self._starts = np.cumsum([0, *(len(column) for column in self._now)])
        self._changed = np.zeros(self._starts[-1], bool)
        self._scratch = np.zeros(min(len(self._changed), CAPACITY), EDGE)
        self._opaque = self._scratch.view(_OPAQUE)
        self._fields = [self._scratch[name] for name in EDGE.names or ()]
        self._count = np.arange(len(self._scratch), dtype=np.uint64)
        self._compare = [
            (_bits(now), _bits(before), self._changed[start : start + len(now)])
            for now, before, start in zip(self._now, self._before, self._starts, strict=False)
        ]
        self._new_file = self.produced == 0
        if self._words[_BASED]:
            self._redo()
        else:
            for now, before in zip(self._now, self._before, strict=True):
                np.copyto(before, now)
            self._words[_BASED] = True

    @property
    def produced(self) -> int:
        return int(self._words[_WRITTEN]) + int(self._words[_DROPPED])

    @property
    def dropped(self) -> int:
        return int(self._words[_DROPPED])

    def emit(self, scan: int, utc: float) -> None:
        """Put the edges since the last emission into the ring."""
        if self._new_file:
            self._scratch[0] = (0, 0, 0, 0, 1, 0, NUMBER[System.FirstScan])
            self._put(1, scan, utc)
            self._new_file = False
        for now, before, changed in self._compare:
            np.not_equal(now, before, out=changed)
        if np.count_nonzero(self._changed):
            self._gather(scan, utc)

    def _gather(self, scan: int, utc: float) -> None:
        _, _, _, old, new, slot, tag = self._fields
        points = self._changed.nonzero()[0][: len(self._scratch)]  # those beyond: next time
        ends = points.searchsorted(self._starts).tolist()
        told = []
        count = 0
        for k, (start, end) in enumerate(itertools.pairwise(ends)):
            if start == end:
                continue
            before, now, used = self._before[k], self._now[k], self._used[k]
            slots = points[start:end] - self._starts[k]
            if used is not None:
                slots = slots[used[slots] | (before[slots] != 0)]
            part = slice(count, count + len(slots))
            old[part] = before[slots]
            new[part] = now[slots]
            slot[part] = slots
            tag[part] = NUMBER[RECORDED[k]]
            told.append((before, now, slots))
            count = part.stop
        self._put(count, scan, utc)
        for before, now, slots in told:
            before[slots] = now[slots]

    def _put(self, count: int, scan: int, utc: float) -> None:
        """Copy the first edges of the scratch into the ring, as many as fit."""
        words = self._words
        written = words[_WRITTEN]
        fitting = min(count, CAPACITY - (written - words[_READ]))
        seq, in_scan, at_utc, *_ = self._fields
        np.add(self._count[:fitting], written + words[_DROPPED], out=seq[:fitting])
        in_scan[:fitting] = scan
        at_utc[:fitting] = utc
        at = written % CAPACITY
        first = min(fitting, CAPACITY - at)
        self._ring[at : at + first] = self._opaque[:first]
        self._ring[: fitting - first] = self._opaque[first:fitting]
        words[_WRITTEN] = written + fitting
        words[_DROPPED] += count - fitting

    def _redo(self) -> None:
        """Bring the baseline up to the edges of the last emission."""
        written = self._words[_WRITTEN]
        newest = np.arange(max(0, written - min(CAPACITY, len(self._changed))), written) % CAPACITY
        edges = self._ring[newest].view(EDGE)
        edges = edges[edges["scan"] == edges["scan"][-1]] if len(edges) else edges
        for tag, before in zip(RECORDED, self._before, strict=True):
            mine = edges[edges["tag"] == NUMBER[tag]]
            before[mine["slot"]] = mine["new"]


class EventReader:
    """The recorder's end."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._file = _open(path, layout, create=False)
        self._words = self._file.words
        self._ring = _ring(self._file)
        self.position = int(self._words[_READ])

    @property
    def identity(self) -> int:
        """What no other ring has."""
        return int(self._words[_IDENTITY])

    @property
    def dropped(self) -> int:
        return int(self._words[_DROPPED])

    @property
    def backlog(self) -> int:
        """Edges in the ring, those taken and not yet acknowledged included."""
        return int(self._words[_WRITTEN]) - int(self._words[_READ])

    @property
    def replaced(self) -> bool:
        """Whether the file was made anew, so that this reader looks at a ring left behind."""
        return self._file.replaced

    def take(self, limit: int) -> Edges:
        """Copies of the next edges, at most `limit`."""
        end = min(int(self._words[_WRITTEN]), self.position + limit)
        edges = self._ring[np.arange(self.position, end) % CAPACITY]
        self.position = end
        return edges

    def acknowledge(self, position: int) -> None:
        """Give the room of the edges before `position` back to the writer."""
        if position > self._words[_READ]:
            self._words[_READ] = position
            self.position = max(self.position, position)
