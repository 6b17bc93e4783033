"""Which plan holds, which comes next: against a plain search through all rows."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runtime.database.schedule import Interval, Rows, Schedule

Plan = tuple[int, int, int, int]  # pump, version, start, duration


def schedule(plans: list[Plan]) -> Schedule:
    pump, version, start, duration = (np.array(column) for column in zip(*plans, strict=True))
    return Schedule(
        Rows(
            np.arange(len(plans)),
            pump,
            version,
            start.astype(float),
            (start + duration).astype(float),
            np.vstack([np.arange(len(plans), dtype=float)] * 4),
        )
    )


def winner(plans: list[Plan], pump: int, when: float) -> int | None:
    """The number of the plan of the highest version that covers the moment."""
    covering = [
        (version, number)
        for number, (of, version, start, duration) in enumerate(plans)
        if of == pump and start <= when < start + duration
    ]
    return max(covering)[1] if covering else None


def course(plans: list[Plan], pump: int, now: float) -> list[tuple[float, float, int | None]]:
    """From now on: (from, to, plan), moment by moment, equal neighbours joined."""
    edges = {now} | {
        edge
        for of, _, start, duration in plans
        for edge in (start, start + duration)
        if of == pump and edge > now
    }
    times = sorted(edges)
    found: list[tuple[float, float, int | None]] = []
    for begin, end in zip(times, [*times[1:], math.inf], strict=True):
        plan = winner(plans, pump, begin)
        if found and found[-1][2] == plan:
            found[-1] = (found[-1][0], end, plan)
        else:
            found.append((begin, end, plan))
    return found


def taken(interval: Interval, row: int) -> tuple[float, float, float]:
    return float(interval.start[row]), float(interval.end[row]), float(interval.targets[0, row])


@st.composite
def plan_lists(draw: st.DrawFn) -> list[Plan]:
    """Plans that the database would take: those of one pump and version don't overlap."""
    plans: list[Plan] = []
    for pump in (3, 5):
        for version in (1, 2, 3):
            begin = 0
            for gap, duration in draw(
                st.lists(st.tuples(st.integers(0, 6), st.integers(1, 8)), max_size=4)
            ):
                plans.append((pump, version, begin + gap, duration))
                begin += gap + duration
    return draw(st.permutations(plans))


@given(plan_lists().filter(bool), st.integers(-1, 40))
def test_current_and_next_are_what_a_search_through_all_rows_finds(
    plans: list[Plan], now: int
) -> None:
    selection = schedule(plans).at(now)
    for row, pump in enumerate(selection.pump_ids):
        ahead = course(plans, int(pump), now)
        _, end, plan = ahead[0]
        if plan is None:
            assert selection.current.end[row] == 0
            assert math.isnan(selection.current.targets[0, row])
        else:
            begin = plans[plan][2]
            assert taken(selection.current, row) == (begin, end, plan)
        later = [step for step in ahead[1:] if step[2] is not None]
        if later:
            assert taken(selection.following, row) == later[0]
        else:
            assert selection.following.end[row] == 0


@given(plan_lists().filter(bool), st.integers(-1, 40), st.integers(0, 40))
def test_a_selection_says_how_long_it_holds(plans: list[Plan], now: int, later: int) -> None:
    whole = schedule(plans)
    first = whole.at(now)
    if first.holds(now + later):
        then = whole.at(now + later)
        np.testing.assert_array_equal(first.current.targets, then.current.targets)
        np.testing.assert_array_equal(first.current.end, then.current.end)


def test_a_higher_version_counts_while_it_lasts_and_then_the_lower_one_goes_on() -> None:
    whole = schedule([(1, 1, 0, 100), (1, 2, 40, 20)])
    at_start, in_between = whole.at(10), whole.at(50)
    assert taken(at_start.current, 0) == (0, 40, 0)
    assert taken(at_start.following, 0) == (40, 60, 1)
    assert taken(in_between.current, 0) == (40, 60, 1)
    assert taken(in_between.following, 0) == (60, 100, 0)


def test_no_plans_give_an_empty_selection_that_holds_for_ever() -> None:
    selection = Schedule().at(5)
    assert len(selection.pump_ids) == 0
    assert selection.holds(1e12)
