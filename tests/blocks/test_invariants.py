"""Whole traces keep every invariant, whatever comes in."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runtime.requests import Result
from runtime.tags import TAGS, Pump
from tests.blocks.courses import Change, Course
from tests.blocks.feedback_invariants import OF_FEEDBACK
from tests.blocks.invariants import GENERAL
from tests.blocks.level_invariants import OF_LEVEL
from tests.blocks.random_courses import BOUNDED, USUALLY, courses, tried
from tests.blocks.random_plants import living_courses
from tests.blocks.start_invariants import OF_STARTS
from tests.blocks.trace import Trace

_LIMITS = (
    Pump.MinSpeed,
    Pump.MaxSpeed,
    Pump.DefaultSetpoint,
    Pump.HardMinSpeed,
    Pump.HardMaxSpeed,
    Pump.HardMaxPower,
    Pump.HardMaxFlow,
    Pump.MaxSpeedChange,
    Pump.MaxStartsPerHour,
    Pump.MinOff,
    Pump.MinRun,
    Pump.MaxRun,
    Pump.RestartLevel,
)
INVARIANTS = (*GENERAL, *OF_LEVEL, *OF_STARTS, *OF_FEEDBACK)


def check(course: Course) -> Trace:
    trace = Trace(course)
    with np.errstate(all="ignore"):
        for invariant in INVARIANTS:
            holds = invariant(trace)
            if not holds.all():
                scan, slot = (int(index[0]) for index in np.nonzero(~holds))
                raise AssertionError("\n".join((invariant.__name__, *trace.story(scan, slot))))
    return trace


@BOUNDED
@tried(USUALLY)
@given(courses(consistent=True))
def test_every_scan_keeps_the_invariants(course: Course) -> None:
    check(course)


@BOUNDED
@tried(250)
@given(living_courses())
def test_hours_with_a_plant_keep_the_invariants(course: Course) -> None:
    check(course)


@BOUNDED
@tried(5)
@given(living_courses(longest=60))
def test_days_with_a_plant_keep_the_invariants(course: Course) -> None:
    """Some thousands of scans each."""
    check(course)


@BOUNDED
@tried(200)
@given(courses(consistent=True), st.randoms(use_true_random=False))
def test_a_limit_that_is_no_number_is_no_leave(course: Course, random: Random) -> None:
    """Discovery refuses such limits; should one come all the same, the others hold."""
    for event in course.events:
        tag, slot = random.choice(_LIMITS), random.randrange(len(course.station_of))
        event.changes.append(Change(tag, slot, random.choice([math.nan, math.inf, -math.inf])))
    pump = Trace(course).pump
    speed = pump.Setpoint
    assert ((speed == 0.0) | ((speed <= pump.HardMaxSpeed) & (speed <= pump.MaxSpeed))).all()
    assert np.isfinite(speed).all()


@BOUNDED
@tried(300)
@given(courses(consistent=False))
def test_a_stop_stands_from_its_request_until_a_request_names_it(course: Course) -> None:
    """Through restarts, too."""
    check_stops(Trace(course))


def check_stops(trace: Trace) -> None:
    """Carry out the requests of a trace once more: the latches must be where these left them."""
    stops: dict[tuple[str, int], int] = {}
    for scan, answers in enumerate(trace.answers):
        for ask, result in answers:
            tag, key = TAGS[ask.tag], (TAGS[ask.tag].table, ask.slot)
            if tag.name != "EmergencyStop":
                continue
            if result is Result.EXECUTED and ask.value:
                stops[key] = stops.get(key) or ask.id
            elif result is Result.EXECUTED:
                assert stops[key] == ask.reference, "a request cleared a stop that it did not name"
                stops[key] = 0
            elif ask.value:
                assert not in_use(trace, scan, *key), "a stop was refused"
        compare(trace, scan, stops)


def in_use(trace: Trace, scan: int, table: str, slot: int) -> bool:
    if table == "System":
        return slot == 0
    configured = (trace.stations if table == "Station" else trace.pump).Configured[scan]
    return slot < len(configured) and bool(configured[slot])


def compare(trace: Trace, scan: int, stops: dict[tuple[str, int], int]) -> None:
    """That each latch is set as `stops` has it, with its id, and stops its pumps."""
    images = {"System": trace.system, "Station": trace.stations, "Pump": trace.pump}
    for table, image in images.items():
        expected = [stops.get((table, slot), 0) for slot in range(image.EmergencyStop.shape[1])]
        assert image.EmergencyStopId[scan].tolist() == expected
        assert image.EmergencyStop[scan].tolist() == [bool(stop) for stop in expected]
    for slot, station in enumerate(trace.course.station_of):
        latches = (("System", 0), ("Station", station), ("Pump", slot))
        stopped = any(stops.get(latch) for latch in latches)
        assert bool(trace.pump.Stopped[scan, slot]) == stopped
