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
import secrets
from pathlib import Path

import numpy as np

from runtime.comparison import EDGE, MOST, RECORDED, Comparison, Edges, room
from runtime.layout import Columns, Layout
from runtime.shared import HEADER, SharedFile
from runtime.tags import NUMBER, System

MAGIC = 0x544E5645_0001  # "EVNT", format 1
CAPACITY = MOST  # edges
_IDENTITY, _WRITTEN, _DROPPED, _BASED = range(2, 6)
_READ = 8  # the reader's word, in a cache line of its own


def _open(path: Path, layout: Layout, *, create: bool) -> SharedFile:
    text = f"{layout.hash} {RECORDED}"
    signature = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    size = CAPACITY * EDGE.itemsize + room(layout)
    return SharedFile(path, MAGIC, signature, size, create=create)


def _ring(file: SharedFile) -> Edges:
    return file.memory[HEADER:][: CAPACITY * EDGE.itemsize].view(EDGE)


class EventWriter:
    """The scan's end. Make it when leading, with the columns restored.

    A `comparison` of the columns that was made before that saves a millisecond of the takeover.
    `produced` counts all edges there have been, `dropped` those that found no room.
    """

    def __init__(self, path: Path, columns: Columns, comparison: Comparison | None = None) -> None:
        file = _open(path, columns.layout, create=True)
        self._words = file.words
        self._words[_IDENTITY] = self._words[_IDENTITY] or secrets.randbits(63)
        self._ring = _ring(file)
        baseline = file.memory[HEADER + CAPACITY * EDGE.itemsize :]
        self._comparison = comparison or Comparison(columns)
        self._comparison.bind(self._ring, baseline, columns.layout)
        self._new_file = self.produced == 0
        if self._words[_BASED]:
            self._redo()
        else:
            for tag, before in self._comparison.before.items():
                np.copyto(before, columns[tag])
            self._words[_BASED] = True

    @property
    def produced(self) -> int:
        return int(self._words[_WRITTEN]) + int(self._words[_DROPPED])

    @property
    def dropped(self) -> int:
        return int(self._words[_DROPPED])

    def emit(self, scan: int, utc: float) -> None:
        """Put the edges since the last emission into the ring, as many as fit."""
        words = self._words
        if self._new_file:
            self._ring[0] = (0, scan, utc, 0, 1, 0, NUMBER[System.FirstScan])
            words[_WRITTEN] = 1
            self._new_file = False
        written, dropped = words[_WRITTEN], words[_DROPPED]
        free = CAPACITY - (written - words[_READ])
        count = self._comparison.find(written % CAPACITY, free, written + dropped, scan, utc)
        if count:
            fitting = min(count, free)
            words[_WRITTEN] = written + fitting
            words[_DROPPED] = dropped + count - fitting
            self._comparison.settle(count)

    def _redo(self) -> None:
        """Bring the baseline up to the edges of the last emission."""
        written = self._words[_WRITTEN]
        newest = np.arange(max(0, written - self._comparison.most), written) % CAPACITY
        edges = self._ring[newest]
        edges = edges[edges["scan"] == edges["scan"][-1]] if len(edges) else edges
        for tag, before in self._comparison.before.items():
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
