"""What two courses have in common that differ in one thing: order, other stations, plan, level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runtime.layout import is_input
from runtime.program import SCAN_WRITES
from runtime.tag import Table, Tag
from runtime.tags import SHOWN, STARTS_KEPT, Pump, Start, Station, System
from tests.blocks.courses import (
    ROWS,
    STATION_OF,
    Change,
    Course,
    Event,
    Stand,
    play,
    stand_for,
)
from tests.blocks.random_courses import BOUNDED, courses, tried
from tests.plc import Plc

FILLING = 1  # Station.FlowDirection
IN_PLACE_OF_OTHERS = 0b10010  # Pump.Guarded: at the start level, or for one that must rest
PLACES = st.permutations(range(ROWS["Pump"]))
STATION_PLACES = st.permutations(range(ROWS["Station"]))
_TABLES: tuple[type[Table], ...] = (*SHOWN, Start)
BY_BLOCKS = [
    tag for table in _TABLES for tag in table.tags() if not is_input(tag) and tag not in SCAN_WRITES
]
_IDENTITIES = (Station.EmergencyStopId, Pump.EmergencyStopId)
_SLOTS = (
    Pump.RelievedBy,
    Station.LeadPump,
    Station.Relieved,
    Station.Reliever,
    Station.SparePump,
    Station.GuardPump,
    Station.NextToLead,
    Station.NextToStart,
    Station.NextToStop,
)


def pair(course: Course) -> tuple[Stand, Stand]:
    """Two stands that share nothing."""
    return stand_for(course), stand_for(course, copy=1)


@BOUNDED
@tried(25)
@given(courses(consistent=False), PLACES, STATION_PLACES)
def test_stations_and_their_pumps_may_lie_anywhere_in_the_tables(
    course: Course, places: list[int], station_places: list[int]
) -> None:
    """Only the order of the pumps in a station counts: the first of equals is chosen."""
    for station in range(ROWS["Station"]):
        pumps = [slot for slot, of in enumerate(STATION_OF) if of == station]
        for slot, place in zip(pumps, sorted(places[slot] for slot in pumps), strict=True):
            places[slot] = place
    compare_moved(course, places, station_places, BY_BLOCKS)


@BOUNDED
@tried(40)
@given(courses(consistent=False), PLACES)
def test_pumps_that_need_no_other_may_stand_in_any_order(course: Course, places: list[int]) -> None:
    """None is level-controlled, has run for too long, or can be chosen at the start level."""
    values = {
        Pump.ControlType: 2.0,
        Pump.MaxRun: 1e9,
        Pump.StartLevel: 30.0,
        Pump.AllRunLevel: 30.0,
    }
    alone = [Change(tag, slot, values[tag]) for tag in values for slot in range(ROWS["Pump"])]
    alone += [Change(Station.FlowDirection, slot, 0.0) for slot in range(ROWS["Station"])]
    events = [without(event, (*values, Station.FlowDirection)) for event in course.events]
    events[0].changes.extend(alone)
    tags = (Pump.Setpoint, Pump.Limited, Pump.Authority, Pump.Command, Pump.Starts, Pump.Failed)
    compare_moved(replace(course, events=events), places, range(ROWS["Station"]), tags)


def without(event: Event, tags: Sequence[Tag]) -> Event:
    """The event without changes of some tags."""
    kept = [c for c in event.changes if not (isinstance(c, Change) and c.tag in tags)]
    return replace(event, changes=kept)


def compare_moved(
    course: Course, places: Sequence[int], station_places: Sequence[int], tags: Sequence[Tag]
) -> None:
    """Play the course, and once more with its pumps and stations in other slots."""
    station_of = [0] * len(places)
    for slot, place in enumerate(places):
        station_of[place] = station_places[STATION_OF[slot]]
    place_of = {"System": [0], "Station": station_places, "Pump": places}
    rows_of = place_of | {
        "Start": [place * STARTS_KEPT + row for place in places for row in range(STARTS_KEPT)]
    }
    moved = replace(
        course,
        events=[moved_to(event, place_of) for event in course.events],
        station_of=tuple(station_of),
    )
    ours, theirs = stand_for(course), Stand(moved)
    for _ in zip_longest(play(course, ours), play(moved, theirs)):
        for tag in tags:
            expected = ours[tag]
            if tag in _SLOTS:
                expected = np.array([0, *(place + 1 for place in places)], tag.dtype)[expected]
            assert expected.tobytes() == theirs[tag][rows_of[tag.table]].tobytes(), repr(tag)


def moved_to(event: Event, place_of: dict[str, Sequence[int]]) -> Event:
    def place(tag: Tag, slot: int) -> int:
        places = place_of[tag.table]
        return places[slot] if slot < len(places) else slot

    return replace(
        event,
        changes=[
            replace(c, slot=place(c.tag, c.slot)) for c in event.changes if isinstance(c, Change)
        ],
        orders=[replace(o, slot=place(o.tag, o.slot)) for o in event.orders],
    )


@BOUNDED
@tried(40)
@given(courses(consistent=False))
def test_a_station_feels_nothing_of_what_happens_in_another(course: Course) -> None:
    def is_elsewhere(tag: Tag, slot: int) -> bool:
        station = STATION_OF[slot] if tag.table == "Pump" and slot < len(STATION_OF) else slot
        return tag.table == "System" or station > 0

    quiet = [
        replace(
            event,
            changes=[
                c for c in event.changes if isinstance(c, Change) and is_elsewhere(c.tag, c.slot)
            ],
            orders=[o for o in event.orders if is_elsewhere(o.tag, o.slot)],
        )
        for event in course.events
    ]
    ours, theirs = pair(course)
    slots = {
        "Station": slice(1, None),
        "Pump": np.array(STATION_OF) > 0,
    }
    for _ in zip_longest(play(course, ours), play(replace(course, events=quiet), theirs)):
        for tag in (tag for tag in BY_BLOCKS if tag.table in slots and tag not in _IDENTITIES):
            rows = slots[tag.table]
            assert ours[tag][rows].tobytes() == theirs[tag][rows].tobytes(), repr(tag)


@BOUNDED
@tried(100)
@given(courses(consistent=True), st.floats(0.0, 100.0))
def test_in_failsafe_neither_plan_nor_manual_setpoint_changes_anything(
    course: Course, speed: float
) -> None:
    ours, theirs = pair(course)
    for stand in (ours, theirs):
        for _ in play(course, stand):
            pass
        stand[Station.PlanTime][:] = 0.0
        stand.before_scan = None
    for tag in (
        Pump.PlanSpeed,
        Pump.PlanPower,
        Pump.NextSpeed,
        Pump.NextPower,
    ):
        theirs[tag][:] = speed
    theirs[Pump.ManualSetpoint][:] = speed
    theirs[Pump.PlanEnd][:] = theirs[System.Now][0] - speed
    ours.step()
    theirs.step()
    failsafe = ours[Station.Failsafe][ours[Pump.Station]]
    assert ((ours[Pump.Setpoint] == theirs[Pump.Setpoint]) | ~failsafe).all()


@BOUNDED
@tried(100)
@given(courses(consistent=True), st.floats(0.0, 5.0))
def test_a_level_that_asks_for_more_pumping_never_gets_less(course: Course, more: float) -> None:
    """Higher when emptying, lower when filling: no pump runs slower than it otherwise would.

    Left out are pumps that run in place of others, which a higher level may bring back, and those
    whose speed the level controls: more of them share it then.
    """
    course = replace(course, settings={"feedback": {"level_rate": 1e9, "stuck": 0.0}})
    ours, theirs = pair(course)
    for stand in (ours, theirs):
        for _ in play(course, stand):
            pass
    ours.before_scan = move_levels(0.0)
    theirs.before_scan = move_levels(more)
    ours.step()
    theirs.step()
    of = ours[Pump.Station]
    held = ours[Pump.LevelTrip] | ours[Pump.LevelStop]
    held_in = np.array([held[of == station].any() for station in of])
    left_out = held_in | (ours[Pump.Guarded] & IN_PLACE_OF_OTHERS > 0) | ours[Pump.LevelEngaged]
    assert ((theirs[Pump.Setpoint] >= ours[Pump.Setpoint]) | left_out).all()


def move_levels(more: float) -> Callable[[Plc], None]:
    def move(plc: Plc) -> None:
        level = plc[Pump.MeasuredLevel]
        good = (level >= Pump.Level.low) & (level <= Pump.Level.high)
        filling = plc[Station.FlowDirection][plc[Pump.Station]] == FILLING
        moved = level + np.where(filling, -more, more)
        np.copyto(level, np.clip(moved, Pump.Level.low, Pump.Level.high), where=good)

    return move
