"""Statistics of the scan, kept as tags: last, least, mean, greatest, histograms, each block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.layout import BUCKETS, Columns
from runtime.tag import Tag
from runtime.tags import Block, Bucket, System


class Series:
    """One quantity in s: its last, least, mean and greatest value, and its histogram.

    Row i of the histogram counts values below 2^i µs that no earlier row counts; the last row
    counts all that are longer.
    """

    def __init__(self, columns: Columns, name: str, bucket: Tag) -> None:
        self._last: NDArray[Any] = columns[System.tag(name)]
        self._min: NDArray[Any] = columns[System.tag(f"{name}Min")]
        self._mean: NDArray[Any] = columns[System.tag(f"{name}Mean")]
        self._max: NDArray[Any] = columns[System.tag(f"{name}Max")]
        self._buckets: NDArray[Any] = columns[bucket]

    def add(self, value: float, sample: int, spread: float | None = None) -> None:
        """Take the value of sample number `sample`; the histogram takes `spread` if given."""
        self._last[0] = value
        if sample == 1 or value < self._min[0]:
            self._min[0] = value
        if sample == 1 or value > self._max[0]:
            self._max[0] = value
        mean = self._mean[0]
        self._mean[0] = mean + (value - mean) / sample
        row = int((value if spread is None else spread) * 1e6).bit_length()
        self._buckets[min(row, BUCKETS - 1)] += 1

    def reset(self) -> None:
        for column in (self._min, self._mean, self._max):
            column[0] = 0.0
        self._buckets.fill(0)


class Statistics:
    """How the scan keeps its time."""

    def __init__(self, columns: Columns, period: float, blocks: int) -> None:
        self._period = period
        self.execution = Series(columns, "Execution", Bucket.Execution)
        self.lateness = Series(columns, "Lateness", Bucket.Lateness)
        self.interval = Series(columns, "Interval", Bucket.Interval)
        self._samples: NDArray[Any] = columns[System.Samples]
        self._overruns: NDArray[Any] = columns[System.Overruns]
        self._skipped: NDArray[Any] = columns[System.Skipped]
        self._block_last: NDArray[Any] = columns[Block.Execution][:blocks]
        self._block_total: NDArray[Any] = columns[Block.Total][:blocks]
        self._block_max: NDArray[Any] = columns[Block.ExecutionMax][:blocks]

    def count(
        self, execution: float, lateness: float, interval: float, skipped: int, blocks: list[float]
    ) -> None:
        """Take the previous scan's execution, and this scan's lateness and interval, in s."""
        self._samples[0] += 1
        sample = int(self._samples[0])
        self.execution.add(execution, sample)
        self.lateness.add(max(lateness, 0.0), sample)
        self.interval.add(interval, sample, abs(interval - self._period))
        if execution > self._period:
            self._overruns[0] += 1
        self._skipped[0] += skipped
        self._block_last[:] = blocks
        self._block_total += self._block_last
        np.maximum(self._block_max, self._block_last, out=self._block_max)

    def reset(self) -> None:
        """Begin anew. The counts of overruns and skipped periods begin anew too."""
        for series in (self.execution, self.lateness, self.interval):
            series.reset()
        for column in (self._samples, self._overruns, self._skipped):
            column[0] = 0
        self._block_total.fill(0.0)
        self._block_max.fill(0.0)
