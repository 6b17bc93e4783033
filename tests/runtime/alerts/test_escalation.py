"""Who is told of an alarm, and who next: until it is acknowledged, cleared or shelved."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.tags import System
from tests.runtime.alerts.dispatching import escalating


def test_an_alarm_that_nobody_acknowledges_goes_up_step_by_step(tmp_path: Path) -> None:
    alerts = escalating(tmp_path)
    alerts.alarm(System.Fault)
    alerts.step()
    assert alerts.told() == [("duty", "raised")]
    alerts.step(299.9)
    assert alerts.told() == [("duty", "raised")]
    alerts.step(0.2)
    assert alerts.told()[1:] == [("second", "raised")]
    alerts.step(600.0)
    assert alerts.told()[2:] == [("boss", "raised"), ("duty", "raised")]
    assert [title for title in alerts.deliver("boss") if "ESCALATED" in title]


def test_escalation_stops_at_acknowledgement(tmp_path: Path) -> None:
    alerts = escalating(tmp_path)
    alerts.alarm(System.Fault)
    alerts.step()
    alerts.step(301.0)  # the second has a message that is not delivered yet
    alerts.say(System.Fault, acknowledged=True)
    alerts.step(1.0)
    assert alerts.told(("withdrawn",)) == [("second", "raised")]
    alerts.step(3600.0)
    assert alerts.told() == [("duty", "raised")]


def test_escalation_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    alerts = escalating(tmp_path)
    alerts.alarm(System.Fault)
    alerts.step()
    alerts.restart()
    alerts.step(301.0)
    alerts.restart()
    alerts.step(1.0)
    assert alerts.told() == [("duty", "raised"), ("second", "raised")]


def test_an_alarm_that_came_while_nobody_looked_is_told_at_the_start(tmp_path: Path) -> None:
    alerts = escalating(tmp_path)
    alerts.restart()
    alerts.alarm(System.Fault)
    alerts.step()
    assert alerts.told() == [("duty", "raised")]


def test_who_was_told_is_told_that_it_is_over(tmp_path: Path) -> None:
    alerts = escalating(tmp_path)
    alerts.alarm(System.Fault)
    alerts.step()
    alerts.clear(System.Fault)
    alerts.step(10.0)
    assert alerts.told() == [("duty", "raised"), ("duty", "cleared")]


def test_the_end_is_no_news_for_whom_the_alarm_never_reached(tmp_path: Path) -> None:
    alerts = escalating(tmp_path)
    alerts.alarm(System.Fault)
    alerts.step()
    alerts.deliver("duty")
    alerts.step(301.0)  # the second has a message that is not delivered yet
    alerts.clear(System.Fault)
    alerts.step(1.0)
    assert alerts.told() == [("duty", "raised"), ("duty", "cleared")]


def test_an_end_is_not_told_where_the_rule_does_not_want_it(tmp_path: Path) -> None:
    alerts = escalating(tmp_path, cleared="no")
    alerts.alarm(System.Fault)
    alerts.step()
    alerts.clear(System.Fault)
    alerts.step(10.0)
    assert alerts.told() == [("duty", "raised")]


def test_an_alarm_is_never_told_to_be_over_before_it_is_told(tmp_path: Path) -> None:
    alerts = escalating(tmp_path)
    alerts.alarm(System.Fault)
    alerts.step()
    first = alerts.outbox.claim("duty", alerts.now, 10.0)
    assert first is not None
    alerts.outbox.settle(first, alerts.now, alerts.now, "refused")
    alerts.clear(System.Fault)
    alerts.step(1.0)
    assert alerts.deliver("duty") == []
    alerts.now += 10.0
    titles = alerts.deliver("duty")
    assert [title.startswith("[cleared]") for title in titles] == [False, True]


def test_the_same_alarm_again_is_another_one(tmp_path: Path) -> None:
    alerts = escalating(tmp_path, cleared="no")
    for _ in range(2):
        alerts.alarm(System.Fault)
        alerts.step(60.0)
        alerts.clear(System.Fault)
        alerts.step(60.0)
    assert alerts.told() == [("duty", "raised")] * 2


@pytest.mark.parametrize("hidden", ["silent", "acknowledged"])
def test_what_is_shelved_or_acknowledged_already_is_told_to_nobody(
    tmp_path: Path, hidden: str
) -> None:
    alerts = escalating(tmp_path)
    alerts.alarm(System.Fault)
    alerts.say(System.Fault, **{hidden: True})
    alerts.step()
    alerts.step(3600.0)
    assert alerts.told() == []


def test_an_alarm_that_is_unshelved_is_told_then(tmp_path: Path) -> None:
    alerts = escalating(tmp_path)
    alerts.alarm(System.Fault)
    alerts.say(System.Fault, silent=True)
    alerts.step()
    alerts.say(System.Fault, silent=False)
    alerts.step(3600.0)
    assert alerts.told() == [("duty", "raised")]
