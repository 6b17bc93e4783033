"""Feedback: what is measured is believed only when it is fresh, can be, and lives."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.feedback import Feedback
from runtime.tag import Tag
from runtime.tags import FOREVER, Pump, System
from tests.blocks.alone import START, Alone

BAD, UNCERTAIN, GOOD = 0, 1, 2


class Kind(NamedTuple):
    """The tags of one kind of measurement."""

    measured: Tag
    shown: Tag
    quality: Tag
    doubt: Tag
    rate: str


SPEED = Kind(Pump.MeasuredSpeed, Pump.Speed, Pump.SpeedQuality, Pump.SpeedDoubt, "speed_rate")
POWER = Kind(Pump.MeasuredPower, Pump.Power, Pump.PowerQuality, Pump.PowerDoubt, "power_rate")
FLOW = Kind(Pump.MeasuredFlow, Pump.Flow, Pump.FlowQuality, Pump.FlowDoubt, "flow_rate")
LEVEL = Kind(Pump.MeasuredLevel, Pump.Level, Pump.LevelQuality, Pump.LevelDoubt, "level_rate")
KINDS = (SPEED, POWER, FLOW, LEVEL)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.shown.name)


class Plant(Alone):
    """Pumps whose feedback is measured in every scan, unless a test says when it was."""

    def __init__(self, period: float = 1.0, **settings: float) -> None:
        super().__init__(Feedback, period, (0, 0, 1, 1), **settings)

    def measure(self, kind: Kind, value: float, age: float = 0.0) -> tuple[float, int, str]:
        """A scan that sees this of pump 0: what is shown then, its quality and the doubt."""
        self[kind.measured][0] = value
        self[Pump.MeasuredTime][:] = self.now + self.period - age
        self.step()
        return self.shown(kind)

    def shown(self, kind: Kind) -> tuple[float, int, str]:
        assert kind.doubt.states
        doubt = kind.doubt.states[int(self[kind.doubt][0])]
        return float(self[kind.shown][0]), int(self[kind.quality][0]), doubt


@pytest.mark.parametrize(
    ("age", "quality", "doubt"),
    [
        (0.0, GOOD, "none"),
        (30.0, GOOD, "none"),
        (30.01, BAD, "stale"),
        (-1.0, GOOD, "none"),
        (-1.01, BAD, "stale"),
    ],
)
def test_feedback_is_good_from_1_s_before_to_its_greatest_age(
    age: float, quality: int, doubt: str
) -> None:
    plant = Plant()
    for kind in KINDS:
        assert plant.measure(kind, 0.0, age)[1:] == (quality, doubt)
    assert plant[Pump.RunningQuality][0] == quality
    assert plant[Pump.FeedbackAge][0] == pytest.approx(max(age, 0.0), abs=1e-6)


def test_feedback_that_never_came_is_bad_even_just_after_the_machine_has_started() -> None:
    plant = Plant()
    plant.columns[System.Now][0] = 5.0
    plant.step()
    assert plant.shown(LEVEL) == (0.0, BAD, "not measured")
    assert not plant[Pump.RunningQuality].any()


@every_kind
@pytest.mark.parametrize(
    ("nonsense", "doubt"),
    [
        (math.nan, "not measured"),
        (math.inf, "out of range"),
        (-math.inf, "out of range"),
        (1e308, "out of range"),
        (-1e308, "out of range"),
    ],
)
def test_a_value_that_can_not_be_is_bad_and_the_last_good_one_stays(
    kind: Kind, nonsense: float, doubt: str
) -> None:
    plant = Plant()
    assert plant.measure(kind, 1.25) == (1.25, GOOD, "none")
    assert plant.measure(kind, nonsense) == (1.25, BAD, doubt)
    others = [other for other in KINDS if other is not kind]
    assert all(plant.shown(other)[1] == GOOD for other in others), "each is judged for itself"


@every_kind
def test_the_ends_of_the_range_belong_to_it(kind: Kind) -> None:
    low, high = kind.shown.low, kind.shown.high
    plant = Plant()
    plant[kind.measured][:] = [low, high, math.nextafter(high, math.inf), math.nan]
    plant.measure(kind, low)
    assert plant[kind.quality].tolist() == [GOOD, GOOD, BAD, BAD]


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, 1e308, 5e-324])
def test_a_time_that_is_none_makes_feedback_bad_and_its_age_stays_a_number(time: float) -> None:
    plant = Plant()
    plant[Pump.MeasuredTime][:] = time
    plant.step()
    assert plant.shown(LEVEL)[1:] == (BAD, "stale")
    assert 0.0 <= plant[Pump.FeedbackAge][0] <= FOREVER


def test_states_stay_as_they_were_last_known() -> None:
    plant = Plant()
    plant[Pump.MeasuredRunning][0] = plant[Pump.MeasuredLocal][0] = True
    plant.measure(LEVEL, 1.0)
    plant[Pump.MeasuredRunning][0] = plant[Pump.MeasuredLocal][0] = False
    plant.measure(LEVEL, 1.0, age=31.0)
    assert plant[Pump.Running][0]
    assert plant[Pump.LocalControl][0]
    assert plant[Pump.RunningQuality][0] == BAD


def test_a_retired_pump_measures_nothing() -> None:
    plant = Plant()
    plant[Pump.Configured][0] = False
    plant[Pump.MeasuredRunning][:] = True
    assert plant.measure(LEVEL, 1.0) == (0.0, BAD, "not measured")
    assert plant[Pump.LevelQuality].tolist() == [BAD, GOOD, GOOD, GOOD]
    assert plant[Pump.Running].tolist() == [False, True, True, True]


@every_kind
def test_a_value_that_changes_too_fast_is_held_until_the_change_has_lasted(kind: Kind) -> None:
    plant = Plant(**{kind.rate: 0.1})
    plant.measure(kind, 1.0)
    for _ in range(9):
        assert plant.measure(kind, 2.0) == (1.0, UNCERTAIN, "changes too fast")
    assert plant.measure(kind, 2.0) == (2.0, GOOD, "none"), "1 m after 10 s is 0.1 m/s"
    assert plant.measure(kind, 1.0) == (2.0, UNCERTAIN, "changes too fast"), "down as well"


def test_a_single_wrong_measurement_is_never_shown() -> None:
    plant = Plant()
    plant.measure(LEVEL, 1.0)
    assert plant.measure(LEVEL, 3.0) == (1.0, UNCERTAIN, "changes too fast")
    assert plant.measure(LEVEL, 1.05) == (1.05, GOOD, "none")


def test_a_change_is_judged_by_the_time_between_the_measurements_not_between_the_scans() -> None:
    plant = Plant(period=0.1)
    plant.measure(LEVEL, 1.0, age=20.0)
    assert plant.measure(LEVEL, 2.9) == (2.9, GOOD, "none"), "1.9 m in 20.1 s"


def test_measurements_may_come_late_and_out_of_order() -> None:
    plant = Plant()
    plant.measure(LEVEL, 1.0)
    assert plant.measure(LEVEL, 1.9, age=10.0) == (1.9, GOOD, "none"), "0.9 m in 9 s"


def test_noise_of_frequent_measurements_is_not_taken_for_fast_changes() -> None:
    plant = Plant(period=0.1)
    for value in (1.0, 1.09, 1.0, 0.91, 1.0):
        assert plant.measure(LEVEL, value) == (value, GOOD, "none")


def test_a_held_value_is_bad_once_it_is_too_old() -> None:
    plant = Plant(max_age=5.0)
    plant.measure(LEVEL, 1.0)
    plant.measure(LEVEL, 3.0)
    plant.step(4)
    assert plant.shown(LEVEL) == (1.0, UNCERTAIN, "changes too fast"), "5 s old"
    plant.step()
    assert plant.shown(LEVEL) == (1.0, BAD, "changes too fast"), "6 s old, the other 5 s"
    plant.step()
    assert plant.shown(LEVEL) == (1.0, BAD, "stale")


def test_the_first_value_is_accepted_even_just_after_the_machine_has_started() -> None:
    plant = Plant()
    plant[System.Now][0] = 5.0
    assert plant.measure(LEVEL, 9.0) == (9.0, GOOD, "none")


def test_a_value_of_the_greatest_age_still_says_what_may_follow() -> None:
    plant = Plant()
    plant.measure(LEVEL, 1.0)
    plant.step(29)
    assert plant.measure(LEVEL, 9.0) == (1.0, UNCERTAIN, "changes too fast")


def test_after_a_long_gap_any_value_is_accepted() -> None:
    plant = Plant()
    plant.measure(LEVEL, 1.0)
    plant.step(30)
    assert plant.measure(LEVEL, 9.0) == (9.0, GOOD, "none")


@every_kind
def test_a_rate_that_is_not_set_depends_on_the_kind(kind: Kind) -> None:
    plant = Plant()
    plant.measure(kind, kind.shown.high)
    accepted = plant.measure(kind, kind.shown.low)[1] == GOOD
    assert accepted == (kind in (POWER, FLOW)), "these two change by leaps when a pump starts"


STUCK = {POWER: "power_stuck", FLOW: "flow_stuck", LEVEL: "stuck"}


@pytest.mark.parametrize("kind", [POWER, FLOW], ids=lambda kind: kind.shown.name)
def test_a_steady_power_or_flow_in_coarse_steps_is_believed_by_default(kind: Kind) -> None:
    plant = Plant(period=60.0, max_age=90.0)
    plant[Pump.MeasuredRunning][0] = True
    for _ in range(70):
        assert plant.measure(kind, 12.3) == (12.3, GOOD, "none")


@pytest.mark.parametrize("kind", [POWER, FLOW, LEVEL], ids=lambda kind: kind.shown.name)
def test_what_stays_the_same_for_too_long_is_stuck(kind: Kind) -> None:
    own = {"stuck": 1e9, "power_stuck": 1e9, "flow_stuck": 1e9} | {STUCK[kind]: 3600.0}
    plant = Plant(period=60.0, max_age=90.0, **own)
    plant[Pump.MeasuredRunning][0] = True
    plant.measure(kind, 1.0)
    for _ in range(60):
        assert plant.measure(kind, 1.0) == (1.0, GOOD, "none")
    assert plant.measure(kind, 1.0) == (1.0, BAD, "stuck")
    changed = math.nextafter(1.0, 2.0)
    assert plant.measure(kind, changed) == (changed, GOOD, "none"), "the last digit is enough"
    assert plant.measure(kind, changed) == (changed, GOOD, "none")


def test_the_time_to_be_stuck_may_be_less_than_a_second() -> None:
    plant = Plant(period=0.25, stuck=0.5)
    plant.measure(LEVEL, 1.0)
    doubts = [plant.measure(LEVEL, 1.0)[2] for _ in range(3)]
    assert doubts == ["none", "none", "stuck"]


def test_what_was_stuck_may_be_anything_when_it_lives_again() -> None:
    plant = Plant(period=60.0, max_age=90.0, level_rate=0.001)
    plant.measure(LEVEL, 1.0)
    for _ in range(63):
        plant.measure(LEVEL, 1.0)
    assert plant.measure(LEVEL, 9.0) == (9.0, GOOD, "none"), "the last good one is too old"


@pytest.mark.parametrize("kind", [SPEED, POWER, FLOW], ids=lambda kind: kind.shown.name)
def test_a_pump_at_rest_may_measure_the_same_for_ever(kind: Kind) -> None:
    plant = Plant(period=60.0, max_age=90.0, power_stuck=3600.0, flow_stuck=3600.0)
    for _ in range(70):
        assert plant.measure(kind, 0.0) == (0.0, GOOD, "none")


def test_a_running_pump_may_keep_its_speed_for_ever() -> None:
    plant = Plant(period=60.0, max_age=90.0)
    plant[Pump.MeasuredRunning][0] = True
    for _ in range(70):
        assert plant.measure(SPEED, 40.0) == (40.0, GOOD, "none")


def test_nothing_is_stuck_where_that_is_switched_off() -> None:
    plant = Plant(period=3600.0, max_age=3600.0, stuck=0.0)
    for _ in range(5):
        assert plant.measure(LEVEL, 1.0) == (1.0, GOOD, "none")


def test_stale_feedback_does_not_grow_stuck() -> None:
    plant = Plant(period=60.0, max_age=90.0)
    plant.measure(LEVEL, 1.0)
    for _ in range(70):
        assert plant.measure(LEVEL, 1.0, age=91.0) == (1.0, BAD, "stale")
    assert plant.measure(LEVEL, 1.0) == (1.0, GOOD, "none")


WHATEVER = st.floats() | st.sampled_from((0.0, -0.0, 5e-324, 1e308, math.inf, math.nan, 1.0))
TIMES = st.floats(START - 40.0, START + 40.0) | WHATEVER


@settings(deadline=None)
@given(st.lists(st.tuples(TIMES, WHATEVER, st.booleans()), min_size=1, max_size=20))
def test_whatever_comes_every_value_shown_is_one_that_can_be(
    course: list[tuple[float, float, bool]],
) -> None:
    plant = Plant(period=3.0, stuck=6.0, speed_rate=0.1)
    for time, value, state in course:
        plant[Pump.MeasuredTime][:] = time
        plant[Pump.MeasuredRunning][:] = state
        for kind in KINDS:
            plant[kind.measured][:] = value
        plant.step()
        for tag in (*(kind.shown for kind in KINDS), Pump.FeedbackAge):
            assert np.isfinite(plant[tag]).all()
            assert tag.low <= plant[tag].min() <= plant[tag].max() <= tag.high
        for kind in KINDS:
            value_shown, quality, doubt = plant.shown(kind)
            assert (quality == GOOD) == (doubt == "none")
            assert quality != GOOD or value_shown == value
