"""Level control: nothing winds up, nothing bumps."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest

from runtime.tag import Quality
from runtime.tags import Pump, Station
from tests.blocks.level_loop import FLOW, GAIN, HALF, RESET, TARGET, Loop, lasting, obey

LOAD = 0.012  # m³/s
CURVE = tuple(Pump.tag(f"FlowCurve{node}") for node in range(1, 6))


def learned(loop: Loop, share: float = 1.0) -> None:
    """Its true curve, in m³/h, from a fifth of its speed on; its inflow is known."""
    loop[Pump.LowLimit] = 0.2
    for node, tag in enumerate(CURVE):
        loop[tag] = FLOW * 3600.0 * (0.2 + 0.2 * node)
    loop[Station.InflowQuality] = Quality.GOOD
    loop[Station.Inflow] = HALF * 3600.0
    loop[Pump.LevelFeedForward] = share


def ramp(loop: Loop, step: float) -> Callable[[float], float]:
    """A limit on the rate of change, as of a step a scan."""
    return lambda demand: min(max(demand, loop[Pump.Setpoint] - step), loop[Pump.Setpoint] + step)


@pytest.mark.parametrize("limit", ["power", "rate", "drive"])
def test_whatever_holds_the_pump_back_winds_nothing_up(limit: str) -> None:
    loop = Loop(LevelTrackingTime=60.0)
    held = 0.7 if limit != "rate" else 1.0
    if limit == "power":
        loop.become = lambda demand: min(demand, 0.7)
    if limit == "rate":
        loop.become = ramp(loop, 0.002)
    if limit == "drive":
        loop[Pump.HighLimit] = 0.7
    loop.leave(lambda time: 1.1 * held * FLOW)
    lasting(loop, 1200.0)
    assert loop[Pump.Setpoint] == pytest.approx(held, abs=0.01)
    loop.leave(lambda time: 0.4 * FLOW)
    assert min(lasting(loop, 4000.0)) > -0.1
    assert loop.deviation == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("shown", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("error", [0.05, -0.05])
def test_what_a_drive_does_not_do_is_not_asked_of_it_ever_more(shown: float, error: float) -> None:
    loop = Loop(LevelTrackingTime=60.0)
    loop[Pump.NotFollowing], loop[Pump.Speed] = True, shown
    loop.seen = lambda level: TARGET + error
    loop.step()
    before = loop.output
    loop.step()
    refused = (loop[Pump.Setpoint] - shown) * error > 0.0
    assert loop.output == pytest.approx(before + (0.0 if refused else GAIN * error / RESET))


def supervised(loop: Loop, shown: float | None, seconds: float) -> list[float]:
    """The deviations while a sensor shows a speed, the true one if None, and supervision looks."""
    found = []
    for _ in range(round(seconds)):
        setpoint = float(loop[Pump.Setpoint])
        loop[Pump.Speed] = loop.turn(setpoint) if shown is None else shown
        loop[Pump.NotFollowing] = abs(setpoint - loop[Pump.Speed]) > 0.04
        loop.step()
        found.append(loop.deviation)
    return found


def test_after_a_drive_ends_its_own_limit_the_level_is_back_at_its_target() -> None:
    loop = Loop(LevelTrackingTime=60.0)
    loop.turn = lambda speed: min(speed, 0.7)
    loop.leave(lambda time: 0.8 * FLOW)
    supervised(loop, None, 1200.0)
    loop.turn = obey
    loop.leave(lambda time: 0.4 * FLOW)
    assert min(supervised(loop, None, 4000.0)) > -0.01
    assert loop.deviation == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("shown", [0.05, 0.2, 0.9, 1.0])
def test_a_lying_speed_shifts_the_level_by_no_more_than_its_gain_alone_leaves(shown: float) -> None:
    loop = Loop(LevelTrackingTime=60.0)
    for share in (0.5, 0.6, 0.4, 0.8, 0.5):
        loop.leave(lambda time, share=share: share * FLOW)  # type: ignore[misc]
        deviations = supervised(loop, shown, 3000.0)
        assert max(map(abs, deviations)) < 0.4 / GAIN + 0.01
        wrong_side = min(deviations[-1], 0.0) if shown < 0.5 else max(deviations[-1], 0.0)
        assert wrong_side == pytest.approx(0.0, abs=0.005)


@pytest.mark.parametrize("shown", [0.05, 1.0])
def test_waves_and_a_lying_speed_together_shift_the_level_by_little(shown: float) -> None:
    random = Random(1)
    loop = Loop(LevelTrackingTime=60.0)
    loop.seen = lambda level: level + random.gauss(0.0, 0.01)
    deviations = supervised(loop, shown, 10_000.0)
    assert abs(sum(deviations[-3000:]) / 3000.0) < 0.03


def moving() -> Loop:
    """A loop in the middle of its answer to a storm: all of P, I, D and F are at work."""
    loop = Loop(0.1, LevelDerivativeTime=20.0, LevelFilterTime=5.0, LevelDeadband=0.005)
    learned(loop, share=0.5)
    loop.leave(lambda time: HALF + LOAD)
    lasting(loop, 60.0)
    assert all(abs(loop[tag]) > 0.003 for tag in (Pump.LevelError, Pump.LevelOffset))
    return loop


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("LevelGain", 15.0),
        ("LevelResetTime", 30.0),
        ("LevelDerivativeTime", 200.0),
        ("LevelDeadband", 0.05),
        ("LevelFeedForward", 1.0),
        ("LevelSetpointWeight", 0.0),
        ("LevelTrackingTime", 5.0),
        ("LevelFilterTime", 50.0),
    ],
)
def test_other_parameters_do_not_move_the_output(parameter: str, value: float) -> None:
    loop = moving()
    before = loop.output
    loop[Pump.tag(parameter)] = value
    loop.step()
    assert loop.output == pytest.approx(before, abs=1.5e-3)


@pytest.mark.parametrize("pumps", [2, 5])
def test_another_number_of_pumps_does_not_move_the_output(pumps: int) -> None:
    loop = moving()
    before = loop.output
    loop.lead(pumps)
    loop.step()
    assert loop.output == pytest.approx(before, abs=1e-3)
    assert loop[Pump.LevelPumps] == pumps


def test_the_inflow_is_fed_forward_as_the_speed_that_moves_it() -> None:
    with_it, without = Loop(), Loop()
    learned(with_it)
    learned(without, share=0.0)
    for loop in (with_it, without):
        loop.step()
        loop.leave(lambda time: HALF + LOAD)
        loop[Station.Inflow] = (HALF + LOAD) * 3600.0
        loop.step()
    assert with_it.output == pytest.approx(0.5 + LOAD / FLOW, abs=1e-9)
    assert without.output == pytest.approx(0.5, abs=1e-9)
    assert max(lasting(with_it, 600.0)) < 0.002 < max(lasting(without, 600.0))


def test_feed_forward_comes_and_goes_without_a_bump() -> None:
    loop = moving()
    for quality in (Quality.BAD, Quality.GOOD):
        before = loop.output
        loop[Station.InflowQuality] = quality
        loop.step()
        assert loop.output == pytest.approx(before, abs=1e-3)
        assert (loop[Pump.LevelForward] > 0.0) == (quality is Quality.GOOD)


def test_an_error_inside_the_deadband_moves_nothing_and_one_beyond_counts_from_its_edge() -> None:
    loop = Loop(LevelDeadband=0.02)
    for error in (0.019, -0.019):
        loop.seen = lambda level, error=error: TARGET + error  # type: ignore[misc]
        lasting(loop, 60.0)
        assert loop.output == 0.5
    loop.seen = lambda level: TARGET + 0.05
    loop.step()
    moved = GAIN * 0.03 * (1.0 + 1.0 / RESET)
    assert loop.output == pytest.approx(0.5 + moved, abs=1e-12)
    loop.seen = lambda level: TARGET - 0.05
    loop.step()
    assert loop.output == pytest.approx(0.5 - GAIN * 0.03, abs=1e-12)


def test_a_start_begins_at_the_lowest_speed_however_high_the_level() -> None:
    loop = Loop(LowLimit=0.3, Setpoint=0.0)
    loop.seen = lambda level: TARGET + 0.4
    loop[Pump.Setpoint], loop[Pump.LevelPumps] = 0.0, 0
    loop.step()
    assert loop[Pump.LevelDemand] == pytest.approx(0.3, abs=1e-12)
    loop.step()
    assert 0.3 < loop[Pump.LevelDemand] < 0.305


def test_a_pump_without_a_lowest_speed_starts_from_0() -> None:
    loop = Loop(LowLimit=0.0)
    loop[Pump.Setpoint], loop[Pump.LevelPumps] = 0.0, 0
    loop.step()
    assert loop[Pump.LevelDemand] == 0.0
    lasting(loop, 2000.0)
    assert loop.deviation == pytest.approx(0.0, abs=0.01)


def test_a_start_that_is_held_back_begins_there_too_when_it_comes() -> None:
    loop = Loop(LowLimit=0.3)
    loop.seen = lambda level: TARGET + 0.4
    loop.become = lambda demand: 0.0
    loop.step()
    lasting(loop, 3600.0)
    assert loop[Pump.LevelDemand] == pytest.approx(0.3, abs=1e-12)


def test_an_absurd_target_is_forgotten_with_the_plan_that_asked_for_it() -> None:
    loop = Loop(LevelTrackingTime=60.0)
    for absurd in (Pump.TargetLevel.low, Pump.TargetLevel.high):
        loop[Pump.TargetLevel] = absurd
        lasting(loop, 100.0)
        assert math.isfinite(loop[Pump.LevelIntegral])
        loop[Pump.TargetLevel] = TARGET
        lasting(loop, 20_000.0)
        assert loop.deviation == pytest.approx(0.0, abs=0.01)
