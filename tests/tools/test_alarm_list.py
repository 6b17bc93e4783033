"""The list of alarms is what is declared, and what is declared is sound."""

from __future__ import annotations

import re

import pytest

from runtime.tags import ALARMS, DeclaredAlarm, System
from tools.alarm_list.__main__ import PAGE
from tools.alarm_list.page import page

each = pytest.mark.parametrize("declared", ALARMS, ids=lambda declared: repr(declared.tag))


def test_the_page_in_the_documentation_is_what_is_declared() -> None:
    assert page() == PAGE.read_text(), "run `python -m tools.alarm_list`"


@each
def test_each_alarm_is_rationalised(declared: DeclaredAlarm) -> None:
    alarm = declared.alarm
    assert 1 <= alarm.priority <= 4
    assert all((alarm.cause, alarm.consequence, alarm.response))
    assert alarm.on_delay >= 0.0
    assert alarm.off_delay >= 0.0


@each
def test_the_page_says_how_the_condition_of_each_alarm_comes_and_goes(
    declared: DeclaredAlarm,
) -> None:
    told = PAGE.read_text().partition("## Delays and deadbands")[2].partition("##")[0]
    assert re.search(rf"^\|[^|]*\b{declared.tag.name}\b", told, re.MULTILINE)


@each
def test_what_suppresses_an_alarm_is_a_flag_of_its_row_or_an_alarm_judged_before_it(
    declared: DeclaredAlarm,
) -> None:
    if declared.unless is not None:
        assert declared.unless.is_bool
    if declared.caused_by is not None:
        judged = [alarm.tag for alarm in ALARMS[: ALARMS.index(declared)]]
        assert declared.caused_by in judged
        assert declared.caused_by.table in (declared.tag.table, System.__name__)


@each
def test_the_end_of_a_cause_announces_no_consequence_that_ends_with_it(
    declared: DeclaredAlarm,
) -> None:
    if declared.caused_by is not None:
        cause = declared.caused_by.alarm
        assert cause is not None
        assert cause.off_delay >= declared.alarm.off_delay
