"""Rules: which alarms they are for, and at which days and hours they count."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from runtime.tags import Pump, System
from tests.runtime.alerts.dispatching import BERLIN, Alerts


def test_rules_choose_by_priority_and_station(tmp_path: Path) -> None:
    rules = {
        "critical": {"priority": "1", "steps": "duty"},
        "north": {"stations": ["S0"], "steps": "second"},
    }
    alerts = Alerts(tmp_path, {"rules": rules})
    alerts.alarm(System.Fault)  # critical, of no station
    alerts.alarm(Pump.NoFlow, 0)  # priority 2, station S0
    alerts.alarm(Pump.NoFlow, 1)
    alerts.step()
    assert alerts.told() == [("duty", "raised"), ("second", "raised")]


def test_without_rules_everyone_is_told_but_who_gets_the_heartbeat(tmp_path: Path) -> None:
    alerts = Alerts(tmp_path, {"heartbeat": {"channel": "boss"}})
    alerts.alarm(Pump.NoFlow)
    alerts.step()
    assert alerts.told() == [("duty", "raised"), ("second", "raised")]


def test_two_rules_tell_one_channel_once(tmp_path: Path) -> None:
    alerts = Alerts(tmp_path, {"rules": {"a": {"steps": "duty"}, "b": {"steps": "duty"}}})
    alerts.alarm(System.Fault)
    alerts.step()
    assert alerts.told() == [("duty", "raised")]


def shifts(tmp_path: Path) -> Alerts:
    rules = {
        "day": {"days": "mon-fri", "hours": "07:00-16:00", "steps": "duty"},
        "night": {"days": "mon-fri", "hours": "22:00-06:00", "steps": "second"},
    }
    return Alerts(tmp_path, {"timezone": "Europe/Berlin", "rules": rules})


@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("2026-06-03 06:59:59", []),
        ("2026-06-03 07:00:00", ["duty"]),
        ("2026-06-03 15:59:59", ["duty"]),
        ("2026-06-03 16:00:00", []),
        ("2026-06-03 22:00:00", ["second"]),
        ("2026-06-04 05:59:59", ["second"]),
        ("2026-06-06 02:00:00", ["second"]),  # Saturday: the night that began on Friday
        ("2026-06-06 23:00:00", []),
        ("2026-06-08 02:00:00", []),  # Monday: the night that began on Sunday
        ("2026-03-27 22:30:00", ["second"]),
        ("2026-03-28 05:30:00", ["second"]),
        ("2026-03-30 07:00:00", ["duty"]),  # the first working day of summer time
        ("2026-10-26 07:00:00", ["duty"]),  # and of winter time
        ("2026-10-26 15:59:59", ["duty"]),
    ],
)
def test_rules_count_at_their_days_and_hours(tmp_path: Path, when: str, who: list[str]) -> None:
    alerts = shifts(tmp_path)
    alerts.now = datetime.fromisoformat(when).replace(tzinfo=BERLIN).timestamp()
    alerts.alarm(System.Fault)
    alerts.step()
    assert [channel for channel, _ in alerts.told()] == who


def test_hours_follow_the_clock_on_the_wall_when_it_is_changed(tmp_path: Path) -> None:
    """02:30 comes twice in October: both count. In March it never comes."""
    rule = {"hours": "02:00-03:00", "steps": "duty"}
    alerts = Alerts(tmp_path, {"timezone": "Europe/Berlin", "rules": {"one": rule}})
    for fold in (0, 1):
        moment = datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=BERLIN)
        alerts.now = moment.timestamp()
        alerts.alarm(Pump.NoFlow, fold)
        alerts.step()
    assert len(alerts.told()) == 2
    alerts.alarm(Pump.NoFlow, 2)
    alerts.now = datetime(2026, 3, 29, 1, 59, tzinfo=BERLIN).timestamp()
    alerts.step()
    alerts.step(120.0)  # 03:01
    assert len(alerts.told()) == 2


def test_an_alarm_that_stands_when_the_hours_begin_is_told_then(tmp_path: Path) -> None:
    alerts = shifts(tmp_path)
    alerts.now = datetime(2026, 6, 3, 6, 30, tzinfo=BERLIN).timestamp()
    alerts.alarm(System.Fault)
    alerts.step()
    assert alerts.told() == []
    alerts.step(1800.0)
    assert alerts.told() == [("duty", "raised")]
