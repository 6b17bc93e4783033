"""The median: of odd and even numbers, of many that are the same, and of orders made to be slow."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.median import median

LEVELS = st.floats(-20.0, 30.0) | st.sampled_from((0.0, 1.0, 1.5))


@settings(deadline=None)
@given(st.lists(LEVELS, min_size=1, max_size=60))
def test_the_median_is_what_statistics_say(levels: list[float]) -> None:
    assert median(np.array(levels), 0, len(levels)) == statistics.median(levels)


@settings(deadline=None)
@given(st.lists(LEVELS), st.lists(LEVELS, min_size=1), st.lists(LEVELS))
def test_others_before_and_after_count_for_nothing_and_stay(
    before: list[float], levels: list[float], after: list[float]
) -> None:
    values = np.array([*before, *levels, *after])
    first, end = len(before), len(before) + len(levels)
    assert median(values, first, end) == statistics.median(levels)
    assert values[:first].tolist() == before
    assert sorted(values[first:end]) == sorted(levels)
    assert values[end:].tolist() == after


@pytest.mark.parametrize(
    "levels",
    [
        np.arange(10_001.0),
        np.arange(10_001.0)[::-1],
        np.ones(10_001),
        np.concatenate((np.arange(0.0, 10_001.0, 2.0), np.arange(9_999.0, 0.0, -2.0))),
        np.arange(10_001.0) % 7,
    ],
    ids=["rising", "falling", "same", "up and down", "saw"],
)
def test_thousands_of_levels_in_any_order_have_one_too(levels: np.ndarray) -> None:
    middle = float(np.sort(levels)[5_000])
    assert median(levels.copy(), 0, 10_001) == middle
