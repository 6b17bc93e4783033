"""The power that is asked for is the power that is measured, whatever disturbs the loop."""

from __future__ import annotations

from collections import deque
from random import Random

import pytest

from runtime.tags import Pump
from tests.blocks import lift
from tests.blocks.power_loop import HIGH, Loop


def test_the_pump_with_static_head_is_the_one_that_the_cube_law_gets_wrong() -> None:
    assert lift.power(0.794 * 50.0) / 40.0 == pytest.approx(0.551, abs=1e-3)
    assert lift.power(0.6 * 50.0) / 40.0 == pytest.approx(0.245, abs=2e-3)
    assert lift.power(0.8 * 50.0) / 40.0 == pytest.approx(0.562, abs=1e-3)
    assert lift.speed_for(20.0) / 50.0 == pytest.approx(0.765, abs=1e-3)
    assert lift.flow(0.8 * 50.0) / lift.flow(0.6 * 50.0) == pytest.approx(49.6 / 21.5, abs=0.01)


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 1.0])
def test_the_power_that_is_asked_for_is_reached(share: float, learned: bool) -> None:
    loop = Loop(target=share * 40.0)
    if learned:
        loop.learn()
    loop.run(1800.0)
    assert loop.power / 40.0 == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize(
    "curve",
    [
        (40.0, 30.0, 20.0, 10.0, 5.0),
        (1e-9, 1e-8, 1e-7, 1e-6, 1e-5),
        (60.0, 60.0, 60.0, 60.0, 60.0),
        (0.0, 2.0, 0.0, 60.0, 1.0),
    ],
)
def test_a_wrong_curve_costs_time_but_no_accuracy(curve: tuple[float, ...]) -> None:
    loop = Loop(target=20.0)
    loop.learn(curve)
    for target in (20.0, 30.0, 15.0):
        loop[Pump.TargetPower][0] = target
        loop.run(1200.0)
        assert loop.power == pytest.approx(target, abs=0.01)


def test_a_learned_speed_moves_the_pump_at_once_to_the_new_target() -> None:
    reached = {}
    for share in (0.0, 1.0):
        loop = Loop(target=12.0)
        loop.learn(share=share)
        loop.run(900.0)
        loop[Pump.TargetPower][0] = 30.0
        loop.run(15.0)
        reached[share] = abs(loop.power - 30.0)
    assert reached[1.0] < 1.5
    assert reached[0.0] > 5.0 * reached[1.0]


@pytest.mark.parametrize("target", [10.0, 20.0, 35.0])
@pytest.mark.parametrize("period", [0.1, 1.0, 5.0])
def test_the_ramp_of_a_start_takes_nothing_back_of_what_is_learned(
    target: float, period: float
) -> None:
    loop = Loop(target, period)
    loop.learn()
    loop[Pump.Setpoint][0] = 0.0
    loop.run(40.0)
    assert loop.power == pytest.approx(target, rel=0.01)


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("rate", [0.5, 0.02])
def test_a_ramp_however_slow_winds_nothing_up(rate: float, learned: bool) -> None:
    loop = Loop(target=35.0)
    loop.rate = rate
    if learned:
        loop.learn()
    for _ in range(3000):
        loop.run(1.0)
        assert loop.power <= 35.0 + 1e-6
    assert loop.power == pytest.approx(35.0, rel=0.001)


@pytest.mark.parametrize("rate", [0.2, 0.01])
def test_noise_that_only_the_rate_limit_holds_back_shifts_no_mean(rate: float) -> None:
    random = Random(1)

    class Noisy(Loop):
        def felt(self) -> float:
            return self.power + random.gauss(0.0, 2.0)

    loop = Noisy(target=20.0)
    loop.rate = rate
    loop.run(3000.0)
    seen = []
    for _ in range(2000):
        loop.run(1.0)
        seen.append(loop.power)
    assert sum(seen) / len(seen) == pytest.approx(20.0, rel=0.01)


def test_a_target_out_of_reach_is_left_at_once() -> None:
    loop = Loop(target=400.0)
    loop.run(3600.0)
    assert loop[Pump.Setpoint][0] == HIGH
    loop[Pump.TargetPower][0] = 30.0
    loop.run(2.0)
    assert loop[Pump.Setpoint][0] < HIGH
    loop.run(900.0)
    assert loop.power == pytest.approx(30.0, abs=0.01)


@pytest.mark.parametrize("free", [0.0, 900.0])
def test_whatever_holds_the_setpoint_down_sooner_or_later_winds_nothing_up(free: float) -> None:
    loop = Loop(target=36.0)
    loop.run(free)
    loop.ceiling = 40.0
    loop.run(3600.0)
    assert loop[Pump.PowerDemand][0] <= 40.0 + 0.2 * (36.0 - lift.power(40.0)) + 1e-6
    loop.ceiling = HIGH
    loop[Pump.TargetPower][0] = lift.power(40.0)
    for _ in range(120):
        loop.run(1.0)
        assert loop.power <= lift.power(40.0) * 1.02


def test_a_drive_that_gives_less_than_asked_winds_nothing_up() -> None:
    loop = Loop(target=20.0)
    loop.run(900.0)
    loop.drive = 33.0
    loop[Pump.Speed][0] = 33.0
    loop[Pump.NotFollowing][0] = True
    held = loop[Pump.PowerIntegral][0]
    loop.run(3600.0)
    assert loop[Pump.PowerIntegral][0] == pytest.approx(held, abs=0.2 * 20.0)
    loop.drive, loop[Pump.NotFollowing][0] = None, False
    loop.run(300.0)
    assert loop.power == pytest.approx(20.0, abs=0.05)


@pytest.mark.parametrize("shown", [0.0, 30.0, 50.0, 1000.0])
def test_a_lying_speed_does_not_change_the_power(shown: float) -> None:
    loop = Loop(target=20.0)
    loop.run(900.0)
    loop[Pump.Speed][0] = shown
    loop[Pump.NotFollowing][0] = True
    for _ in range(3600):
        loop.run(1.0)
        assert loop.power <= 20.0 + 0.1
    assert loop.power == pytest.approx(20.0, abs=0.1)


@pytest.mark.parametrize("delay", [0, 5, 15])
def test_late_measurements_wind_nothing_up(delay: int) -> None:
    past = deque([lift.power(35.0)] * (delay + 1), maxlen=delay + 1)

    class Late(Loop):
        def felt(self) -> float:
            past.append(self.power)
            return past[0]

    loop = Late(target=20.0)
    loop.learn()
    highest = 0.0
    for _ in range(1800):
        loop.run(1.0)
        highest = max(highest, loop.power)
    assert loop.power == pytest.approx(20.0, abs=0.01)
    assert highest <= 20.0 * 1.1


def test_noise_shifts_no_mean_and_a_changing_period_no_result() -> None:
    random = Random(1)

    class Noisy(Loop):
        def felt(self) -> float:
            self.period = random.choice([0.1, 1.0, 5.0])
            return round(self.power + random.gauss(0.0, 0.5), 1)

    loop = Noisy(target=20.0)
    loop.run(1800.0)
    seen = []
    for _ in range(1000):
        loop.run(loop.period)
        seen.append(loop.power)
    assert sum(seen) / len(seen) == pytest.approx(20.0, rel=0.01)
    assert max(seen) - min(seen) < 2.0
