"""The same station without plans, database, sensors or pumps, and when it is stopped.

A storm comes after an hour. The first pump's default setpoint is 35 Hz, that of the others 0.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from runtime.tags import Pump
from tools.simulate.swmm.faults import Fault
from tools.simulate.swmm.lockstep import Case, Outage, Stop
from tools.simulate.swmm.rows import MINIMUM, SPEEDS, Duty
from tools.simulate.swmm.runs import run_all
from tools.simulate.swmm.scores import Course, score
from tools.simulate.swmm.weather import Storm, Weather

pytestmark = pytest.mark.timeout(600)  # its runs are made all at once, for the first test

MINUTE = 1.0 / 60.0
IN_STORM = 1.6  # h: the inflow rises through what one pump moves
END = 4.0
PLAN, FAILSAFE = (Pump.Authority.number(word) for word in ("Plan", "Failsafe"))
CALM = Case(Weather(storms=(Storm(90.0, 1.0, 1.2),)), hours=END)

NARROW = {"start_level_m": 1.8, "all_run_level_m": 2.4}

CASES = {
    "plans end": replace(CALM, outages=(Outage("plans", 0.3, 2.9),)),
    "no plan ever": replace(CALM, outages=(Outage("plans"),)),
    "by hand": replace(CALM, manual=True),
    "by speed": replace(CALM, duty=Duty(control_type="DIRECT_SPEED")),
    "by power": replace(CALM, duty=Duty(control_type="POWER_CONTROLLED")),
    "no plan, narrow": replace(CALM, duty=Duty(limits=NARROW), outages=(Outage("plans"),)),
    "by power, narrow": replace(CALM, duty=Duty("POWER_CONTROLLED", limits=NARROW)),
    "database dead": replace(CALM, outages=(Outage("database", IN_STORM),), floats=True),
    "database dead, stop": replace(
        CALM,
        outages=(Outage("database", IN_STORM),),
        duty=Duty(without_level="stop"),
        floats=True,
    ),
    "database restarts": replace(CALM, outages=(Outage("database", 1.6, 1.6 + MINUTE),)),
    "one sensor frozen": replace(CALM, faults=(Fault("frozen", 1, 0.5),)),
    "one sensor at 0": replace(CALM, faults=(Fault("zero", 1, 0.5),)),
    "one sensor silent": replace(CALM, faults=(Fault("nan", 1, 0.5),)),
    "one sensor late": replace(CALM, faults=(Fault("lag", 1, 0.5),)),
    "one pump unheard": replace(CALM, faults=(Fault("dead", 1, IN_STORM),)),
    "nothing": CALM,
    "all sensors silent": replace(CALM, faults=(Fault("nan", None, IN_STORM),), floats=True),
    "all sensors frozen": replace(CALM, faults=(Fault("frozen", None, IN_STORM),), floats=True),
    "all sensors blink": replace(CALM, faults=(Fault("nan", None, 1.6, 1.6 + MINUTE),)),
    "pump 1 fails": replace(CALM, faults=(Fault("failed", 0, IN_STORM),)),
    "pump 2 fails": replace(CALM, faults=(Fault("failed", 1, IN_STORM),)),
    "pump 3 fails": replace(CALM, faults=(Fault("failed", 2, IN_STORM),)),
    "pump stopped": replace(CALM, stops=(Stop(0, IN_STORM, 2.6), Stop(1, 2.8, 3.2))),
    "station stopped": replace(CALM, stops=(Stop(None, IN_STORM, 1.6 + 5 * MINUTE),)),
}


@pytest.fixture(scope="module")
def courses() -> dict[str, Course]:
    return dict(zip(CASES, run_all(list(CASES.values())), strict=True))


def keeps(course: Course) -> bool:
    """The station neither overflows nor runs dry, and drives are asked for what they can do."""
    found = score(course)
    running = course.setpoint[course.setpoint != 0.0]
    asked = bool(((running > MINIMUM - 1e-5) & (running < 50.0 + 1e-5)).all())
    return (found.overflow, found.dry, course.refused, asked) == (0.0, 0.0, 0, True)


def holds(course: Course) -> bool:
    """It also holds its level through the storm, as it does when nothing happens."""
    storm = course.during(1.5, course.time[-1])
    error = np.sqrt(np.mean((course.level[storm] - course.target) ** 2))
    return keeps(course) and error <= 0.04 and score(course).starts_per_hour <= 2


def changes(course: Course) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """How far each setpoint moved in each scan."""
    return np.diff(course.setpoint, axis=0, prepend=0.0)


def test_without_further_plans_the_guarded_defaults_neither_overflow_nor_run_dry_until_plans_return(
    courses: dict[str, Course],
) -> None:
    course = courses["plans end"]
    assert keeps(course)
    assert (course.authority[course.during(0.7, 2.9)] == FAILSAFE).all()
    assert (course.authority[course.during(2.91, END)] == PLAN).all()
    back = int(np.argmax(course.time >= 2.9)) + 1
    was, now = course.setpoint[back - 2], course.setpoint[back]
    assert np.abs(now - was)[0] < 1.0, "the first pump leads on without a jump"
    assert len(set(now[now > 0.0])) == 1, "the others join it"
    late = course.during(3.5, END)
    assert np.abs(course.level[late] - course.target).max() < 0.1


def test_with_nothing_wrong_the_level_is_held_through_the_storm(
    courses: dict[str, Course],
) -> None:
    assert holds(courses["nothing"])


@pytest.mark.parametrize("name", ["no plan ever", "by hand", "by speed", "by power"])
def test_setpoints_that_stand_still_at_their_defaults_neither_overflow_nor_run_dry(
    courses: dict[str, Course], name: str
) -> None:
    assert keeps(courses[name])
    assert score(courses[name]).starts_per_hour <= 6


@pytest.mark.parametrize("name", ["no plan, narrow", "by power, narrow"])
def test_levels_too_close_for_the_starts_of_an_hour_leave_no_pump_at_rest_in_the_storm(
    courses: dict[str, Course], name: str
) -> None:
    course = courses[name]
    assert keeps(course)
    assert score(course).highest < 2.6, "as high as its all-run level"
    assert score(course).starts_per_hour <= 6


def test_with_a_dead_database_the_pumps_go_to_their_defaults_and_local_floats_keep_the_station(
    courses: dict[str, Course],
) -> None:
    course = courses["database dead"]
    assert keeps(course)
    assert (course.setpoint[course.during(IN_STORM + 3 * MINUTE, END)] == SPEEDS).all()


def test_with_a_dead_database_the_pumps_stop_if_so_configured_and_local_floats_keep_the_station(
    courses: dict[str, Course],
) -> None:
    course = courses["database dead, stop"]
    assert keeps(course)
    assert (course.setpoint[course.during(IN_STORM + 3 * MINUTE, END)] == 0.0).all()


def test_a_database_that_restarts_in_the_storm_makes_no_difference_to_the_level(
    courses: dict[str, Course],
) -> None:
    assert holds(courses["database restarts"])


@pytest.mark.parametrize(
    "name",
    [f"one sensor {how}" for how in ("frozen", "at 0", "silent", "late")] + ["one pump unheard"],
)
def test_with_one_dead_level_sensor_of_three_the_level_is_held_as_with_all(
    courses: dict[str, Course], name: str
) -> None:
    assert holds(courses[name])


def test_with_all_level_sensors_silent_setpoints_are_held_and_then_local_floats_keep_the_station(
    courses: dict[str, Course],
) -> None:
    course = courses["all sensors silent"]
    assert keeps(course)
    held = course.during(IN_STORM + 0.2 * MINUTE, IN_STORM + 0.9 * MINUTE)
    assert changes(course)[held].max() <= 0.0


def test_with_all_level_sensors_frozen_local_floats_keep_the_station(
    courses: dict[str, Course],
) -> None:
    assert keeps(courses["all sensors frozen"])


def test_a_level_that_is_lost_for_a_minute_raises_no_setpoint_and_makes_no_difference(
    courses: dict[str, Course],
) -> None:
    course = courses["all sensors blink"]
    assert holds(course)
    lost = course.during(1.6 + 0.2 * MINUTE, 1.6 + MINUTE)
    assert changes(course)[lost].max() <= 0.0


@pytest.mark.parametrize("number", [1, 2, 3])
def test_when_a_pump_fails_in_the_storm_the_others_hold_the_level(
    courses: dict[str, Course], number: int
) -> None:
    course = courses[f"pump {number} fails"]
    assert holds(course)
    assert (course.speed[course.during(IN_STORM + MINUTE, END), number - 1] == 0.0).all()


def test_when_a_pump_is_stopped_in_the_storm_it_stands_until_cleared_and_the_others_hold_the_level(
    courses: dict[str, Course],
) -> None:
    course = courses["pump stopped"]
    assert holds(course)
    for stop in CASES["pump stopped"].stops:
        assert stop.pump is not None
        stopped = course.during(stop.begin + MINUTE, stop.end)
        assert (course.setpoint[stopped, stop.pump] == 0.0).all()
    assert changes(course).max() <= 30.0  # a start is at the lowest speed, never a jump beyond


def test_a_stopped_station_stands_still_and_regains_its_level_within_half_an_hour_of_the_clearing(
    courses: dict[str, Course],
) -> None:
    course = courses["station stopped"]
    (stop,) = CASES["station stopped"].stops
    found = score(course)
    assert (course.setpoint[course.during(stop.begin + 0.2 * MINUTE, stop.end)] == 0.0).all()
    assert (course.spill[course.during(stop.end + 2 * MINUTE, END)] == 0.0).all()
    regained = course.during(stop.end + 30 * MINUTE, END)
    assert np.abs(course.level[regained] - course.target).max() < 0.1
    assert (found.dry, course.refused) == (0.0, 0)
    assert found.starts_per_hour <= 3
