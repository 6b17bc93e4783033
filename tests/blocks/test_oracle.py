"""The blocks, on columns, calculate bit for bit what the oracle calculates one pump at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hypothesis import given

from runtime.layout import Columns, is_input
from runtime.program import SCAN_WRITES
from runtime.tag import Tag
from runtime.tags import SHOWN
from tests.blocks.courses import play
from tests.blocks.oracle import Oracle, admitted
from tests.blocks.random_courses import BOUNDED, RESTORED, Course, courses, tried

COMPARED = [
    tag for table in SHOWN for tag in table.tags() if not is_input(tag) and tag not in SCAN_WRITES
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


@BOUNDED
@tried(400)
@given(courses(consistent=False))
def test_whatever_comes_in_both_give_the_same_bits(course: Course) -> None:
    plc, events = course
    oracle = Oracle(plc.columns, max_age=30.0, tolerance=2.0, delay=1.5)
    for _ in play(plc, events, latched=lambda plc: oracle.latch(plc.columns, RESTORED)):
        oracle.scan(admitted(plc.columns))
        assert not list(differences(plc.columns, oracle))
