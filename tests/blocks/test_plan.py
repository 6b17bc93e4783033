"""Plan: which interval says what to do in this scan, and what exactly it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.plan import Plan
from runtime.tag import Tag
from runtime.tags import Pump
from tests.blocks.alone import START, Alone

TARGETS: dict[Tag, tuple[Tag, Tag]] = {
    Pump.TargetSpeed: (Pump.PlanSpeed, Pump.NextSpeed),
    Pump.TargetLevel: (Pump.PlanLevel, Pump.NextLevel),
    Pump.TargetPower: (Pump.PlanPower, Pump.NextPower),
    Pump.TargetFlow: (Pump.PlanFlow, Pump.NextFlow),
}
KINDS = (Pump.TargetSpeed, Pump.TargetLevel, Pump.TargetPower)  # by control type


class Planned(Alone):
    """Pumps whose plan asks for 30 now and for 40 next, of everything."""

    def __init__(
        self, current: tuple[float, float], following: tuple[float, float], bridge: float = 0.0
    ) -> None:
        super().__init__(Plan, bridge=bridge)
        self[Pump.PlanStart][:], self[Pump.PlanEnd][:] = START + current[0], START + current[1]
        self[Pump.NextStart][:], self[Pump.NextEnd][:] = START + following[0], START + following[1]
        for now, later in TARGETS.values():
            self[now][:], self[later][:] = 20.0, 29.0

    def course(self, scans: int) -> list[float]:
        """What the plan asks for in these scans; 0 where it asks for nothing."""
        asked = []
        for _ in range(scans):
            self.step()
            assert (self[Pump.PlanActive] == (self[Pump.TargetSpeed] > 0.0)).all()
            asked.append(float(self[Pump.TargetSpeed][0]))
        return asked


NEVER = (0.0, 0.0)


def test_an_interval_is_in_force_from_its_start_until_before_its_end() -> None:
    assert Planned((2.0, 4.0), NEVER).course(5) == [0.0, 20.0, 20.0, 0.0, 0.0]


def test_the_next_interval_takes_over_in_the_scan_that_it_is_due() -> None:
    assert Planned((1.0, 3.0), (3.0, 5.0)).course(6) == [20.0, 20.0, 29.0, 29.0, 0.0, 0.0]


def test_where_both_cover_the_scan_the_current_one_counts() -> None:
    assert Planned((1.0, 4.0), (2.0, 5.0)).course(5) == [20.0, 20.0, 20.0, 29.0, 0.0]


def test_between_two_intervals_nothing_is_asked_for() -> None:
    assert Planned((1.0, 2.0), (4.0, 5.0)).course(5) == [20.0, 0.0, 0.0, 29.0, 0.0]


@pytest.mark.parametrize("interval", [(3.0, 3.0), (4.0, 2.0), (math.nan, 9.0), (1.0, math.nan)])
def test_an_interval_that_does_not_start_before_its_end_is_none(
    interval: tuple[float, float],
) -> None:
    assert Planned(interval, NEVER, bridge=60.0).course(5) == [0.0] * 5
    assert Planned(NEVER, interval, bridge=60.0).course(5) == [0.0] * 5


def test_a_bridge_goes_on_with_the_last_interval_for_a_while() -> None:
    assert Planned((1.0, 3.0), NEVER, bridge=2.0).course(5) == [20.0, 20.0, 20.0, 20.0, 0.0]
    assert Planned(NEVER, (1.0, 3.0), bridge=2.0).course(5) == [29.0, 29.0, 29.0, 29.0, 0.0]


def test_a_bridge_ends_where_another_interval_begins() -> None:
    course = Planned((1.0, 2.0), (4.0, 5.0), bridge=60.0).course(6)
    assert course == [20.0, 20.0, 20.0, 29.0, 29.0, 29.0]


@pytest.mark.parametrize(
    ("current", "following", "asked"),
    [((0.0, 2.0), (0.0, 3.0), 29.0), ((0.0, 3.0), (0.0, 2.0), 20.0), ((0.0, 3.0),) * 2 + (20.0,)],
)
def test_of_two_intervals_that_have_ended_the_one_that_ended_last_goes_on(
    current: tuple[float, float], following: tuple[float, float], asked: float
) -> None:
    assert Planned(current, following, bridge=60.0).course(5)[3:] == [asked, asked]


def test_a_bridge_over_a_gap_does_not_begin_before_its_interval() -> None:
    assert Planned(NEVER, (3.0, 4.0), bridge=60.0).course(4) == [0.0, 0.0, 29.0, 29.0]


@pytest.mark.parametrize("control_type", range(3))
@pytest.mark.parametrize("missing", [math.nan, math.inf, -math.inf])
def test_a_plan_without_the_target_that_its_pump_needs_is_none(
    control_type: int, missing: float
) -> None:
    plan = Planned((0.0, 9.0), NEVER)
    plan[Pump.ControlType][:] = control_type
    for slot, target in enumerate(KINDS):
        plan[TARGETS[target][0]][slot] = missing
    plan.step()
    active = [slot != control_type for slot in range(4)]
    assert plan[Pump.PlanActive].tolist() == active
    assert [plan[target][slot] for slot, target in enumerate(KINDS)] == [0.0] * 3


def test_a_pump_of_no_known_control_type_has_no_plan() -> None:
    plan = Planned((0.0, 9.0), NEVER)
    plan[Pump.ControlType][:] = 3
    plan.step()
    assert not plan[Pump.PlanActive].any()


def test_a_retired_pump_has_no_plan() -> None:
    plan = Planned((0.0, 9.0), NEVER)
    plan[Pump.Configured][1] = False
    plan.step()
    assert plan[Pump.PlanActive].tolist() == [True, False, True, True]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_target_is_held_within_the_range_of_its_tag(target: Tag) -> None:
    plan = Planned((0.0, 9.0), NEVER)
    plan[TARGETS[target][0]][:] = [1e308, -1e308, target.low, target.high]
    plan.step()
    assert plan[target].tolist() == [target.high, target.low, target.low, target.high]


WHATEVER = st.floats() | st.floats(START - 9.0, START + 9.0)


@settings(deadline=None)
@given(st.lists(WHATEVER, min_size=12, max_size=12), st.integers(0, 255), st.floats(0.0, 3600.0))
def test_whatever_a_plan_says_its_targets_are_numbers_within_their_range(
    values: list[float], control_type: int, bridge: float
) -> None:
    plan = Planned(NEVER, NEVER, bridge)
    times = (Pump.PlanStart, Pump.PlanEnd, Pump.NextStart, Pump.NextEnd)
    asked = (tag for pair in TARGETS.values() for tag in pair)
    for tag, value in zip((*times, *asked), values, strict=True):
        plan[tag][:] = value
    plan[Pump.ControlType][:] = control_type
    plan.step()
    for target in TARGETS:
        assert np.isfinite(plan[target]).all()
        assert target.low <= plan[target][0] <= target.high
