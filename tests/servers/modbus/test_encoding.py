"""Values as registers: rounding must not carry a setpoint over its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.registers import COUNTS, NO_COUNT, SCALED, Point, View
from runtime.servers.modbus.encoding import DTYPES, encode
from runtime.tag import Tag
from runtime.tags import Pump, System

speeds = st.floats(0.0, 100.0, allow_subnormal=False)


def shown(tag: Tag, view: View, value: float, *limits: float) -> float:
    """`value` as a client sees it: encoded, put on the wire, taken off it."""
    point = Point(tag, view, SCALED if view is View.SCALED else 0)
    bounds = [np.array([limit]) for limit in limits]
    encoded = encode(point, np.array([value]), bounds)
    if view is View.FLOAT:
        return float(encoded[0])
    return point.value(encoded.astype(DTYPES[view]).tobytes())


@pytest.mark.parametrize("view", [View.FLOAT, View.SCALED])
@given(st.tuples(speeds, speeds, speeds).map(sorted))
@example([0.85, 0.85, 0.9])  # float32 0.85 is above 0.85
@example([0.8, 0.85, 0.85])
@example([0.29, 0.29, 0.3])  # 0.29 / 0.01 is below 29
@example([49.996, 49.996, 50.0])  # the nearest count is 50.00
@example([20.0, 49.996, 49.996])
def test_a_setpoint_within_its_limits_is_within_them_on_the_wire(
    view: View, ordered: list[float]
) -> None:
    low, value, high = ordered
    seen = shown(Pump.Setpoint, view, value, low, high)
    if value == 0:
        assert seen == 0
        return
    assert seen <= high
    room = 0.01 if view is View.SCALED else float(np.spacing(np.float32(high)))
    if high - low >= room:  # else there may be nothing between them that can be encoded
        assert seen >= low
    assert abs(seen - value) <= room


@given(speeds, speeds)
def test_a_stopped_pump_is_stopped_on_the_wire(low: float, high: float) -> None:
    assert shown(Pump.Setpoint, View.FLOAT, 0.0, low, high) == 0
    assert shown(Pump.Setpoint, View.SCALED, 0.0, low, high) == 0


@given(st.floats(-1e30, 1e30))
def test_a_float_is_the_nearest_float32(value: float) -> None:
    assert np.float32(shown(Pump.Speed, View.FLOAT, value)) == np.float32(value)


@pytest.mark.parametrize(
    ("tag", "value", "count"),
    [
        (Pump.Speed, 49.994, 4999),
        (Pump.Level, -1.2346, -1235),
        (Pump.Flow, 40_000.0, COUNTS),
        (Pump.Flow, -40_000.0, -COUNTS),
        (Pump.Flow, math.inf, COUNTS),
        (Pump.Speed, math.nan, NO_COUNT),
        (System.Scan, 1 << 40, COUNTS),
    ],
)
def test_counts_saturate_and_say_when_there_is_no_value(tag: Tag, value: float, count: int) -> None:
    encoded = encode(Point(tag, View.SCALED, SCALED), np.array([value], tag.dtype))
    assert encoded.tolist() == [count]


def test_not_a_number_stays_so_whatever_the_limits() -> None:
    assert math.isnan(shown(Pump.Setpoint, View.FLOAT, math.nan, 20.0, 50.0))
    assert math.isnan(shown(Pump.Setpoint, View.SCALED, math.nan, 20.0, 50.0))


def test_a_long_counter_shows_its_low_32_bits() -> None:
    point = Point(System.Scan, View.WHOLE, 0)
    encoded = encode(point, np.array([(1 << 32) + 5], np.uint64))
    assert encoded.astype(DTYPES[View.WHOLE]).tolist() == [5]
