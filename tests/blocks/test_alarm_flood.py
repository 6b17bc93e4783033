"""Alarm flood: from more than ten alarms in ten minutes until fewer than five."""

from __future__ import annotations

import pytest

from runtime.alarm import AlarmState
from runtime.tags import Pump, System
from tests.blocks.panel import Panel

PUMPS = 20


@pytest.fixture
def panel() -> Panel:
    panel = Panel(station_of=(0,) * PUMPS)
    panel.step()
    return panel


def announce(panel: Panel, pumps: int) -> bool:
    """Alarms of so many pumps begin, in one scan; whether that is a flood."""
    panel[Pump.Failed][:] = False
    panel.step()
    panel[Pump.Failed][:pumps] = True
    panel.step()
    return is_flood(panel)


def is_flood(panel: Panel) -> bool:
    return bool(panel[System.AlarmFlood][0])


@pytest.mark.parametrize(("alarms", "flood"), [(10, False), (11, True), (20, True)])
def test_more_than_ten_alarms_at_once_are_a_flood(panel: Panel, alarms: int, flood: bool) -> None:
    assert announce(panel, alarms) is flood


@pytest.mark.parametrize(("wait", "flood"), [(598, True), (599, False)])
def test_eleven_alarms_are_a_flood_if_they_come_within_ten_minutes(
    panel: Panel, wait: int, flood: bool
) -> None:
    announce(panel, 1)
    panel.step(wait - 1)
    assert announce(panel, 10) is flood


def test_a_flood_ends_when_fewer_than_five_came_within_ten_minutes(panel: Panel) -> None:
    assert announce(panel, 11)
    panel.step(300)
    assert announce(panel, 4)
    panel.step(297)
    assert is_flood(panel)
    panel.step(1)
    assert not is_flood(panel)


def test_a_flood_goes_on_while_five_came_within_ten_minutes(panel: Panel) -> None:
    assert announce(panel, 11)
    panel.step(300)
    assert announce(panel, 5)
    panel.step(599)
    assert is_flood(panel)
    panel.step(1)
    assert not is_flood(panel)


def test_what_is_not_announced_makes_no_flood(panel: Panel) -> None:
    panel[System.DatabaseLost][0] = True
    panel.step()
    panel[Pump.FeedbackLost][:] = True
    panel.step()
    assert panel.state(Pump.FeedbackLost, PUMPS - 1) is AlarmState.SUPPRESSED
    assert not is_flood(panel)


def test_a_step_of_the_wall_clock_ends_no_flood(panel: Panel) -> None:
    assert announce(panel, 11)
    panel[System.TimeUtc][0] += 1e6
    panel.step()
    assert is_flood(panel)


def test_a_runtime_that_has_just_begun_is_in_no_flood() -> None:
    panel = Panel()
    panel[System.ControlTime][0] = 0.0
    panel[Pump.Failed][:] = True
    panel.step()
    assert not is_flood(panel)
