"""Well level: one level of several sensors, and what flows in."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.well_level import WellLevel
from runtime.tags import FOREVER, Pump, Station
from tests.blocks.alone import Alone

BAD, UNCERTAIN, GOOD = 0, 1, 2
FILLING = 1
HOUR = 3600.0


class Well(Alone):
    """Stations whose sensors are all Good and whose pumps stand, unless a test says otherwise."""

    def __init__(
        self, period: float = 1.0, station_of: tuple[int, ...] = (0, 0, 1, 1), **settings: float
    ) -> None:
        super().__init__(WellLevel, period, station_of, **settings)
        for quality in (Pump.LevelQuality, Pump.FlowQuality, Pump.RunningQuality):
            self[quality][:] = GOOD
        self[Station.WellArea][:] = 12.0

    def measure(self, levels: list[float], qualities: list[int] | None = None) -> None:
        """A scan that sees these levels."""
        self[Pump.Level][:] = levels
        self[Pump.LevelQuality][:] = qualities or [GOOD] * len(levels)
        self.step()


def test_one_sensor_is_the_level() -> None:
    well = Well(station_of=(0, 1))
    well.measure([1.25, 7.5])
    assert well[Station.Level].tolist() == [1.25, 7.5]
    assert well[Station.LevelQuality].tolist() == [GOOD, GOOD]
    assert well[Station.LevelSensors].tolist() == [1, 1]
    assert well[Station.LevelSpread].tolist() == [0.0, 0.0]


def test_of_two_sensors_the_level_is_the_mean() -> None:
    well = Well()
    well.measure([1.0, 2.0, 7.0, 8.0])
    assert well[Station.Level].tolist() == [1.5, 7.5]


def test_of_three_sensors_one_may_measure_anything() -> None:
    well = Well(station_of=(0, 0, 0))
    for wrong in (-20.0, 1.04, 30.0):
        well.measure([1.0, wrong, 1.1])
        assert 1.0 <= well[Station.Level][0] <= 1.1


def test_sensors_go_one_by_one_until_the_last_level_stays() -> None:
    well = Well(station_of=(0, 0, 0))
    course = [
        ([GOOD, GOOD, GOOD], 2.0, GOOD, 3),
        ([GOOD, BAD, GOOD], 5.5, GOOD, 2),
        ([BAD, BAD, GOOD], 10.0, GOOD, 1),
        ([BAD, UNCERTAIN, BAD], 10.0, UNCERTAIN, 0),
        ([BAD, BAD, BAD], 10.0, BAD, 0),
        ([GOOD, UNCERTAIN, BAD], 1.0, GOOD, 1),
    ]
    for qualities, level, quality, sensors in course:
        well.measure([1.0, 2.0, 10.0], qualities)
        assert well[Station.Level][0] == level
        assert well[Station.LevelQuality][0] == quality
        assert well[Station.LevelSensors][0] == sensors


def test_sensors_that_all_measure_the_same_are_as_good_as_one() -> None:
    well = Well(station_of=(0,) * 7)
    well.measure([1.5] * 7)
    assert (well[Station.Level][0], well[Station.LevelSpread][0]) == (1.5, 0.0)


def test_more_sensors_than_can_be_counted_give_a_level_all_the_same() -> None:
    well = Well(station_of=(0,) * 600)
    levels = [float(slot * 7 % 600) / 100.0 for slot in range(600)]
    well.measure(levels)
    assert well[Station.Level][0] == statistics.median(levels)
    assert well[Station.LevelSensors][0] == 255


def test_sensors_of_each_station_are_counted_for_themselves() -> None:
    well = Well(station_of=(0,) * 200 + (1,) * 100)
    well.measure([1.0] * 300)
    assert well[Station.LevelSensors].tolist() == [200, 100]


def test_a_pump_of_no_station_harms_none() -> None:
    well = Well()
    well[Pump.Station][:] = [-1, 0, 1, 99]
    well.measure([1.0, 2.0, 3.0, 5.0])
    assert well[Station.Level].tolist() == [1.5, 4.0]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.floats(-20.0, 30.0), st.sampled_from((0, 1, 2))),
        min_size=3,
        max_size=30,
    )
)
def test_pumps_of_a_station_need_not_stand_together(rows: list[tuple[int, float, int]]) -> None:
    well = Well(station_of=(*(station for station, _, _ in rows), 2))
    well.measure([*(level for _, level, _ in rows), 0.0], [*(good for _, _, good in rows), BAD])
    for station in range(3):
        good = [level for s, level, quality in rows if (s, quality) == (station, GOOD)]
        assert well[Station.LevelSensors][station] == len(good)
        assert well[Station.LevelSpread][station] == (max(good) - min(good) if good else 0.0)
        assert well[Station.Level][station] == (statistics.median(good) if good else 0.0)


def test_sensors_that_differ_by_more_than_allowed_are_told_of() -> None:
    well = Well(difference=0.25)
    well.measure([1.0, 1.25, 1.0, math.nextafter(1.25, 2.0)])
    assert well[Station.LevelSpread].tolist() == pytest.approx([0.25, 0.25])
    assert well[Station.LevelsDiffer].tolist() == [False, True]
    well.measure([1.0, 1.25, 1.0, 9.0], [GOOD, GOOD, GOOD, BAD])
    assert not well[Station.LevelsDiffer].any()
    well.measure([1.0, 9.0, 1.0, 9.0], [BAD] * 4)
    assert not well[Station.LevelsDiffer].any()


def test_sensors_that_differ_agree_again_only_when_they_differ_by_half_of_what_is_allowed() -> None:
    well = Well(difference=0.25, station_of=(0, 0))
    for high, differ in ((1.25, False), (1.26, True), (1.24, True), (1.126, True), (1.125, False)):
        well.measure([1.0, high])
        assert well[Station.LevelsDiffer][0] == differ
    well.measure([1.0, 1.2])
    assert not well[Station.LevelsDiffer][0], "not before they differ by more than allowed"


def test_inflow_is_in_cubic_metres_an_hour_whatever_the_level_does_in_a_second() -> None:
    well = Well(smoothing=0.0)
    well.measure([1.0] * 4)
    well.measure([1.001] * 4)
    assert well[Station.Inflow].tolist() == pytest.approx([12.0 * 0.001 * 3600.0] * 2)


@pytest.mark.parametrize("quality", [BAD, UNCERTAIN])
def test_the_time_without_a_good_level_counts_up(quality: int) -> None:
    well = Well(period=0.5)
    well.measure([1.0] * 4)
    assert well[Station.LevelLostTime].tolist() == [0.0, 0.0]
    for lost in (0.5, 1.0, 1.5):
        well.measure([1.0] * 4, [quality, quality, GOOD, quality])
        assert well[Station.LevelLostTime].tolist() == [lost, 0.0]
    well.measure([1.0] * 4)
    assert well[Station.LevelLostTime].tolist() == [0.0, 0.0]
    well[Station.LevelLostTime][:] = FOREVER
    well.measure([1.0] * 4, [quality] * 4)
    assert well[Station.LevelLostTime].tolist() == [FOREVER, FOREVER]


def test_feedback_is_lost_without_a_report_or_without_a_level() -> None:
    well = Well()
    well[Pump.RunningQuality][0] = BAD
    well.measure([1.0] * 4, [BAD, GOOD, BAD, BAD])
    assert well[Pump.FeedbackLost].tolist() == [True, False, True, True]
    well[Pump.Configured][:] = [False, True, False, True]
    well.measure([1.0] * 4, [BAD, GOOD, BAD, UNCERTAIN])
    assert not well[Pump.FeedbackLost].any(), "not of retired pumps, nor of a level that is held"


def run_well(well: Well, inflow: float, seconds: float, filling: bool = False) -> None:
    """Let the level of station 0 follow from the balance of its volume."""
    sign = -1.0 if filling else 1.0
    for _ in range(round(seconds / well.period)):
        pumped = float(well[Pump.Flow][:2].sum())
        rise = sign * (inflow - pumped) / HOUR / 12.0 * well.period
        well[Pump.Level][:2] += rise
        well.step()


@pytest.mark.parametrize("filling", [False, True])
def test_the_estimate_finds_what_flows_in_or_is_consumed(filling: bool) -> None:
    well = Well()
    well[Station.FlowDirection][:] = FILLING if filling else 0
    well[Pump.Level][:] = 2.0
    well[Pump.Flow][:] = [30.0, 60.0, 0.0, 0.0]
    well.step()
    run_well(well, 150.0, 1200.0, filling)
    assert well[Station.InflowQuality].tolist() == [GOOD, GOOD]
    assert well[Station.Inflow].tolist() == pytest.approx([150.0, 0.0], abs=1e-6)


def test_the_estimate_follows_a_step_as_a_filter_of_first_order() -> None:
    well = Well(period=0.5, smoothing=60.0)
    well.step()
    run_well(well, 100.0, 60.0)
    assert well[Station.Inflow][0] == pytest.approx(100.0 * (1.0 - (60.0 / 60.5) ** 120))
    assert well[Station.Inflow][0] == pytest.approx(100.0 * (1.0 - math.exp(-1.0)), abs=0.2)


def test_a_pump_that_starts_does_not_disturb_the_estimate() -> None:
    well = Well()
    well[Pump.Level][:] = 2.0
    well.step()
    run_well(well, 100.0, 900.0)
    before = well[Station.Inflow][0]
    well[Pump.Flow][0] = 250.0
    run_well(well, 100.0, 120.0)
    assert well[Station.Inflow][0] == pytest.approx(before, rel=1e-4)


def test_the_estimate_begins_with_what_is_pumped() -> None:
    well = Well()
    well[Pump.Flow][:] = 45.0
    well[Pump.Level][:] = 2.0
    well.step()
    assert well[Station.Inflow].tolist() == [90.0, 90.0]


@pytest.mark.parametrize(
    ("turning", "quality", "expected", "pumped", "known"),
    [
        (True, GOOD, 0.0, 80.0, True),
        (False, GOOD, 70.0, 80.0, True),
        (True, BAD, 70.0, 70.0, True),
        (True, UNCERTAIN, 70.0, 70.0, True),
        (False, BAD, 70.0, 0.0, True),
        (True, BAD, 0.0, 0.0, False),
    ],
)
def test_what_a_pump_moves_is_measured_or_learned_or_not_known(
    turning: bool, quality: int, expected: float, pumped: float, known: bool
) -> None:
    well = Well()
    well[Pump.Flow][0] = 80.0
    well[Pump.FlowQuality][0] = quality
    well[Pump.ExpectedFlow][0] = expected
    well[Pump.Turning][0] = turning
    well.step()
    assert well[Station.Inflow][0] == pumped
    assert well[Station.InflowQuality].tolist() == [GOOD if known else BAD, GOOD]


def test_the_estimate_stays_while_it_is_not_known_what_the_pumps_move() -> None:
    well = Well()
    well[Pump.Level][:] = 2.0
    well.step()
    run_well(well, 100.0, 900.0)
    before = well[Station.Inflow][0]
    well[Pump.Turning][0], well[Pump.FlowQuality][0] = True, BAD
    run_well(well, 500.0, 60.0)
    assert well[Station.Inflow][0] == before
    assert well[Station.InflowQuality][0] == BAD
    well[Pump.Turning][0] = False
    run_well(well, 100.0, 1.0)
    assert well[Station.Inflow][0] == pytest.approx(before, rel=0.02), "no leap by what was missed"


def test_without_a_level_the_estimate_settles_at_what_is_pumped() -> None:
    well = Well()
    well[Pump.Flow][:2] = 40.0
    well[Pump.Level][:] = 2.0
    well.step()
    run_well(well, 200.0, 600.0)
    well[Pump.LevelQuality][:] = UNCERTAIN
    well.step()
    assert well[Station.InflowQuality][0] == BAD
    assert well[Station.Inflow][0] > 190.0, "a moment without a level is no change"
    well.step(1200)
    assert well[Station.Inflow][0] == pytest.approx(80.0)
    well[Pump.Level][:] = 2.5
    well[Pump.LevelQuality][:] = GOOD
    well.step()
    assert well[Station.Inflow][0] == pytest.approx(80.0), "what rose unseen is not what rises now"
    assert well[Station.InflowQuality][0] == GOOD


@pytest.mark.parametrize("area", [0.0, -1.0, math.nan, math.inf, -math.inf, 1e308])
def test_without_an_area_the_estimate_is_bad_and_a_number(area: float) -> None:
    well = Well()
    well[Station.WellArea][0] = area
    well[Pump.Flow][:] = 10.0
    for level in (1.0, 2.0, 1.0):
        well.measure([level] * 4)
        assert well[Station.Inflow][0] == pytest.approx(20.0)
        assert well[Station.InflowQuality].tolist() == [BAD, GOOD]


@pytest.mark.parametrize(
    ("area", "quality"), [(0.5, GOOD), (1e6, GOOD), (math.nextafter(1e6, 2e6), BAD)]
)
def test_an_area_may_be_small_or_large_but_not_beyond_its_range(area: float, quality: int) -> None:
    well = Well()
    well[Station.WellArea][0] = area
    well.measure([2.0] * 4)
    assert well[Station.InflowQuality].tolist() == [quality, GOOD]


@pytest.mark.parametrize("area", [math.nan, math.inf])
def test_an_area_that_is_lost_leaves_the_estimate_a_number(area: float) -> None:
    well = Well()
    well.measure([2.0] * 4)
    well.measure([2.1] * 4)
    before = well[Station.Inflow][0]
    well[Station.WellArea][0] = area
    well.measure([2.2] * 4)
    assert 0.0 < well[Station.Inflow][0] < before
    well.measure([2.2] * 4, [BAD] * 4)
    assert 0.0 < well[Station.Inflow][0] < before


def test_a_sensor_that_comes_or_goes_is_no_inflow() -> None:
    well = Well()
    well.measure([1.0, 2.0, 1.0, 2.0])
    well.measure([1.0, 2.0, 1.0, 2.0], [GOOD, BAD, GOOD, GOOD])
    assert well[Station.Level].tolist() == [1.0, 1.5]
    well.measure([1.0, 2.0, 1.0, 2.0])
    assert well[Station.Inflow].tolist() == [0.0, 0.0]


def test_an_estimate_beyond_what_can_be_shown_is_held_at_the_end_of_its_range() -> None:
    well = Well(smoothing=0.0)
    for level, estimate in ((1.0, 0.0), (30.0, Station.Inflow.high), (-20.0, Station.Inflow.low)):
        well.measure([level] * 4)
        assert well[Station.Inflow].tolist() == [estimate, estimate]


def test_sudden_noise_of_the_level_moves_the_estimate_little() -> None:
    well = Well(period=0.1, station_of=(0,))
    noise = np.random.default_rng(1).normal(0.0, 0.01, 6000)
    worst = 0.0
    for value in noise:
        well.measure([2.0 + float(value)])
        worst = max(worst, abs(float(well[Station.Inflow][0])))
    assert worst < 12.0 * 0.04 / 60.0 * HOUR * 2.0, "A · peak of the noise / smoothing"
