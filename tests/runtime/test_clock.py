"""The grid: nothing drifts, nothing is caught up in a burst, nothing is lost from the count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import clock
from runtime.clock import GridClock


class Machine:
    """A machine whose sleep is as late, or as early, as the test wants."""

    def __init__(self, jitters: list[float]) -> None:
        self.now = 50.0
        self.jitters = iter(jitters)

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1.8e9

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds + next(self.jitters, 0.0), 1e-9)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine([])
    monkeypatch.setattr(clock, "time", machine)
    return machine


def test_the_grid_does_not_drift_when_every_wake_up_is_late(at: Machine) -> None:
    at.jitters = iter([0.003] * 1000)
    grid = GridClock(0.1)
    for _ in range(1000):
        lateness, skipped = grid.wait()
        assert lateness == pytest.approx(0.003)
        assert skipped == 0
    assert at.now == pytest.approx(50.0 + 100.0 + 0.003)


def test_an_early_wake_up_waits_for_its_place_and_skips_nothing(at: Machine) -> None:
    at.jitters = iter([-0.01, 0.0, -0.01, 0.0])
    grid = GridClock(0.1)
    for count in (1, 2):
        assert grid.wait()[1] == 0
        assert at.now == pytest.approx(50.0 + 0.1 * count)


def test_missed_periods_are_counted_and_skipped_and_never_caught_up(at: Machine) -> None:
    grid = GridClock(0.1)
    at.now += 0.73
    _, skipped = grid.wait()
    assert skipped == 6
    before = at.now
    lateness, skipped = grid.wait()
    assert lateness == pytest.approx(0.0, abs=1e-9)
    assert skipped == 0
    assert at.now - before > 0.05


@given(st.lists(st.floats(0.0, 5.0), max_size=30))
def test_scans_and_skipped_periods_add_up_to_the_time_that_passed(executions: list[float]) -> None:
    machine = Machine([])
    patch = pytest.MonkeyPatch()
    patch.setattr(clock, "time", machine)
    try:
        grid = GridClock(0.1)
        periods = 0
        for execution in executions:
            machine.now += execution
            _, skipped = grid.wait()
            periods += 1 + skipped
        assert machine.now == pytest.approx(50.0 + 0.1 * periods, abs=0.1 + 1e-6)
    finally:
        patch.undo()
