"""Feedback: what is measured is believed only when it is fresh and can be."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import FOREVER, Pump, Station
from tests.plc import Plc

BAD, GOOD = 0, 2
VALUES = [
    (Pump.MeasuredSpeed, Pump.Speed, Pump.SpeedQuality),
    (Pump.MeasuredPower, Pump.Power, Pump.PowerQuality),
    (Pump.MeasuredFlow, Pump.Flow, Pump.FlowQuality),
    (Pump.MeasuredLevel, Pump.Level, Pump.LevelQuality),
]


@pytest.fixture
def plc() -> Plc:
    plc = Plc(station_of=(0, 0, 0, 1))
    plc.step()
    plc.fresh = False
    return plc


def measured_ago(plc: Plc, seconds: float) -> None:
    """The next scan sees feedback of this age."""
    plc[Pump.MeasuredTime][:] = plc.clock.now() + plc.clock.period - seconds
    plc.step()


@pytest.mark.parametrize(
    ("age", "quality"), [(0.0, GOOD), (30.0, GOOD), (30.01, BAD), (-1.0, GOOD), (-1.01, BAD)]
)
def test_feedback_is_good_from_1_s_before_to_its_greatest_age(
    plc: Plc, age: float, quality: int
) -> None:
    measured_ago(plc, age)
    for tag in (Pump.SpeedQuality, Pump.PowerQuality, Pump.LevelQuality, Pump.RunningQuality):
        assert plc[tag][0] == quality
    assert plc[Pump.FeedbackLost][0] == (quality == BAD)
    assert plc[Pump.FeedbackAge][0] == pytest.approx(max(age, 0.0), abs=1e-6)


def test_feedback_that_never_came_is_bad_even_just_after_the_machine_has_started() -> None:
    plc = Plc()
    plc.clock.advance(-990.0)
    plc.fresh = False
    plc.step()
    assert plc[Pump.LevelQuality].tolist() == [BAD] * 4


@pytest.mark.parametrize(("measured", "shown", "quality"), VALUES)
@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_a_value_that_can_not_be_is_bad_and_the_last_good_one_stays(
    plc: Plc, measured: Tag, shown: Tag, quality: Tag, nonsense: float
) -> None:
    plc[measured][0] = 1.25
    measured_ago(plc, 0.0)
    assert (plc[shown][0], plc[quality][0]) == (1.25, GOOD)
    plc[measured][0] = nonsense
    measured_ago(plc, 0.0)
    assert (plc[shown][0], plc[quality][0]) == (1.25, BAD)
    others = [other for _, _, other in VALUES if other is not quality]
    assert all(plc[other][0] == GOOD for other in others), "each value is judged for itself"


@pytest.mark.parametrize(("measured", "shown", "quality"), VALUES)
def test_the_ends_of_the_range_belong_to_it(
    plc: Plc, measured: Tag, shown: Tag, quality: Tag
) -> None:
    plc[measured][:] = [shown.low, shown.high, math.nextafter(shown.high, math.inf), math.nan]
    measured_ago(plc, 0.0)
    assert plc[quality].tolist() == [GOOD, GOOD, BAD, BAD]


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_none_makes_feedback_bad_and_its_age_stays_a_number(
    plc: Plc, time: float
) -> None:
    plc[Pump.MeasuredTime][:] = time
    plc.step()
    assert plc[Pump.LevelQuality][0] == BAD
    assert 0.0 <= plc[Pump.FeedbackAge][0] <= FOREVER


def test_states_stay_as_they_were_last_known(plc: Plc) -> None:
    plc[Pump.MeasuredRunning][0] = plc[Pump.MeasuredLocal][0] = True
    measured_ago(plc, 0.0)
    plc[Pump.MeasuredRunning][0] = plc[Pump.MeasuredLocal][0] = False
    measured_ago(plc, 31.0)
    assert plc[Pump.Running][0]
    assert plc[Pump.LocalControl][0]
    assert plc[Pump.RunningQuality][0] == BAD


def test_the_level_of_a_station_is_the_mean_of_what_its_pumps_measure_well(plc: Plc) -> None:
    plc[Pump.MeasuredLevel][:] = [1.0, 2.0, math.nan, 7.0]
    measured_ago(plc, 0.0)
    assert plc[Station.Level].tolist() == [1.5, 7.0]
    plc[Pump.MeasuredLevel][:] = [math.nan, math.nan, math.nan, 8.0]
    measured_ago(plc, 0.0)
    assert plc[Station.Level].tolist() == [1.5, 8.0]
    assert plc[Station.LevelQuality].tolist() == [BAD, GOOD]


def test_a_retired_pump_measures_nothing(plc: Plc) -> None:
    plc[Pump.MeasuredLevel][:] = [1.0, 2.0, 3.0, 4.0]
    plc[Pump.Configured][0] = False
    measured_ago(plc, 0.0)
    assert plc[Pump.LevelQuality].tolist() == [BAD, GOOD, GOOD, GOOD]
    assert plc[Station.Level][0] == 2.5
    assert not plc[Pump.FeedbackLost][0]
