"""Whole traces keep every invariant, whatever comes in."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from runtime.requests import Result
from runtime.tag import Tag
from runtime.tags import TAGS, Pump, Station, System
from tests.blocks.courses import Course
from tests.blocks.feedback_invariants import OF_FEEDBACK
from tests.blocks.invariants import GENERAL
from tests.blocks.level_invariants import OF_LEVEL
from tests.blocks.random_courses import BOUNDED, courses, tried
from tests.blocks.random_plants import living_courses
from tests.blocks.start_invariants import OF_STARTS
from tests.blocks.trace import Trace

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
@tried(5000)
@given(courses(consistent=True))
def test_every_scan_keeps_the_invariants(course: Course) -> None:
    check(course)


@BOUNDED
@tried(500)
@given(living_courses())
def test_hours_with_a_plant_keep_the_invariants(course: Course) -> None:
    check(course)


@BOUNDED
@tried(500)
@given(courses(consistent=False))
def test_a_stop_stands_from_its_request_until_a_request_names_it(course: Course) -> None:
    trace = Trace(course)
    stops = dict.fromkeys(_latches(), 0)
    for scan, answers in enumerate(trace.answers):
        for ask, result in answers:
            key = (TAGS[ask.tag], ask.slot)
            if key[0].name != "EmergencyStop":
                continue
            if result is Result.EXECUTED and ask.value:
                stops[key] = stops[key] or ask.id
            elif result is Result.EXECUTED:
                assert stops[key] == ask.reference
                stops[key] = 0
            elif ask.value == 1.0 and _in_use(trace, scan, *key):
                raise AssertionError(f"{ask} was refused: {result}")
        _compare(trace, scan, stops)


def _latches() -> list[tuple[Tag, int]]:
    rows = (
        (System, 1),
        (Station, max(Course([]).station_of) + 1),
        (Pump, len(Course([]).station_of)),
    )
    return [(table.tag("EmergencyStop"), slot) for table, count in rows for slot in range(count)]


def _in_use(trace: Trace, scan: int, tag: Tag, slot: int) -> bool:
    image = {"Station": trace.stations, "Pump": trace.pump}.get(tag.table)
    if image is None:
        return slot == 0
    configured = image.Configured[scan]
    return slot < len(configured) and bool(configured[slot])


def _compare(trace: Trace, scan: int, stops: dict[tuple[Tag, int], int]) -> None:
    image = {"System": trace.system, "Station": trace.stations, "Pump": trace.pump}
    for (tag, slot), stop in stops.items():
        assert bool(image[tag.table].EmergencyStop[scan, slot]) == bool(stop)
        assert int(image[tag.table].EmergencyStopId[scan, slot]) == stop
    for slot, station in enumerate(trace.course.station_of):
        latches = ((System.EmergencyStop, 0), (Station.EmergencyStop, station))
        stopped = any(stops[latch] for latch in (*latches, (Pump.EmergencyStop, slot)))
        assert bool(trace.pump.Stopped[scan, slot]) == stopped
