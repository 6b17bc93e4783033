"""Level control of a level measured badly: noise, coarse steps, dead time, rare feedback."""

from __future__ import annotations

import statistics
from random import Random

import pytest

from tests.blocks.level_loop import FLOW, GAIN, HALF, TARGET, Loop, lasting

LOAD = 0.012  # m³/s


def test_noise_reaches_the_output_with_the_gain_and_is_not_summed_up() -> None:
    noise = Random(1)
    loop = Loop(LevelTrackingTime=60.0)
    loop.seen = lambda level: level + noise.gauss(0.0, 0.01)
    lasting(loop, 500.0)
    outputs = []
    for _ in range(5000):
        loop.step()
        outputs.append(loop.output)
    assert statistics.fmean(outputs) == pytest.approx(0.5, abs=0.002)
    assert statistics.stdev(outputs) == pytest.approx(GAIN * 0.01, rel=0.1)
    assert abs(statistics.fmean(lasting(loop, 3000.0))) < 0.003


def test_a_level_in_steps_of_a_centimetre_is_held_within_one() -> None:
    loop = Loop()
    loop.seen = lambda level: round(level, 2)
    loop.leave(lambda time: HALF + LOAD)
    lasting(loop, 2000.0)
    assert max(abs(off) for off in lasting(loop, 3000.0)) < 0.011


def test_a_deadband_of_half_such_a_step_lets_the_output_rest() -> None:
    loop = Loop(LevelDeadband=0.005)
    loop.seen = lambda level: round(level, 2)
    loop.leave(lambda time: HALF + LOAD)
    lasting(loop, 4000.0)
    moves = set()
    for _ in range(100):
        loop.step()
        moves.add(loop.output)
    assert max(moves) - min(moves) < GAIN * 0.006


def test_ten_seconds_of_dead_time_are_what_the_tuning_allows_for() -> None:
    loop, past = Loop(), [TARGET] * 10

    def delayed(level: float) -> float:
        past.append(level)
        return past[-11]

    loop.seen = delayed
    loop.leave(lambda time: HALF + LOAD)
    deviations = lasting(loop, 1200.0)
    assert max(deviations) < 1.15 * 0.051503
    assert min(deviations) > -0.002


@pytest.mark.parametrize("every", [5, 30])
def test_feedback_that_comes_seldom_and_late_winds_nothing_up(every: int) -> None:
    loop = Loop(LevelTrackingTime=60.0)
    shown = [TARGET]

    def seldom(level: float) -> float:
        if round(loop.time) % every == 0:
            shown.append(level)
        return shown[-2] if len(shown) > 1 else level

    loop.seen = seldom
    loop.leave(lambda time: (1.2 if time < 600.0 else 0.4) * FLOW)
    lasting(loop, 600.0)
    assert loop.deviation > 0.4
    assert min(lasting(loop, 4000.0)) > -0.15
    assert loop.deviation == pytest.approx(0.0, abs=0.01)
