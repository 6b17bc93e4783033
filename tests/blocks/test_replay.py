"""The same inputs and state give the same outputs, bit for bit, whoever calculates."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

from hypothesis import given

from tests.blocks.courses import Course, Restart, Stand, play, stand_for
from tests.blocks.random_courses import BOUNDED, courses, program_settings, tried
from tests.blocks.random_plants import living_courses
from tests.blocks.test_comparisons import BY_BLOCKS


def image(stand: Stand) -> list[bytes]:
    return [stand[tag].tobytes() for tag in BY_BLOCKS]


@BOUNDED
@tried(40)
@given(courses(consistent=False) | living_courses(longest=3))
def test_the_same_inputs_and_state_give_the_same_bits_even_to_new_blocks(course: Course) -> None:
    """So a replay on another machine goes on as the first would."""
    ours, theirs = stand_for(course), Stand(course)
    theirs.anew = True
    for _ in zip_longest(play(course, ours), play(course, theirs)):
        assert image(ours) == image(theirs)


@BOUNDED
@tried(40)
@given(courses(consistent=False))
def test_a_scan_that_takes_over_in_time_changes_not_a_bit(course: Course) -> None:
    """All that control remembers is in the tags. Whole seconds, so that no time is rounded."""
    events = [replace(event, gap=0.0) for event in course.events]
    course = replace(course, events=events, period=10.0, settings=program_settings(0, 10.0))
    taken_over = [replace(event, restart=event.restart or Restart()) for event in events]
    ours, theirs = stand_for(course), Stand(course)
    theirs.anew = True
    other = replace(course, events=taken_over)
    for _ in zip_longest(play(course, ours), play(other, theirs)):
        assert image(ours) == image(theirs)
