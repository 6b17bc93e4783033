"""The terms of the power controller: nothing but what they are for moves the pump."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.curve import at
from runtime.tag import Tag
from runtime.tags import Pump, System
from tests.blocks.power_loop import CURVE, HIGH, LOW, TRUE_CURVE, Loop


def test_taking_over_begins_at_the_setpoint_in_force() -> None:
    loop = Loop()
    for tag, value in {
        Pump.MinSpeed: 0.1,
        Pump.LowLimit: 0.1,
        Pump.HighLimit: 1.0,
        Pump.Setpoint: 0.62,
        Pump.PowerGain: 1.5,
        Pump.PowerResetTime: 280.0,
        Pump.TargetPower: 1.3,
        Pump.Power: 1.0,
    }.items():
        loop[tag][0] = value
    loop.step()
    assert loop[Pump.PowerDemand][0] == 0.62
    loop.step()
    assert loop[Pump.PowerDemand][0] == pytest.approx(0.621607, abs=5e-7)


@pytest.mark.parametrize("target", [10.0, 20.0, 35.0])
def test_a_standing_pump_starts_towards_its_learned_speed(target: float) -> None:
    loop = Loop(target)
    loop.learn()
    loop[Pump.Setpoint][0] = 0.0
    loop.step()
    known = loop[Pump.PowerDemand][0]
    assert at(known, LOW, HIGH, *TRUE_CURVE) == pytest.approx(target)
    loop.run(40.0)
    assert loop.power == pytest.approx(target, rel=0.1)
    loop.run(300.0)
    assert loop.power == pytest.approx(target, rel=0.01)


def test_a_standing_pump_of_unknown_power_starts_at_its_lowest_speed() -> None:
    loop = Loop()
    loop[Pump.Setpoint][0] = 0.0
    loop.step()
    assert loop[Pump.PowerDemand][0] == LOW
    assert not loop[Pump.PowerEngaged][0]


CHANGES = {
    "gain": {Pump.PowerGain: 7.0},
    "share": {Pump.PowerFeedForward: 0.4},
    "curve": {Pump.PowerCurve3: 12.0, Pump.PowerCurve4: 30.0},
    "forgotten": dict.fromkeys(CURVE, 0.0),
    "limits": {Pump.LowLimit: 20.0, Pump.HighLimit: 55.0},
    "target known before, unknown now": {Pump.PowerCurve4: 0.0, Pump.PowerCurve3: 0.0},
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_parameters_do_not_bump(change: str) -> None:
    loop = Loop(target=20.0)
    loop.learn()
    loop.run(20.0)
    loop[Pump.PowerResetTime][0] = 1e9
    loop[Pump.Power][0] = 15.0
    loop.step(2)
    before = loop[Pump.PowerDemand][0]
    for tag, value in CHANGES[change].items():
        loop[tag][0] = value
    loop.step(3)
    assert loop[Pump.PowerEngaged][0]
    assert loop[Pump.PowerDemand][0] == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("there_and_back", [False, True])
def test_between_a_known_and_an_unknown_target_only_the_error_acts(there_and_back: bool) -> None:
    loop = Loop(target=12.0)
    loop.learn((*TRUE_CURVE[:3], 0.0, 0.0))
    loop.run(900.0)
    before = loop[Pump.PowerDemand][0]
    targets = (38.0, 12.0) if there_and_back else (38.0,)
    loop[Pump.PowerResetTime][0] = 1e9
    for target in targets:
        loop[Pump.TargetPower][0] = target
        loop.step()
    change = 0.0 if there_and_back else 0.2 * 26.0
    assert loop[Pump.PowerDemand][0] == pytest.approx(before + change, abs=0.01)


@pytest.mark.parametrize(
    "change",
    [{Pump.ControlType: 0}, {Pump.PlanActive: False}, {Pump.TargetPower: 0.0}],
    ids=["other type", "no plan", "no power asked for"],
)
def test_a_controller_that_is_not_asked_asks_for_nothing(change: dict[Tag, float]) -> None:
    loop = Loop()
    loop.run(10.0)
    for tag, value in change.items():
        loop[tag][0] = value
    loop.step()
    assert loop[Pump.PowerDemand][0] == loop[Pump.PowerIntegral][0] == 0.0
    assert not loop[Pump.PowerEngaged][0]


wild = st.floats(0.0, 3000.0) | st.sampled_from([0.0, 5e-324, 1e-300, 3000.0])


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_nothing_that_is_learned_or_measured_drives_beyond_limits(data: st.DataObject) -> None:
    loop = Loop()
    limits = sorted(data.draw(st.lists(st.floats(0.0, 100.0), min_size=2, max_size=2)))
    loop[Pump.LowLimit][0], loop[Pump.HighLimit][0] = limits
    loop[Pump.MinSpeed][0] = limits[0]
    for _ in range(6):
        loop.learn(data.draw(st.tuples(wild, wild, wild, wild, wild)), data.draw(st.floats(0, 1)))
        loop[Pump.TargetPower][0] = data.draw(wild)
        loop[Pump.Power][0] = data.draw(st.floats(-10.0, 3000.0))
        loop[Pump.PowerQuality][0] = data.draw(st.sampled_from([0, 1, 2, 2]))
        loop[Pump.PowerGain][0] = data.draw(st.floats(0.0, 10_000.0))
        loop[Pump.PowerResetTime][0] = data.draw(st.floats(0.0, 1e9))
        loop[System.Elapsed][0] = data.draw(st.sampled_from([0.0, 0.1, 1.0, 10.0]))
        loop.step()
        demand = loop[Pump.PowerDemand][0]
        assert demand == 0.0 or limits[0] <= demand <= limits[1] or demand == loop[Pump.Setpoint][0]
        assert math.isfinite(loop[Pump.PowerIntegral][0])
        loop[Pump.Setpoint][0] = min(max(demand, limits[0]), limits[1]) if demand > 0.0 else 0.0
