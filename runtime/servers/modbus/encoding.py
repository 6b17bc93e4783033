"""Values as Modbus registers: how a column becomes float32, uint32 or counts of a step.

A value that has to stay `within` two others does so in every encoding: rounding to a float32 or to
a count must not carry a setpoint over its limit. Where nothing that can be encoded lies between the
limits, the upper one holds. 0 is stopped, and stays 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.registers import COUNTS, NO_COUNT, Point, View, counts

Values = NDArray[Any]
Limits = Sequence[Values]  # the lower and the upper, or none

DTYPES = {View.BIT: "u1", View.FLOAT: ">f4", View.WHOLE: ">u4", View.SCALED: ">i2"}


def encode(point: Point, values: Values, limits: Limits = ()) -> Values:
    """`values` as numbers of `point`'s type; between the limits, if there are any."""
    if point.view is View.FLOAT:
        return _float32(values, limits)
    if point.view is View.SCALED:
        return _scaled(values, counts(point.tag), limits)
    return values


def _float32(values: Values, limits: Limits) -> Values:
    with np.errstate(over="ignore"):
        near = values.astype(np.float32)
        if not limits:
            return near
        low, high = (limit.astype(np.float32) for limit in limits)
        low = np.where(low < limits[0], np.nextafter(low, np.float32(np.inf)), low)
        high = np.where(high > limits[1], np.nextafter(high, np.float32(-np.inf)), high)
    return np.where(values == 0, np.float32(0), np.clip(near, low, high))


def _scaled(values: Values, per_unit: float, limits: Limits) -> Values:
    near = np.rint(values * per_unit)
    if limits:
        low, high = (np.rint(limit * per_unit) for limit in limits)
        low += low / per_unit < limits[0]
        high -= high / per_unit > limits[1]
        near = np.where(values == 0, 0, np.clip(near, low, high))
    return np.where(np.isnan(near), NO_COUNT, np.clip(near, -COUNTS, COUNTS)).astype(np.int16)
