"""The page of causes and effects is what the program does, and forgets none of its effects."""

from __future__ import annotations

import pytest

from runtime.tags import Pump
from tools.cause_and_effect.__main__ import PAGE
from tools.cause_and_effect.cause import CONTROL_TYPES
from tools.cause_and_effect.page import Row, page, rows
from tools.cause_and_effect.snapshot import ALARMS

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def table() -> list[Row]:
    return rows()


def test_the_page_in_the_documentation_is_what_the_program_does(table: list[Row]) -> None:
    written = PAGE.read_text().splitlines()
    assert page(table).splitlines() == written, "run `python -m tools.cause_and_effect`"


def test_each_alarm_has_a_cause(table: list[Row]) -> None:
    assert {tag for row in table for tag, _ in row.effect.alarms} == set(ALARMS)


@pytest.mark.parametrize("control_type", CONTROL_TYPES)
def test_each_authority_has_a_cause(table: list[Row], control_type: str) -> None:
    found = {row.effect.authority for row in table if row.control_type == control_type}
    assert found == set((Pump.Authority.states or {}).values())


def test_each_limit_has_a_cause(table: list[Row]) -> None:
    found = {word for row in table for word in row.effect.limited}
    assert found == set((Pump.Limited.flags or {}).values())


def test_each_guard_has_a_cause(table: list[Row]) -> None:
    found = {word for row in table for word in row.effect.guarded | row.effect.second_guarded}
    assert found == set((Pump.Guarded.flags or {}).values())
