"""The blocks, on columns, calculate bit for bit what the oracle calculates one pump at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hypothesis import given

from runtime.layout import Columns, is_input
from runtime.program import SCAN_WRITES
from runtime.tag import Table, Tag
from runtime.tags import SHOWN, Start, Station
from tests.blocks.courses import Course, Stand, play, stand_for
from tests.blocks.oracle import Oracle, admitted
from tests.blocks.random_courses import BOUNDED, RESTORED, courses, tried
from tests.blocks.random_plants import living_courses

# What a block works out afresh in each scan, for nobody but itself.
_SCRATCH = {
    Station.StartDue,
    Station.SomeRuns,
    Station.GuardsRun,
    Station.SparePump,
    Station.GuardPump,
    Station.GuardRank,
    Station.NextToLead,
}
_TABLES: tuple[type[Table], ...] = (*SHOWN, Start)
COMPARED = [
    tag
    for table in _TABLES
    for tag in table.tags()
    if not is_input(tag) and tag not in SCAN_WRITES and tag not in _SCRATCH
]


def same(ours: float, theirs: float) -> bool:
    return ours == theirs or (math.isnan(ours) and math.isnan(theirs))


def differences(columns: Columns, oracle: Oracle) -> Iterator[tuple[Tag, list[float], list[float]]]:
    """Every column that differs: tag, ours, the oracle's. NaN is equal to NaN, 0 to −0."""
    for tag in COMPARED:
        ours = columns[tag].tolist()
        theirs = [getattr(row, tag.name) for row in oracle.tables[tag.table]]
        if ours != theirs and not all(map(same, ours, theirs)):
            yield tag, ours, theirs


def compare(course: Course) -> None:
    stand = stand_for(course)
    oracle = Oracle(stand.columns, course.settings)

    def latched(stand: Stand) -> None:
        if stand.cold:
            oracle.forget()
            stand.cold = False
        oracle.latch(stand.columns, RESTORED)

    for _ in play(course, stand, latched):
        oracle.scan(admitted(stand.columns))
        assert not list(differences(stand.columns, oracle))


@BOUNDED
@tried(300)
@given(courses(consistent=False))
def test_whatever_comes_in_both_give_the_same_bits(course: Course) -> None:
    compare(course)


@BOUNDED
@tried(60)
@given(living_courses(longest=6))
def test_in_hours_with_a_plant_both_give_the_same_bits(course: Course) -> None:
    compare(course)
