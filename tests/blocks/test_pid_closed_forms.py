"""Level control against what theory says, to the digits of theory.

The wells are exact, so what is left is the error of a controller that acts once in a scan. It is
proportional to the period: two periods, extrapolated to none, give the answer in continuous time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import cycle

import pytest

from runtime.scan import LONGEST_ELAPSED
from runtime.tags import Pump, Station
from tests.blocks.level_loop import AREA, GAIN, HALF, RESET, TARGET, TIME, Loop
from tests.plc import Plc, obey

LOAD = 0.012  # m³/s


def without_period(answer: Callable[[float], list[float]], period: float) -> list[float]:
    """What the answers for two periods lead to as the period goes to 0."""
    coarse, fine = answer(period), answer(period / 2.0)
    return [2.0 * b - a for a, b in zip(coarse, fine, strict=True)]


def course(loop: Loop, seconds: float) -> dict[float, float]:
    """The deviation of the level by time."""
    deviations = {}
    while loop.time < seconds - 1e-6:
        loop.step()
        deviations[round(loop.time, 6)] = loop.deviation
    return deviations


def load_step(period: float, filling: bool = False, **parameters: float) -> dict[float, float]:
    loop = Loop(period, filling, **parameters)
    loop.leave(lambda time: HALF + LOAD)
    return course(loop, 1200.0)


def test_a_well_with_a_surplus_of_15_litres_a_second_rises_75_cm_in_10_minutes() -> None:
    loop = Loop()
    loop.lead(0)
    loop.leave(lambda time: HALF + 0.015)
    loop.run_until(600.0)
    assert loop.deviation == pytest.approx(0.750, abs=1e-9)
    assert loop[Pump.LevelDemand] == 0.5


@pytest.mark.parametrize("filling", [False, True])
def test_a_load_step_is_answered_as_two_equal_poles_answer(filling: bool) -> None:
    times = (60.0, 140.0, 600.0, 1200.0)

    def answer(period: float) -> list[float]:
        deviations = load_step(period, filling)
        return [deviations[time] for time in times]

    digits = without_period(answer, period=0.5)
    assert digits == pytest.approx([0.039086, 0.051503, 0.008258, 0.000227], abs=6e-7)
    exact = [LOAD / AREA * time * math.exp(-time / TIME) for time in times]
    assert digits == pytest.approx(exact, abs=6e-7)


@pytest.mark.parametrize(
    ("period", "peak", "time"),
    [(1.0, 0.051565, 139.0), (5.0, 0.051825, 135.0), (10.0, 0.052181, 130.0)],
)
def test_a_longer_period_costs_what_a_scan_of_dead_time_costs(
    period: float, peak: float, time: float
) -> None:
    deviations = load_step(period)
    assert max(deviations.values()) == pytest.approx(peak, abs=6e-7)
    assert max(deviations, key=deviations.__getitem__) == time


def target_step(period: float, weight: float) -> dict[float, float]:
    loop = Loop(period, LevelSetpointWeight=weight)
    loop[Pump.TargetLevel] = TARGET - 0.1
    loop.leave(lambda time: HALF)
    return {time: 1.0 - level / 0.1 for time, level in course(loop, 600.0).items()}


def test_a_step_of_the_target_is_answered_as_two_equal_poles_and_a_zero_answer() -> None:
    def answer(period: float) -> list[float]:
        answers = target_step(period, weight=1.0)
        return [answers[60.0], answers[140.0], answers[280.0], max(answers.values())]

    digits = without_period(answer, period=0.125)
    assert digits == pytest.approx([0.627749, 1.0, 1.135335, 1.135335], abs=6e-7)


def test_without_setpoint_weight_a_new_target_is_reached_without_overshoot() -> None:
    answers = target_step(1.0, weight=0.0)
    assert max(answers.values()) <= 1.0
    exact = 1.0 - (1.0 + 600.0 / TIME) * math.exp(-600.0 / TIME)
    assert answers[600.0] == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_new_target_moves_the_output_at_once_by_its_weight(weight: float) -> None:
    loop = Loop(LevelSetpointWeight=weight)
    loop[Pump.TargetLevel] = TARGET - 0.1
    loop.step()
    integrated = GAIN * 0.1 / RESET
    assert loop.output - 0.5 == pytest.approx(weight * GAIN * 0.1 + integrated, abs=1e-12)


@pytest.mark.parametrize(("tracking", "back_by"), [(0.0, 862.0), (60.0, 860.0)])
def test_a_storm_beyond_the_pump_winds_nothing_up(tracking: float, back_by: float) -> None:
    loop = Loop(LevelTrackingTime=tracking)
    loop[Pump.TargetLevel] = loop.level = 1.2
    loop.leave(lambda time: 0.05)
    loop.run_until(1500.0)
    loop.leave(lambda time: 0.14 if 600.0 <= time < 1800.0 else 0.05)
    loop.run_until(1800.0)
    assert loop.deviation > 2.0
    after = course(loop, 5000.0)
    assert 1.2 + min(after.values()) >= 1.10
    assert max(time for time, off in after.items() if abs(off) > 0.05) < 1800.0 + back_by


@pytest.mark.parametrize(
    ("period", "seconds", "derivative"),
    [(1.0, 1.0, 0.075), (1.0, 5.0, 0.1453125)],
)
def test_the_derivative_of_a_ramp_comes_through_its_filter(
    period: float, seconds: float, derivative: float
) -> None:
    assert derivative_of_ramp(period, seconds) == pytest.approx(derivative, abs=1e-12)


def derivative_of_ramp(period: float, seconds: float) -> float:
    """D after a ramp of 0.01 m/s, with K = 1.5, Td = 10 s and a filter of Td / 10."""
    loop = Loop(period, LevelGain=1.5, LevelDerivativeTime=10.0, LevelFilterTime=1.0)
    loop.seen = lambda level: TARGET + 0.01 * (loop.time + period)
    loop.leave(lambda time: HALF)
    loop.run_until(seconds)
    return float(loop[Pump.LevelOffset] - 1.5 * loop[Pump.LevelError])


def test_the_derivative_of_a_ramp_is_that_of_continuous_time_as_scans_get_short() -> None:
    (derivative,) = without_period(lambda period: [derivative_of_ramp(period, 5.0)], 0.01)
    assert derivative == pytest.approx(0.148989, abs=6e-7)
    assert derivative == pytest.approx(0.15 * (1.0 - math.exp(-5.0)), abs=6e-7)


def test_a_step_of_the_target_is_none_to_the_derivative() -> None:
    loop = Loop(LevelDerivativeTime=100.0, LevelFilterTime=10.0)
    loop[Pump.TargetLevel] = TARGET - 1.0
    loop.step()
    assert loop[Pump.LevelOffset] == pytest.approx(GAIN * 1.0, abs=1e-12)


def test_the_controller_takes_over_from_hand_without_a_bump() -> None:
    loop = Loop(LevelGain=1.5)
    loop.lead(0)
    loop.become = lambda demand: 0.62
    loop.seen = lambda level: TARGET + 0.3
    loop.step()
    loop.become = lambda demand: demand
    loop.lead(1)
    loop.step()
    assert loop[Pump.LevelDemand] == pytest.approx(0.620000, abs=1e-12)
    loop.step()
    assert loop[Pump.LevelDemand] == pytest.approx(0.621607, abs=6e-7)


def test_the_rate_of_change_holds_back_a_rise_but_no_trip_and_survives_a_gap() -> None:
    plc = Plc(period=1.0, feedback={"level_rate": 1e9})
    plc.before_scan = obey
    for tag, value in {
        Pump.MinSpeed: 0.1,
        Pump.HardMinSpeed: 0.1,
        Pump.MaxSpeed: 1.0,
        Pump.HardMaxSpeed: 1.0,
        Pump.MaxSpeedChange: 0.02,
    }.items():
        plc[tag][:] = value
    plc.plan(0, speed=0.4)
    plc.run_for(60.0)
    plc.plan(0, speed=1.0)
    assert plc[Pump.Setpoint][0] == pytest.approx(0.4, abs=1e-12)
    plc.run_for(10.0)
    assert plc[Pump.Setpoint][0] == pytest.approx(0.600, abs=1e-12)
    plc.run_for(20.0)
    assert plc[Pump.Setpoint][0] == pytest.approx(1.000, abs=1e-12)

    plc.plan(0, speed=0.4)
    plc.clock.advance(3600.0)
    plc.renew()
    plc.step()
    fallen = 1.0 - plc[Pump.Setpoint][0]
    assert 0.0 < fallen <= 0.02 * max(LONGEST_ELAPSED, 2.0) + 1e-12

    plc.plan(0, speed=1.0)
    plc.run_for(60.0)
    assert plc[Pump.Setpoint][0] == 1.0
    plc[Pump.MeasuredLevel][:] = 0.3
    plc.step()
    assert plc[Pump.Setpoint][0] == 0.0


def test_a_hundred_thousand_tiny_steps_add_up_in_the_integral() -> None:
    """A float32 of 64.0 would stay as it is: its next neighbour is 7.6e-6 away."""
    loop = Loop(LevelGain=0.003, LevelResetTime=1000.0, HighLimit=100.0, Setpoint=64.0)
    assert loop[Pump.LevelIntegral] == 64.0
    loop.seen = lambda level: TARGET + 1.0
    for _ in range(100_000):
        loop.step()
    assert loop[Pump.LevelIntegral] == pytest.approx(64.3, abs=1e-9)


@pytest.mark.parametrize("periods", [(0.1, 5.0), (1.0, 2.0, 10.0, 0.5)])
def test_the_answer_does_not_depend_on_how_regular_the_scans_are(
    periods: tuple[float, ...],
) -> None:
    loop = Loop()
    loop.leave(lambda time: HALF + LOAD)
    for period in cycle(periods):
        loop.period = period
        loop.step()
        exact = LOAD / AREA * loop.time * math.exp(-loop.time / TIME)
        assert loop.deviation == pytest.approx(exact, abs=2e-3)
        if loop.time > 1000.0:
            break


def test_a_growing_inflow_is_followed_with_the_error_of_two_equal_poles() -> None:
    growth = 1e-5  # m³/s²
    loop = Loop()
    loop.leave(lambda time: HALF + growth * time)
    loop.run_until(2000.0)
    assert loop.deviation == pytest.approx(growth / AREA * TIME * TIME, abs=1e-4)


@pytest.mark.parametrize("pumps", [2, 3])
def test_several_pumps_answer_together_as_one(pumps: int) -> None:
    """Each has its share of the gain, so that the loop is the same."""
    one, all_of_them = Loop(), Loop()
    all_of_them.lead(pumps)
    all_of_them[Pump.Setpoint] = 0.5 / pumps
    all_of_them[Pump.LevelPumps] = 0
    for loop in (one, all_of_them):
        loop.leave(lambda time: HALF + LOAD)
    assert course(all_of_them, 600.0)[140.0] == pytest.approx(course(one, 600.0)[140.0], abs=1e-9)
    assert all_of_them[Station.LevelOutput] == pytest.approx(one.output / pumps, abs=1e-9)
