"""Tags laid out in one arena of memory: a column for each tag, a row for each pump or station.

    [ seal | parameters | inputs | memory and outputs ]

The first three parts are what the database process writes (the INPUTS region); the whole is what
the scan publishes (the IMAGE region). The seal is a digest of the parameters, which are a quarter
of all and seldom change: they are copied only to where the seal is another.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.tag import Area, Table, Tag
from runtime.tags import ANNUNCIATIONS_KEPT, STARTS_KEPT, TAGS

Column = NDArray[np.generic]

SEAL = 8  # bytes
ALIGNMENT = 64  # a cache line, so that no two columns share one
HUGE_PAGE = 2 << 20  # bytes
REQUESTS = 1024
BUCKETS = 32
BLOCKS = 32


class Room(Protocol):
    """The settings that say how much room there is."""

    @property
    def stations(self) -> int: ...

    @property
    def pumps(self) -> int: ...


@dataclass(frozen=True)
class Capacity:
    """How many rows the station and pump tables have."""

    stations: int = 250
    pumps: int = 1000

    @classmethod
    def of(cls, room: Room) -> Capacity:
        return cls(room.stations, room.pumps)

    def rows(self, table: str) -> int:
        return {
            "System": 1,
            "Station": self.stations,
            "Pump": self.pumps,
            "Start": self.pumps * STARTS_KEPT,
            "Annunciation": ANNUNCIATIONS_KEPT,
            "Request": REQUESTS,
            "Bucket": BUCKETS,
            "Block": BLOCKS,
        }[table]


def is_input(tag: Tag) -> bool:
    """Whether the database process writes this tag."""
    return tag.area in (Area.INPUT, Area.PARAMETER)


class Layout:
    """Offsets of all columns for a capacity.

    The lengths in bytes: `parameters` with the seal, `inputs` with those, `size` of all.
    """

    def __init__(self, capacity: Capacity) -> None:
        self.capacity = capacity
        self.offsets: dict[Tag, int] = {}
        parameters = (tag for tag in TAGS if tag.area is Area.PARAMETER)
        self.parameters = self._place(parameters, ALIGNMENT)
        inputs = (tag for tag in TAGS if tag.area is Area.INPUT)
        self.inputs = self._place(inputs, self.parameters)
        self.size = self._place((tag for tag in TAGS if not is_input(tag)), self.inputs)

    def _place(self, tags: Iterable[Tag], offset: int) -> int:
        for tag in tags:
            self.offsets[tag] = offset
            length = self.capacity.rows(tag.table) * np.dtype(tag.dtype).itemsize
            offset += -(-length // ALIGNMENT) * ALIGNMENT
        return offset

    @cached_property
    def hash(self) -> int:
        """64 bits that differ whenever two processes would read the same memory differently."""
        text = ";".join(
            f"{tag!r}:{tag.dtype}:{offset}:{self.capacity.rows(tag.table)}"
            for tag, offset in self.offsets.items()
        )
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


class Columns:
    """The columns of an arena: `columns[Pump.Setpoint]` is its array, one element for each row."""

    def __init__(self, layout: Layout, arena: NDArray[np.uint8] | None = None) -> None:
        self.layout = layout
        self.arena = _zeroed(layout.size) if arena is None else arena
        self._columns: dict[Tag, Column] = {}
        for tag, offset in layout.offsets.items():
            dtype = np.dtype(tag.dtype)
            end = offset + layout.capacity.rows(tag.table) * dtype.itemsize
            if end <= len(self.arena):
                self._columns[tag] = self.arena[offset:end].view(dtype)

    def __getitem__(self, tag: Tag) -> NDArray[np.generic]:
        return self._columns[tag]

    def seal(self) -> None:
        """Say what the parameters are now. Whoever publishes them seals them first."""
        parameters = self.arena[ALIGNMENT : self.layout.parameters]
        digest = hashlib.blake2b(parameters.data, digest_size=SEAL).digest()
        self.arena[:SEAL] = np.frombuffer(digest, np.uint8)

    def rows(self, table: type[Table]) -> int:
        return self.layout.capacity.rows(table.__name__)

    def value(self, tag: Tag, slot: int = 0) -> float:
        """One element as a plain number."""
        return float(self._columns[tag].item(slot))


def _zeroed(size: int) -> NDArray[np.uint8]:
    """New memory, on huge pages where it nearly fills one.

    A law walks through fifty columns at once: on common pages that is more than the processor keeps
    the addresses of. Where the kernel has no huge pages, common ones do.
    """
    if size < HUGE_PAGE // 2:
        return np.zeros(size, np.uint8)
    length = -(-size // HUGE_PAGE) * HUGE_PAGE
    mapped = mmap.mmap(-1, length + HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):
        mapped.madvise(mmap.MADV_HUGEPAGE)
    memory = np.frombuffer(mapped, np.uint8)
    return memory[-memory.ctypes.data % HUGE_PAGE :][:size]
