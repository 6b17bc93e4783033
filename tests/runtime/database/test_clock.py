"""Times of the database on the clock of the scan, also when the database's clock is set."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.database.clock import DatabaseClock
from runtime.database.feedback import MeasuredTimes

WALL = 1_900_000_000.0
PUMPS = np.array([1, 2], np.int32)


def at(clock: DatabaseClock, scan: float, wall: float) -> bool:
    return clock.observe(scan, wall, scan)


def test_a_clock_set_back_an_hour_is_a_step_and_counted() -> None:
    clock = DatabaseClock()
    assert not at(clock, 100.0, WALL)
    assert at(clock, 101.0, WALL + 1 - 3600)
    assert clock.steps == 1
    assert clock.difference == pytest.approx(WALL - 3700)


def test_drift_is_followed_and_no_step() -> None:
    clock = DatabaseClock()
    for second in range(1000):
        at(clock, second, WALL + second * 1.0001)
    assert clock.steps == 0
    assert clock.difference == pytest.approx(WALL + 0.1, abs=0.01)


def test_a_slow_answer_is_no_step() -> None:
    clock = DatabaseClock()
    at(clock, 100.0, WALL)
    assert not clock.observe(101.0, WALL + 1, 105.0)
    assert clock.steps == 0


def test_a_measurement_keeps_its_time_when_the_clock_is_set_back() -> None:
    clock, times = DatabaseClock(), MeasuredTimes()
    measured = np.array([WALL - 1, WALL - 2])
    at(clock, 100.0, WALL)
    before = times.on_scan_clock(PUMPS, measured, clock)
    at(clock, 101.0, WALL + 1 - 3600)
    np.testing.assert_array_equal(times.on_scan_clock(PUMPS, measured, clock), before)


def test_a_measurement_of_the_new_time_is_as_young_as_it_is() -> None:
    clock, times = DatabaseClock(), MeasuredTimes()
    at(clock, 100.0, WALL)
    times.on_scan_clock(PUMPS, np.array([WALL - 1, WALL - 1]), clock)
    at(clock, 101.0, WALL + 1 - 3600)
    found = times.on_scan_clock(PUMPS, np.array([WALL - 3600, WALL - 1]), clock)
    np.testing.assert_allclose(found, [100.0, 99.0])


def test_a_pump_whose_feedback_begins_later_disturbs_no_other() -> None:
    clock, times = DatabaseClock(), MeasuredTimes()
    at(clock, 100.0, WALL)
    times.on_scan_clock(np.array([2], np.int32), np.array([WALL - 2]), clock)
    at(clock, 101.0, WALL + 1 + 3600)
    found = times.on_scan_clock(PUMPS, np.array([WALL + 3601, WALL - 2]), clock)
    np.testing.assert_allclose(found, [101.0, 98.0])
