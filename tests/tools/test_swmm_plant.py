"""The station on EPA SWMM: what its pumps move, what its instruments say, and how it is scored."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tools.simulate.swmm.faults import LAG, Fault
from tools.simulate.swmm.lockstep import Case, Control, simulate
from tools.simulate.swmm.plant import Instruments, Plant, Reading, Truth, opened
from tools.simulate.swmm.reference import Fixed, OnOff
from tools.simulate.swmm.scores import Course, Scores, most_in_an_hour, score
from tools.simulate.swmm.station import Station
from tools.simulate.swmm.storms import CAPACITY, WEATHERS
from tools.simulate.swmm.weather import Storm, Weather

SCAN = 5
WIDE = Station(area=1e6)  # its level stays where it is
EXACT = Instruments(level_noise=0.0)
NO_INFLOW = Weather(dry=0.0, storms=())
EARLY = Weather(storms=(Storm(90.0, 1.0, 1.2),))


def stepped(plant: Plant, setpoints: list[float | None], scans: int) -> tuple[Reading, Truth]:
    for _ in range(scans):
        reading, truth = plant.step(setpoints)
    return reading, truth


@pytest.mark.parametrize(
    ("hz", "each", "energy"),
    [
        ((26.0, 0.0, 0.0), 0.0, None),  # below the dead-head speed
        ((30.0, 0.0, 0.0), 21.3, 28.2),
        ((33.0, 0.0, 0.0), 31.4, 25.9),
        ((40.0, 0.0, 0.0), 49.3, 28.0),
        ((50.0, 0.0, 0.0), 70.8, 34.4),
        ((50.0, 50.0, 0.0), 57.6, 47.9),
        ((50.0, 50.0, 50.0), 46.9, 60.3),
    ],
)
def test_the_pumps_move_by_the_affinity_laws_against_head_and_friction(
    hz: tuple[float, float, float], each: float, energy: float | None
) -> None:
    with opened(WIDE, NO_INFLOW, 1.0, SCAN, EXACT) as plant:
        _, truth = stepped(plant, list(hz), 120)
    running = np.array(hz) > 0
    assert truth.flow[running] == pytest.approx(each, abs=0.15)
    assert (truth.flow[~running] == 0.0).all()
    if energy is not None:
        per_volume = truth.power[running] / (truth.flow[running] * 3.6) * 1000.0  # Wh/m³
        assert per_volume == pytest.approx(energy, abs=0.2)


def test_what_comes_in_is_moved_out_spilled_or_kept() -> None:
    with opened(Station(), EARLY, 6.0, SCAN, EXACT) as plant:
        truths = [plant.step([35.0, 0.0, 0.0])[1] for _ in range(6 * 720)]
    arrived, spilled = sum(t.inflow for t in truths), sum(t.spill for t in truths)
    moved = sum(float(t.flow.sum()) for t in truths)
    kept = (truths[-1].level - Station().first_level) * Station().area * 1000.0 / SCAN
    assert spilled > 0.0
    assert arrived - moved - spilled == pytest.approx(kept, abs=0.002 * arrived)


def test_a_drive_ramps_by_a_tenth_of_its_speed_in_a_second() -> None:
    with opened(WIDE, NO_INFLOW, 1.0, SCAN, EXACT) as plant:
        assert [plant.step([40.0, 0.0, 0.0])[1].speed[0] for _ in range(3)] == [25.0, 40.0, 40.0]
        assert plant.step([0.0, 0.0, 0.0])[1].speed[0] == 15.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0, 50.2])
def test_a_setpoint_that_no_drive_takes_is_refused_and_counted(bad: float) -> None:
    with opened(WIDE, NO_INFLOW, 1.0, SCAN, EXACT) as plant:
        stepped(plant, [40.0, 0.0, 0.0], 3)
        reading, truth = stepped(plant, [bad, 0.0, None], 2)
        assert plant.drives.refused == 2
    assert reading.speed[0] == 40.0
    assert math.isfinite(truth.level)


def test_noise_comes_from_its_seed_and_is_of_each_sensor_alone() -> None:
    def levels(seed: int, sensors: int) -> list[list[float]]:
        with opened(WIDE, NO_INFLOW, 1.0, SCAN, Instruments(sensors=sensors, seed=seed)) as plant:
            return [plant.step([0.0, 0.0, 0.0])[0].level.tolist() for _ in range(400)]

    first = np.array(levels(1, 3))
    assert first.tolist() == levels(1, 3)
    assert first.tolist() != levels(2, 3)
    assert first.std(axis=0) == pytest.approx(0.01, abs=0.001)
    assert abs(np.corrcoef(first.T)[0, 1]) < 0.15
    together = np.array(levels(1, 1))
    assert (together == together[:, :1]).all()


def test_faults_freeze_blind_delay_and_silence_a_sensor() -> None:
    minute = 1.0 / 60.0
    faults = (
        Fault("frozen", 0, minute, 2 * minute),
        Fault("nan", 1, minute, 2 * minute),
        Fault("lag", 2, begin=2 * minute),
        Fault("dead", 1, begin=2 * minute),
    )
    with opened(Station(), Weather(), 1.0, SCAN, EXACT, faults) as plant:
        read = [plant.step([0.0, 0.0, 0.0]) for _ in range(48)]
    true = [truth.level for _, truth in read]
    says = np.array([reading.level for reading, _ in read])
    assert says[:11, 0].tolist() == true[:11]
    assert (says[11:23, 0] == true[10]).all()
    assert np.isnan(says[11:23, 1]).all()
    assert says[24:, 0].tolist() == true[24:]
    late = int(LAG / SCAN)
    assert says[24:, 2].tolist() == true[24 - late : 48 - late]
    assert [reading.heard.tolist() for reading, _ in read[22:24]] == [
        [True, True, True],
        [True, False, True],
    ]


def test_a_failed_pump_stands_until_it_is_repaired() -> None:
    failed = (Fault("failed", 0, 0.05, 0.1),)
    with opened(WIDE, NO_INFLOW, 1.0, SCAN, EXACT, failed) as plant:
        read = [plant.step([40.0, 40.0, 0.0]) for _ in range(108)]
    running = [bool(reading.running[0]) for reading, _ in read]
    assert running == [True] * 36 + [False] * 36 + [True] * 36
    assert all(reading.running[1] for reading, _ in read)


def test_local_floats_keep_the_station_from_overflowing_and_from_running_dry() -> None:
    case = Case(EARLY, hours=6.0, floats=True)
    none = score(simulate(case, Fixed(0.0, 0.0, 0.0)))
    assert (none.overflow, none.dry) == (0.0, 0.0)
    full = score(simulate(case, Fixed(50.0, 50.0, 50.0)))
    assert (full.overflow, full.dry) == (0.0, 0.0)


def test_every_weather_stays_within_what_the_pumps_move() -> None:
    for weather in WEATHERS.values():
        assert weather.inflow(48.0)[1].max() < 0.9 * CAPACITY


def scores_of(control: Control) -> Scores:
    return score(simulate(Case(EARLY, hours=10.0), control))


def test_simple_controls_rank_as_they_are_known_to() -> None:
    """A fixed default overflows, at full speed less so; on/off does not, but costs more."""
    default = scores_of(Fixed(35.0, 0.0, 0.0, cut_out=0.5))
    full = scores_of(Fixed(50.0, 0.0, 0.0, cut_out=0.5))
    on_off = scores_of(OnOff())
    assert default.overflow > 300.0 > 2.0 * full.overflow > 50.0
    assert on_off.overflow == 0.0
    assert default.dry == full.dry == on_off.dry == 0.0
    assert full.starts_per_hour > 6
    assert on_off.energy > default.energy + 5.0


def test_a_course_is_scored_by_what_stands_in_it() -> None:
    minutes = 120
    per = 60 // SCAN
    on = np.arange(minutes * per) // per % 40 < 10  # ten minutes in forty
    level = np.where(on, 1.3, 1.2)
    nothing = np.zeros((minutes * per, 3))
    speed = nothing.copy()
    speed[on, 1] = 40.0
    flow, power = speed, speed / 10.0
    course = Course(
        scan=5.0,
        target=1.2,
        time=np.arange(minutes * per) * SCAN / 3600.0,
        level=level,
        inflow=np.where(on, 30.0, 20.0),
        spill=np.where(level > 1.25, 2.0, 0.0),
        speed=speed,
        flow=flow,
        power=power,
        setpoint=speed,
        authority=nothing,
        refused=0,
    )
    found = score(course)
    assert found.hours == 2.0
    assert found.overflow == pytest.approx(30 * 60 * 2.0 / 1000.0)
    assert found.rmse_high == pytest.approx(0.1)
    assert found.rmse == pytest.approx(math.sqrt(0.25 * 0.01))
    assert found.share_high == 0.25
    assert (found.starts, found.starts_per_hour) == (2, 2)
    assert found.energy == pytest.approx(4.0 / (40.0 * 3.6) * 1000.0)
    assert found.variation == pytest.approx(5 * 40.0 / 10.0)


def test_starts_are_counted_in_any_sliding_hour() -> None:
    began = np.zeros(3 * 720, np.bool_)
    began[[0, 700, 719, 720, 1400]] = True
    assert most_in_an_hour(began, 5.0) == 4
    assert most_in_an_hour(np.zeros(10, np.bool_), 5.0) == 0
