"""The median of a few numbers out of many, without sorting them all."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from blocks.arithmetic import larger
from runtime.compiled import compiled

Values: TypeAlias = NDArray[np.float64]


@compiled
def median(values: Values, first: int, end: int) -> float:
    """The middle one of those from `first` to before `end`; of an even number, the mean of two.

    There is at least one, and none is NaN. They change places.
    """
    place = first + (end - first) // 2
    upper = _find(values, first, end - 1, place)
    if (end - first) % 2:
        return upper
    lower = float(values[first])
    for other in range(first + 1, place):
        lower = larger(lower, values[other])
    return (lower + upper) / 2.0


@compiled
def _find(values: Values, first: int, last: int, place: int) -> float:
    """The value that stands at `place` once all from `first` to `last` are sorted.

    None before it is then greater, none after it less (C. A. R. Hoare, Algorithm 65, CACM 4, 1961).
    """
    while first < last:
        middle = values[place]
        low, high = first, last
        while low <= high:
            while values[low] < middle:
                low += 1
            while values[high] > middle:
                high -= 1
            if low <= high:
                values[low], values[high] = values[high], values[low]
                low += 1
                high -= 1
        if high < place:
            first = low
        if low > place:
            last = high
    return float(values[place])
