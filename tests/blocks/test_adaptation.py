"""Adaptation: the curve of a pump is learned from what is measured, slowly and within bounds."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.adaptation import Adaptation
from blocks.curve import speed_for
from runtime.tag import Tag
from runtime.tags import Pump, System
from tests.blocks import lift
from tests.blocks.alone import Alone

LOW, HIGH = 30.0, 50.0
HOUR = 3600.0
NODES = [LOW + 5.0 * node for node in range(5)]
POWER, FLOW = (
    [Pump.tag(f"{kind}Curve{node + 1}") for node in range(5)] for kind in ("Power", "Flow")
)
MOST = {Pump.Power: 60.0, Pump.Flow: 400.0}


class Learner(Alone):
    """Pump 0 at 40 Hz, as it is asked to be, with everything known of it but its curves."""

    def __init__(self, period: float = 10.0, learning_time: float = 1800.0) -> None:
        super().__init__(Adaptation, period, (0,), learning_time=learning_time)
        self[Pump.LowLimit][0], self[Pump.HighLimit][0] = LOW, HIGH
        self[Pump.HardMaxPower][0], self[Pump.HardMaxFlow][0] = MOST[Pump.Power], MOST[Pump.Flow]
        self[Pump.Turning][0] = True
        for tag in (Pump.RunningQuality, Pump.SpeedQuality, Pump.PowerQuality, Pump.FlowQuality):
            self[tag][0] = 2
        self.turn(40.0)

    def turn(self, speed: float, share: float = 1.0) -> None:
        """At a speed, with what the plant then shows; power is that share of the truth."""
        self[Pump.Speed][0] = self[Pump.Setpoint][0] = speed
        self[Pump.Power][0] = lift.power(speed) * share
        self[Pump.Flow][0] = lift.flow(speed)

    def run(self, seconds: float) -> None:
        self.step(round(seconds / self.period))

    def curve(self, tags: list[Tag]) -> list[float]:
        return [float(self[tag][0]) for tag in tags]

    def visit(self, hours: float, seed: int = 1, noise: float = 0.0, lies: float = 0.0) -> None:
        """Speeds all over the range, each for ten minutes, as disturbed measurements show them."""
        random = Random(seed)
        for _ in range(round(hours * 6)):
            speed = random.uniform(LOW, HIGH)
            for _ in range(round(600.0 / self.period)):
                self.turn(speed)
                for tag, most in MOST.items():
                    self[tag][0] *= random.gauss(1.0, noise)
                    if random.random() < lies:
                        self[tag][0] = random.uniform(0.0, 3.0 * most)
                self.step()


@pytest.fixture
def learner() -> Learner:
    return Learner()


@pytest.mark.parametrize(("noise", "within"), [(0.0, 0.01), (0.05, 0.02)])
def test_the_curves_become_those_of_the_plant(
    learner: Learner, noise: float, within: float
) -> None:
    learner.visit(hours=100.0, noise=noise)
    assert learner.curve(POWER) == pytest.approx(
        [lift.power(speed) for speed in NODES], abs=within * lift.FULL_POWER
    )
    assert learner.curve(FLOW) == pytest.approx(
        [lift.flow(speed) for speed in NODES], abs=2.0 * within * lift.FULL_FLOW
    )
    half = speed_for(lift.FULL_POWER / 2.0, LOW, HIGH, *learner.curve(POWER))
    assert half / lift.NOMINAL == pytest.approx(0.765, abs=0.01)


def test_one_lie_in_twenty_bends_the_curve_only_a_little(learner: Learner) -> None:
    learner.visit(hours=50.0)
    learner.visit(hours=50.0, seed=2, lies=0.05)
    assert learner.curve(POWER) == pytest.approx([lift.power(s) for s in NODES], abs=1.0)


@pytest.mark.parametrize("lie", [0.0001, 3000.0])
def test_a_lasting_lie_moves_a_node_by_an_eighth_of_the_maximum_in_a_learning_time(
    learner: Learner, lie: float
) -> None:
    learner.visit(hours=20.0)
    learner.turn(40.0)
    learner.run(60.0)
    before = learner.curve(POWER)
    learner[Pump.Power][0] = lie
    learner.run(1800.0)
    moved = [abs(a - b) for a, b in zip(learner.curve(POWER), before, strict=True)]
    assert max(moved) <= MOST[Pump.Power] / 8.0
    assert moved[2] > MOST[Pump.Power] / 16.0


def test_a_changed_plant_is_learned_in_hours(learner: Learner) -> None:
    learner.run(HOUR)
    learner.turn(40.0, share=1.25)
    learner.run(4.0 * HOUR)
    assert learner[Pump.ExpectedPower][0] == pytest.approx(1.25 * lift.power(40.0), rel=0.01)


@pytest.mark.parametrize("doubt", [Pump.PowerDeviates, Pump.NoFlow])
def test_what_supervision_doubts_is_learned_at_a_tenth_of_the_pace(
    learner: Learner, doubt: Tag
) -> None:
    learner.run(60.0)
    start = learner[Pump.PowerCurve3][0]
    learner.turn(40.0, share=1.5)
    learner.step()
    usual = learner[Pump.PowerCurve3][0] - start
    learner[Pump.PowerCurve3][0] = start
    learner[doubt][0] = True
    learner.step()
    assert learner[Pump.PowerCurve3][0] - start == pytest.approx(usual / 10.0)


def test_a_node_begins_with_what_the_affinity_laws_make_of_its_neighbourhood(
    learner: Learner,
) -> None:
    learner.turn(42.0)
    learner.run(40.0)
    cube = [lift.power(42.0) * (speed / 42.0) ** 3 for speed in (40.0, 45.0)]
    line = [lift.flow(42.0) * speed / 42.0 for speed in (40.0, 45.0)]
    assert learner.curve(POWER) == pytest.approx([0.0, 0.0, *cube, 0.0], rel=1e-3)
    assert learner.curve(FLOW) == pytest.approx([0.0, 0.0, *line, 0.0], rel=1e-3)


UNSETTLED: dict[str, dict[Tag, float]] = {
    "it stands": {Pump.Turning: False},
    "it reports nothing": {Pump.RunningQuality: 0},
    "its speed is uncertain": {Pump.SpeedQuality: 1},
    "it does not follow": {Pump.Setpoint: 40.6},
    "it is below its range": {Pump.Speed: 29.0, Pump.Setpoint: 29.0},
    "it hardly turns": {Pump.Speed: 0.4, Pump.Setpoint: 0.4, Pump.LowLimit: 0.0},
    "power and flow are bad": {Pump.PowerQuality: 0, Pump.FlowQuality: 0},
    "power and flow are nothing": {Pump.Power: 0.0, Pump.Flow: 0.0},
    "power and flow are negative": {Pump.Power: -1.0, Pump.Flow: -1.0},
}


@pytest.mark.parametrize("why", UNSETTLED)
def test_nothing_is_learned_while(why: str, learner: Learner) -> None:
    for tag, value in UNSETTLED[why].items():
        learner[tag][0] = value
    learner.run(HOUR)
    assert learner.curve(POWER) == learner.curve(FLOW) == [0.0] * 5


@pytest.mark.parametrize("drift", [0.04, 0.6])
def test_a_speed_that_does_not_stay_for_half_a_minute_teaches_nothing(drift: float) -> None:
    learner = Learner(period=1.0)
    for second in range(1000):
        learner.turn(40.0 + drift * (second % 20))
        learner.step()
    assert learner.curve(POWER) == [0.0] * 5


def test_a_speed_counts_as_steady_after_half_a_minute() -> None:
    learner = Learner(period=1.0)
    learner.run(30.0)
    assert learner.curve(POWER) == [0.0] * 5
    learner.step()
    assert learner[Pump.PowerCurve3][0] > 0.0


def test_what_is_expected_is_known_only_where_it_was_learned(learner: Learner) -> None:
    learner.turn(42.0)
    learner.run(HOUR)
    assert learner[Pump.ExpectedPower][0] == pytest.approx(lift.power(42.0), rel=0.01)
    assert learner[Pump.ExpectedFlow][0] == pytest.approx(lift.flow(42.0), rel=0.01)
    for speed, known in [(43.5, True), (45.5, False), (39.0, False), (20.0, False)]:
        learner.turn(speed)
        learner.step()
        assert (learner[Pump.ExpectedPower][0] > 0.0) == known
        assert (learner[Pump.ExpectedFlow][0] > 0.0) == known
    learner.turn(42.0)
    for tag, value in [(Pump.SpeedQuality, 1), (Pump.Turning, False)]:
        learner[tag][0] = value
        learner.step()
        assert learner[Pump.ExpectedPower][0] == learner[Pump.ExpectedFlow][0] == 0.0


def test_changed_limits_move_the_nodes_along_the_curve(learner: Learner) -> None:
    learner.visit(hours=50.0)
    before = learner.curve(POWER)
    learner[Pump.LowLimit][0], learner[Pump.HighLimit][0] = 35.0, 45.0
    learner[Pump.Turning][0] = False
    learner.step()
    halfway = [(a + b) / 2.0 for a, b in pairwise(before[1:4])]
    expected = [before[1], halfway[0], before[2], halfway[1], before[3]]
    assert learner.curve(POWER) == pytest.approx(expected)
    learner[Pump.LowLimit][0], learner[Pump.HighLimit][0] = LOW, HIGH
    learner.step()
    assert learner.curve(POWER) == pytest.approx([0.0, *before[1:4], 0.0])


@pytest.mark.parametrize("limits", [(0.0, 0.0), (50.0, 50.0), (50.0, 30.0)])
def test_without_a_range_of_speeds_the_curve_stays_and_nothing_is_expected(
    learner: Learner, limits: tuple[float, float]
) -> None:
    learner.run(HOUR)
    before = learner.curve(POWER)
    learner[Pump.LowLimit][0], learner[Pump.HighLimit][0] = limits
    learner.run(HOUR)
    assert learner.curve(POWER) == before
    assert learner[Pump.ExpectedPower][0] == 0.0


def test_a_meter_that_lies_teaches_no_more_than_half_above_the_highest(learner: Learner) -> None:
    learner.run(HOUR)
    for tag, curve in ((Pump.Power, POWER), (Pump.Flow, FLOW)):
        learner[tag][0] = tag.high
        learner.run(10.0 * HOUR)
        assert max(learner.curve(curve)) == pytest.approx(1.5 * MOST[tag])


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_course_of_measurements_moves_a_curve_beyond_its_bounds(data: st.DataObject) -> None:
    learner = Learner(learning_time=data.draw(st.sampled_from([60.0, 1800.0])))
    random = data.draw(st.randoms(use_true_random=False))
    most = {tag: random.choice([-1.0, 0.0, 5e-324, 30.0, tag.high]) for tag in MOST}
    learner[Pump.HardMaxPower][0], learner[Pump.HardMaxFlow][0] = most.values()
    for _ in range(60):
        if random.random() < 0.2:
            learner[Pump.Speed][0] = learner[Pump.Setpoint][0] = random.uniform(-1.0, 60.0)
            learner[Pump.LowLimit][0] = random.choice([0.0, LOW, LOW, 34.0])
        for tag, quality in ((Pump.Power, Pump.PowerQuality), (Pump.Flow, Pump.FlowQuality)):
            learner[tag][0] = random.choice([0.0, 5e-324, tag.high, random.uniform(0.0, 100.0)])
            learner[quality][0] = random.choice([0, 1, 2, 2, 2])
        learner[System.Elapsed][0] = random.choice([0.0, 0.1, 10.0, 60.0])
        learner.step()
        for tag, curve in ((Pump.Power, POWER), (Pump.Flow, FLOW)):
            highest = min(max(0.0, 1.5 * most[tag]), tag.high)
            assert all(0.0 <= node <= highest * (1.0 + 1e-12) for node in learner.curve(curve))
        assert 0.0 <= learner[Pump.ExpectedPower][0] <= Pump.ExpectedPower.high
        assert 0.0 <= learner[Pump.ExpectedFlow][0] <= Pump.ExpectedFlow.high
