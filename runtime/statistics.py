"""Statistics of the scan, kept as tags: last, least, mean, greatest, histograms, each block."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import compiled, prepared
from runtime.layout import BUCKETS, Columns
from runtime.tag import Tag
from runtime.tags import Block, Bucket, System


class Series(NamedTuple):
    """One quantity in s: its last, least, mean and greatest value, and its histogram.

    Row i of the histogram counts values below 2^i µs that no earlier row counts; the last row
    counts all that are longer.
    """

    last: NDArray[Any]
    least: NDArray[Any]
    mean: NDArray[Any]
    greatest: NDArray[Any]
    buckets: NDArray[Any]


class Tally(NamedTuple):
    """What is counted of the scans."""

    samples: NDArray[Any]
    overruns: NDArray[Any]
    skipped: NDArray[Any]
    execution: Series
    lateness: Series
    interval: Series
    block_last: NDArray[Any]
    block_total: NDArray[Any]
    block_max: NDArray[Any]


def _series(columns: Columns, name: str, bucket: Tag) -> Series:
    return Series(
        last=columns[System.tag(name)],
        least=columns[System.tag(f"{name}Min")],
        mean=columns[System.tag(f"{name}Mean")],
        greatest=columns[System.tag(f"{name}Max")],
        buckets=columns[bucket],
    )


class Statistics:
    """How the scan keeps its time. `spent` is where the scan says what each block took, in s."""

    def __init__(self, columns: Columns, period: float, blocks: int) -> None:
        self.spent = np.zeros(blocks)
        self._period = period
        self._tally = Tally(
            samples=columns[System.Samples],
            overruns=columns[System.Overruns],
            skipped=columns[System.Skipped],
            execution=_series(columns, "Execution", Bucket.Execution),
            lateness=_series(columns, "Lateness", Bucket.Lateness),
            interval=_series(columns, "Interval", Bucket.Interval),
            block_last=columns[Block.Execution],
            block_total=columns[Block.Total],
            block_max=columns[Block.ExecutionMax],
        )
        self._count = prepared(_count, (self._tally, self.spent, 0.0, 0.0, 0.0, 0, period))
        self._reset = prepared(_reset, (self._tally,))

    def count(self, execution: float, lateness: float, interval: float, skipped: int) -> None:
        """Take the previous scan's execution, and this scan's lateness and interval, in s."""
        self._count(self._tally, self.spent, execution, lateness, interval, skipped, self._period)

    def reset(self) -> None:
        """Begin anew. The counts of overruns and skipped periods begin anew too."""
        self._reset(self._tally)


@compiled
def _add(series: Series, value: float, spread: float, sample: int) -> None:
    """Take the value of sample number `sample`, and its spread into the histogram."""
    series.last[0] = value
    if sample == 1 or value < series.least[0]:
        series.least[0] = value
    if sample == 1 or value > series.greatest[0]:
        series.greatest[0] = value
    series.mean[0] += (value - series.mean[0]) / sample
    row, rest = 0, int(spread * 1e6)
    while rest > 0 and row < BUCKETS - 1:
        row += 1
        rest //= 2
    series.buckets[row] += 1


@compiled
def _count(
    tally: Tally,
    spent: NDArray[np.float64],
    execution: float,
    lateness: float,
    interval: float,
    skipped: int,
    period: float,
) -> None:
    tally.samples[0] += 1
    sample = int(tally.samples[0])
    late = lateness if lateness > 0.0 else 0.0
    _add(tally.execution, execution, execution, sample)
    _add(tally.lateness, late, late, sample)
    _add(tally.interval, interval, abs(interval - period), sample)
    if execution > period:
        tally.overruns[0] += 1
    tally.skipped[0] += skipped
    for block in range(len(spent)):
        tally.block_last[block] = spent[block]
        tally.block_total[block] += spent[block]
        if spent[block] > tally.block_max[block]:
            tally.block_max[block] = spent[block]


@compiled
def _reset_series(series: Series) -> None:
    series.least[0] = series.mean[0] = series.greatest[0] = 0.0
    series.buckets[:] = 0


@compiled
def _reset(tally: Tally) -> None:
    _reset_series(tally.execution)
    _reset_series(tally.lateness)
    _reset_series(tally.interval)
    tally.samples[0] = tally.overruns[0] = tally.skipped[0] = 0
    tally.block_total[:] = 0.0
    tally.block_max[:] = 0.0
