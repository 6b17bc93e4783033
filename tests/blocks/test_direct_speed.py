"""Direct speed: ramps from where the pump is to where the plan wants it."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from blocks.direct_speed import DirectSpeed
from runtime.tag import Tag
from runtime.tags import Pump
from tests.blocks.alone import Alone
from tests.plc import Plc, obey

LOW, RAMP = 25.0, 0.5
BY_PLAN = 1


@pytest.fixture
def block() -> Alone:
    """Pump 0 runs at 40 Hz by its plan, which may change its speed by 0.5 Hz/s."""
    alone = Alone(DirectSpeed)
    for tag, value in {
        Pump.PlanActive: True,
        Pump.Authority: BY_PLAN,
        Pump.MinSpeed: LOW,
        Pump.MaxSpeed: 50.0,
        Pump.HardMinSpeed: 20.0,
        Pump.HardMaxSpeed: 51.0,
        Pump.DirectRamp: RAMP,
        Pump.TargetSpeed: 40.0,
        Pump.Setpoint: 40.0,
        Pump.DirectDemand: 40.0,
    }.items():
        alone[tag][:] = value
    return alone


def demands(block: Alone, target: float, scans: int) -> list[float]:
    block[Pump.TargetSpeed][:] = target
    found = []
    for _ in range(scans):
        block.step()
        found.append(float(block[Pump.DirectDemand][0]))
    return found


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (41.2, [40.5, 41.0, 41.2, 41.2]),
        (38.9, [39.5, 39.0, 38.9, 38.9]),
        (40.0, [40.0, 40.0, 40.0, 40.0]),
        (99.0, [40.5, 41.0, 41.5, 42.0]),
    ],
)
def test_the_demand_ramps_to_a_new_target_and_stays_there(
    block: Alone, target: float, expected: list[float]
) -> None:
    assert demands(block, target, 4) == pytest.approx(expected, abs=1e-12)


def test_a_ramp_takes_the_same_time_whatever_the_period() -> None:
    for period in (0.01, 0.1, 1.0, 5.0):
        alone = Alone(DirectSpeed, period)
        alone[Pump.DirectRamp][:] = RAMP
        alone[Pump.PlanActive][:] = True
        alone[Pump.Authority][:] = BY_PLAN
        alone[Pump.DirectDemand][:] = 30.0
        assert demands(alone, 60.0, round(10.0 / period))[-1] == pytest.approx(35.0, abs=1e-9)


@pytest.mark.parametrize("target", [0.0, -0.0, -5.0])
def test_a_stop_is_not_ramped_here(block: Alone, target: float) -> None:
    assert demands(block, target, 1) == [0.0]


def test_a_start_begins_at_the_lowest_speed(block: Alone) -> None:
    block[Pump.DirectDemand][:] = block[Pump.Setpoint][:] = 0.0
    assert demands(block, 26.2, 4) == pytest.approx([25.5, 26.0, 26.2, 26.2], abs=1e-12)


@pytest.mark.parametrize("target", [10.0, 0.5])
def test_a_target_below_the_lowest_speed_is_passed_on_as_it_is_and_named_by_the_limits(
    block: Alone, target: float
) -> None:
    block[Pump.DirectDemand][:] = block[Pump.Setpoint][:] = 0.0
    assert demands(block, target, 2) == [target, target]


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Pump.Authority, 2),
        (Pump.PlanActive, False),
        (Pump.ControlType, 1),
        (Pump.DirectDemand, 0.0),
    ],
)
def test_where_its_demand_was_not_in_force_the_ramp_begins_at_the_setpoint_that_was(
    block: Alone, tag: Tag, value: float
) -> None:
    block[Pump.Setpoint][:] = 33.0
    block[tag][:] = value
    assert demands(block, 40.0, 1) == [33.5]


def test_a_demand_is_a_number_whatever_the_setpoint_is(block: Alone) -> None:
    for setpoint in (0.0, 5e-324, 100.0):
        block[Pump.Setpoint][:] = setpoint
        block[Pump.Authority][:] = 0
        assert all(math.isfinite(demand) for demand in demands(block, 40.0, 3))


@pytest.fixture
def plc() -> Plc:
    plc = Plc(period=1.0)
    plc.before_scan = obey
    plc[Pump.MaxSpeedChange][:] = 5.0
    plc[Pump.DirectRamp][:] = RAMP
    return plc


def setpoints(plc: Plc, scans: int) -> list[float]:
    found = []
    for _ in range(scans):
        plc.renew()
        plc.step()
        found.append(float(plc[Pump.Setpoint][0]))
    return found


def test_plans_follow_each_other_without_a_jump(plc: Plc) -> None:
    plc.plan(0, speed=35.0)
    setpoints(plc, 60)
    plc.plan(0, speed=40.0, seconds=5.0)
    now = plc.clock.now()
    plc[Pump.NextStart][0], plc[Pump.NextEnd][0] = now + 5.0, now + 1e6
    plc[Pump.NextSpeed][0] = 38.0
    course = [35.0, *setpoints(plc, 20)]
    assert max(abs(b - a) for a, b in pairwise(course)) <= RAMP + 1e-9
    assert course[-1] == 38.0


def test_after_a_gap_between_plans_the_ramp_begins_at_the_default_setpoint(plc: Plc) -> None:
    plc.plan(0, speed=45.0, seconds=30.0)
    setpoints(plc, 60)
    assert plc[Pump.Setpoint][0] == 35.0
    plc.plan(0, speed=45.0)
    assert setpoints(plc, 2) == pytest.approx([35.5, 36.0])


def test_the_plan_takes_over_from_hand_without_a_jump(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    setpoints(plc, 60)
    plc.ask(Pump.Mode, 0, 1)
    plc.ask(Pump.ManualSetpoint, 0, 30.0)
    setpoints(plc, 10)
    assert plc[Pump.Setpoint][0] == 30.0
    plc.ask(Pump.Mode, 0, 0)
    assert setpoints(plc, 2) == pytest.approx([30.5, 31.0])


def test_the_plan_changes_its_mind_while_the_pump_runs_down(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    setpoints(plc, 60)
    plc.plan(0, speed=0.0)
    assert setpoints(plc, 2) == [40.0, 35.0]
    plc.plan(0, speed=45.0)
    assert setpoints(plc, 2) == pytest.approx([35.5, 36.0])


def violations(plc: Plc, scans: int) -> int:
    """In how many scans of its course the speed limits acted on pump 0."""
    bit = 1 << Pump.Limited.number("speed")
    found = 0
    for _ in range(scans):
        setpoints(plc, 1)
        found += bool(plc[Pump.Limited][0] & bit)
    return found


def test_neither_a_start_nor_a_stop_is_a_violation_of_the_speed_limits(plc: Plc) -> None:
    for target in (0.0, 45.0, 0.0):
        plc.plan(0, speed=target)
        assert violations(plc, 60) == 0
        assert plc[Pump.Setpoint][0] == target


def test_a_start_in_the_very_first_scan_is_none_either(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    assert violations(plc, 60) == 0
    assert plc[Pump.Setpoint][0] == 45.0


@pytest.mark.parametrize("limit", [Pump.MinSpeed, Pump.HardMinSpeed])
def test_a_lowest_speed_that_is_raised_beyond_the_ramp_is_none_either(plc: Plc, limit: Tag) -> None:
    plc.plan(0, speed=45.0)
    assert violations(plc, 10) == 0
    plc[limit][0] = 38.0
    assert violations(plc, 1) == 0
    assert plc[Pump.Setpoint][0] == 38.0
    assert violations(plc, 30) == 0
    assert plc[Pump.Setpoint][0] == 45.0
