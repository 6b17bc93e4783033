"""A pump's curve: five nodes, straight lines between, and nothing made up beyond what is known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.curve import OUTSIDE, at, place, speed_for

LOW, HIGH = 30.0, 50.0  # Hz: nodes at 30, 35, 40, 45, 50
CURVE = (4.0, 8.0, 14.0, 24.0, 40.0)
speeds = st.floats(LOW, HIGH)
rising = st.lists(st.floats(0.01, 1000.0), min_size=5, max_size=5, unique=True).map(sorted)


@pytest.mark.parametrize(
    ("speed", "value"), [(30, 4), (32.5, 6), (35, 8), (37.5, 11), (42, 18), (47.5, 32), (50, 40)]
)
def test_between_nodes_lies_a_straight_line(speed: float, value: float) -> None:
    assert at(speed, LOW, HIGH, *CURVE) == pytest.approx(value)
    assert speed_for(value, LOW, HIGH, *CURVE) == pytest.approx(speed)


@pytest.mark.parametrize("speed", [29.51, 50.49])
def test_a_speed_measured_a_little_outside_counts_as_the_end(speed: float) -> None:
    assert at(speed, LOW, HIGH, *CURVE) in (CURVE[0], CURVE[-1])


@pytest.mark.parametrize("speed", [0.0, 29.4, 50.6, math.nan, math.inf, -math.inf])
def test_far_outside_nothing_is_known(speed: float) -> None:
    assert place(speed, LOW, HIGH) == OUTSIDE
    assert at(speed, LOW, HIGH, *CURVE) == 0.0


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 0.0), (50.0, 50.0), (50.0, 30.0), (math.nan, 50.0)]
)
def test_without_a_range_of_speeds_nothing_is_known(low: float, high: float) -> None:
    assert at(50.0, low, high, *CURVE) == 0.0
    assert speed_for(10.0, low, high, *CURVE) == 0.0


@pytest.mark.parametrize("missing", range(5))
def test_a_node_that_is_not_learned_leaves_its_two_sides_unknown(missing: int) -> None:
    curve = [0.0 if node == missing else value for node, value in enumerate(CURVE)]
    for node in range(5):
        expected = curve[node]
        assert at(LOW + 5.0 * node, LOW, HIGH, *curve) == expected
    for left in range(4):
        middle = (CURVE[left] + CURVE[left + 1]) / 2.0
        known = missing not in (left, left + 1)
        assert (at(LOW + 5.0 * left + 2.5, LOW, HIGH, *curve) > 0.0) == known
        assert (speed_for(middle, LOW, HIGH, *curve) > 0.0) == known


def test_beyond_what_the_pump_can_do_stands_its_lowest_or_highest_speed() -> None:
    assert speed_for(1.0, LOW, HIGH, *CURVE) == LOW
    assert speed_for(1e308, LOW, HIGH, *CURVE) == HIGH
    assert speed_for(1.0, LOW, HIGH, 0.0, *CURVE[1:]) == 0.0
    assert speed_for(1e308, LOW, HIGH, *CURVE[:4], 0.0) == 0.0


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, -math.inf])
def test_no_speed_is_known_for_no_value(value: float) -> None:
    assert speed_for(value, LOW, HIGH, *CURVE) == 0.0


def test_on_a_flat_stretch_the_lowest_speed_serves() -> None:
    assert speed_for(8.0, LOW, HIGH, 4.0, 8.0, 8.0, 24.0, 40.0) == 35.0
    assert speed_for(8.0, LOW, HIGH, 0.0, 8.0, 8.0, 24.0, 40.0) == 35.0


def test_a_falling_stretch_is_passed_over() -> None:
    assert speed_for(9.0, LOW, HIGH, 4.0, 10.0, 8.0, 24.0, 40.0) == pytest.approx(34.1667, abs=1e-4)
    assert speed_for(16.0, LOW, HIGH, 4.0, 10.0, 8.0, 24.0, 40.0) == 42.5


@given(curve=rising, speed=speeds)
def test_going_there_and_back_arrives_at_the_same_value(curve: list[float], speed: float) -> None:
    value = at(speed, LOW, HIGH, *curve)
    back = speed_for(value, LOW, HIGH, *curve)
    assert LOW <= back <= HIGH
    assert at(back, LOW, HIGH, *curve) == pytest.approx(value, rel=1e-9)


@given(
    value=st.floats(allow_nan=True),
    curve=st.tuples(*[st.floats(0.0, 5000.0)] * 5),
)
def test_a_speed_is_one_of_the_curve_or_none(value: float, curve: tuple[float, ...]) -> None:
    speed = speed_for(value, LOW, HIGH, *curve)
    assert speed == 0.0 or LOW <= speed <= HIGH
