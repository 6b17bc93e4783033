"""One block by itself: a test sets its inputs by hand, executes it, and looks at what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blocks.block import Block
from runtime.layout import Capacity, Columns, Layout
from runtime.tag import Tag
from runtime.tags import Pump, Station, System

START = 1000.0  # s on the scan clock


class Alone:
    """A block over two stations of two pumps each, unless `station_of` says otherwise.

    All are in use; everything else is 0 until the test sets it.
    """

    def __init__(
        self,
        kind: type[Block],
        period: float = 1.0,
        station_of: Sequence[int] = (0, 0, 1, 1),
        **settings: float | str,
    ) -> None:
        capacity = Capacity(stations=max(station_of) + 1, pumps=len(station_of))
        self.columns = Columns(Layout(capacity))
        self.period = period
        self[Station.Configured][:] = True
        self[Pump.Configured][:] = True
        self[Pump.Station][:] = station_of
        self[System.Now][0] = START
        self[System.Elapsed][0] = period
        self.block = kind(self.columns, **settings)

    def __getitem__(self, tag: Tag) -> Any:
        return self.columns[tag]

    @property
    def now(self) -> float:
        return self.columns.value(System.Now)

    def step(self, count: int = 1) -> None:
        """Scans, each a period after the one before."""
        for _ in range(count):
            self[System.Now][0] += self.period
            self.block.execute()
