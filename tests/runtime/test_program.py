"""The program is refused, with block and tag named, unless every scan would make sense."""

from __future__ import annotations

import numba
import pytest

from blocks.block import Block, Pins
from runtime.layout import Capacity, Columns, Layout
from runtime.program import KINDS, SCAN_WRITES, Program, ProgramError, problems
from runtime.tag import Access
from runtime.tags import TAGS, Pump, System

ORDER = tuple(KINDS)


def without(name: str) -> tuple[str, ...]:
    return tuple(other for other in ORDER if other != name)


def moved(name: str, before: str) -> tuple[str, ...]:
    order = list(without(name))
    order.insert(order.index(before), name)
    return tuple(order)


def test_the_program_of_the_design_is_sound() -> None:
    assert problems(ORDER) == []


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ((*ORDER, "turbo"), "no block is called 'turbo'"),
        ((*ORDER, "plan"), "block 'plan' stands 2 times"),
        (without("limits"), "the safety block 'limits' is missing"),
        (without("watchdog"), "the safety block 'watchdog' is missing"),
        (without("emergency_stop"), "the safety block 'emergency_stop' is missing"),
        (without("authority"), "the safety block 'authority' is missing"),
        (without("feedback"), "the safety block 'feedback' is missing"),
        (
            without("direct_speed"),
            "'authority' reads Pump.DirectDemand, which only the missing block 'direct_speed'",
        ),
        (
            moved("authority", before="emergency_stop"),
            "'authority' reads Pump.Stopped, which 'emergency_stop' writes only later",
        ),
        (
            moved("limits", before="duty"),
            "'limits' reads Pump.Command, which 'duty' writes only later",
        ),
        (moved("supervision", before="limits"), "'supervision' reads Pump.Setpoint"),
    ],
)
def test_a_program_in_disorder_is_refused_by_name(order: tuple[str, ...], says: str) -> None:
    assert any(says in problem for problem in problems(order)), problems(order)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ProgramError) as refusal:
        Program(("plan", "turbo"), {}, Columns(Layout(Capacity(1, 1))))
    for word in ("turbo", "feedback", "watchdog", "emergency_stop", "authority", "limits"):
        assert word in str(refusal.value)


def test_two_writers_of_one_tag_are_refused() -> None:
    class Rival(Block):
        writes = (Pump.Setpoint,)

    found = problems((*ORDER, "rival"), {**KINDS, "rival": Rival})
    assert found == [
        "program: blocks 'limits' and 'rival' both write Pump.Setpoint; a tag has one writer"
    ]


@pytest.mark.parametrize("tag", [Pump.MeasuredLevel, Pump.HardMaxSpeed, System.Now])
def test_a_block_writes_neither_inputs_nor_what_is_the_scans(tag: object) -> None:
    class Forger(Block):
        writes = (tag,)  # type: ignore[assignment]

    found = problems((*ORDER, "forger"), {**KINDS, "forger": Forger})
    assert found == [f"program: block 'forger' writes {tag!r}, which is not a block's"]


class Meddler(Block):
    """Reads the demand, and tries to write it."""

    reads = (Pump.Demand,)

    @staticmethod
    def law(pump: Pins) -> None:
        pump.Demand[0] = 1.0


class Curious(Block):
    """Reads what it doesn't declare."""

    reads = (Pump.Demand,)

    @staticmethod
    def law(pump: Pins) -> None:
        pump.Setpoint[0]


def test_a_law_gets_no_pin_that_its_block_does_not_declare() -> None:
    with pytest.raises(AttributeError, match="Setpoint"):
        Curious(Columns(Layout(Capacity(1, 1)))).execute()


def test_what_a_block_reads_it_cannot_write() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Meddler(Columns(Layout(Capacity(1, 1)))).execute()


@pytest.mark.parametrize("block", [Curious, Meddler])
def test_such_laws_are_not_compiled(block: type[Block]) -> None:
    faulty = block(Columns(Layout(Capacity(1, 1))))
    law = numba.njit(block.law)
    with pytest.raises(numba.TypingError):
        law(*faulty.arguments)


def test_every_tag_that_is_shown_has_a_writer() -> None:
    written = {tag for kind in KINDS.values() for tag in kind.writes} | SCAN_WRITES
    orphans = [
        tag
        for tag in TAGS
        if tag.access is not Access.INTERNAL and tag.area.value in "%M%Q" and tag not in written
    ]
    assert orphans == []
