"""What two runs of a course have in common: replay, order of the rows, a higher level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runtime.program import KINDS, Program
from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.blocks.courses import ROWS, SETTINGS, STATION_OF, Event, play
from tests.blocks.random_courses import BOUNDED, Course, courses, tried
from tests.plc import Plc

FILLING = 1  # Station.FlowDirection
PLACES = st.permutations(range(ROWS["Pump"]))
STATION_PLACES = st.permutations(range(ROWS["Station"]))


def twin(plc: Plc, station_of: Sequence[int] = STATION_OF) -> Plc:
    """A PLC as `plc` was made, for a second run."""
    other = Plc(plc.clock.period, station_of, **SETTINGS)
    other.clock.advance(plc.clock.now() - other.clock.now())
    other.renew()
    return other


def make_blocks_anew(plc: Plc) -> None:
    program = Program(tuple(KINDS), SETTINGS, plc.columns)
    plc.scan._execute = tuple(block.execute for block in program.blocks)


def image(plc: Plc) -> list[bytes]:
    return [plc[tag].tobytes() for table in (Station, Pump) for tag in table.tags()]


@BOUNDED
@tried(40)
@given(courses(consistent=False))
def test_the_same_inputs_and_state_give_the_same_bits_even_to_new_blocks(course: Course) -> None:
    """So a scan that takes over, or a replay on another machine, goes on as the first would."""
    plc, events = course
    other = twin(plc)
    for _ in zip_longest(play(plc, events), play(other, events)):
        assert image(plc) == image(other)
        make_blocks_anew(other)


@BOUNDED
@tried(40)
@given(courses(consistent=False), PLACES, STATION_PLACES)
def test_pumps_and_stations_may_stand_in_any_order(
    course: Course, places: list[int], station_places: list[int]
) -> None:
    """Only the order of the pumps in a station counts: their levels are added up in it."""
    plc, events = course
    for station in range(ROWS["Station"]):
        pumps = [slot for slot, of in enumerate(STATION_OF) if of == station]
        for slot, place in zip(pumps, sorted(places[slot] for slot in pumps), strict=True):
            places[slot] = place
    station_of = [0] * len(places)
    for slot, place in enumerate(places):
        station_of[place] = station_places[STATION_OF[slot]]
    place_of = {"System": [0], "Station": station_places, "Pump": places}
    other = twin(plc, station_of)
    moved = [moved_to(event, place_of) for event in events]
    for _ in zip_longest(play(plc, events), play(other, moved)):
        for tag in (*Station.tags(), *Pump.tags()):
            if tag is not Pump.Station:
                np.testing.assert_array_equal(plc[tag], other[tag][place_of[tag.table]], repr(tag))


def moved_to(event: Event, place_of: dict[str, list[int]]) -> Event:
    def place(tag: Tag, slot: int) -> int:
        places = place_of[tag.table]
        return places[slot] if slot < len(places) else slot

    return replace(
        event,
        changes=[replace(c, slot=place(c.tag, c.slot)) for c in event.changes],
        orders=[replace(o, slot=place(o.tag, o.slot)) for o in event.orders],
    )


@BOUNDED
@tried(120)
@given(courses(consistent=True), st.floats(0.0, 5.0), st.sampled_from([0.0, 60.0]))
def test_a_level_that_asks_for_more_pumping_never_gets_less(
    course: Course, more: float, derivative_time: float
) -> None:
    """Higher when emptying, lower when filling: no pump runs slower than it otherwise would."""
    plc, events = course
    other = twin(plc)
    for each in (plc, other):
        each[Pump.LevelDerivativeTime][:] = derivative_time
        for _ in play(each, events):
            pass
    plc.before_scan = move_levels(0.0)
    other.before_scan = move_levels(more)
    for each in (plc, other):
        each.step()
    assert (other[Pump.Setpoint] >= plc[Pump.Setpoint]).all()


def move_levels(more: float) -> Callable[[Plc], None]:
    def move(plc: Plc) -> None:
        level = plc[Pump.MeasuredLevel]
        good = (level >= Pump.Level.low) & (level <= Pump.Level.high)
        filling = plc[Station.FlowDirection][plc[Pump.Station]] == FILLING
        moved = level + np.where(filling, -more, more)
        np.copyto(level, np.clip(moved, Pump.Level.low, Pump.Level.high), where=good)

    return move
