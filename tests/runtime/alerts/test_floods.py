"""Floods: digests in place of many messages, and what is told at once all the same."""

from __future__ import annotations

from pathlib import Path

from runtime.tags import Pump, Station
from tests.runtime.alerts.dispatching import Alerts

FLOOD = {"flood": {"begins": 10, "ends": 5, "window": "10 min", "digest": "5 min"}}


def flooded(tmp_path: Path) -> Alerts:
    rule = {"rules": {"all": {"steps": "duty"}}}
    alerts = Alerts(tmp_path, FLOOD | rule)
    for slot in range(10):
        alerts.alarm(Pump.NoFlow, slot)
    alerts.step()
    return alerts


def test_ten_alarms_in_ten_minutes_are_told_one_by_one(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    assert not alerts.dispatch.flood
    assert alerts.told() == [("duty", "raised")] * 10


def test_the_eleventh_begins_a_flood_and_one_digest_takes_the_place_of_many(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    for slot in range(10, 30):
        alerts.alarm(Pump.NoFlow, slot)
        alerts.step(0.1)
    assert alerts.dispatch.flood
    assert len(alerts.told()) == 10
    alerts.step(10.0)
    assert alerts.told()[10:] == [("duty", "digest")]
    assert len(alerts.told(("digested",))) == 20


def test_priority_1_is_told_at_once_in_a_flood(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    alerts.alarm(Station.EmergencyStop, 1)
    alerts.step()
    assert alerts.dispatch.flood
    assert alerts.told()[10:] == [("duty", "raised")]


def test_a_digest_groups_by_station_with_the_first_out_of_each(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    for tag, slot in ((Station.Failsafe, 50), (Pump.Failed, 60), (Pump.NoFlow, 60)):
        alerts.alarm(tag, slot)
        alerts.step(1.0)
    alerts.clear(Pump.NoFlow, 60)
    alerts.step(10.0)
    text = alerts.outbox.connection.execute(
        "select text from message where kind = 'digest'"
    ).fetchone()[0]
    lines = [line.split(", since")[0] for line in text.splitlines() if line and "what" not in line]
    assert lines[1:] == [
        "S50: 1",
        "  first: P2 Failsafe, station S50",
        "S60: 2",
        "  first: P2 Failed, station S60, pump 60",
        "  P2 NoFlow, station S60, pump 60",
    ]
    assert text.count(", over") == 1


def test_digests_come_no_oftener_than_set_and_the_rest_when_the_flood_ends(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    alerts.alarm(Pump.NoFlow, 100)
    alerts.step()
    alerts.step(10.0)
    alerts.alarm(Pump.NoFlow, 101)
    alerts.step(1.0)
    alerts.step(289.0)
    assert [kind for _, kind in alerts.told()].count("digest") == 1
    alerts.step(11.0)
    assert [kind for _, kind in alerts.told()].count("digest") == 2
    alerts.alarm(Pump.NoFlow, 102)
    alerts.step(1.0)
    assert alerts.told(("gathered",)) == [("duty", "raised")]
    alerts.step(295.0)  # the eleven are older than the window: fewer than five are left
    assert not alerts.dispatch.flood
    assert alerts.told(("gathered",)) == []
    assert [kind for _, kind in alerts.told()].count("digest") == 3


def test_a_flood_survives_a_restart(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    alerts.alarm(Pump.NoFlow, 100)
    alerts.step()
    alerts.restart()
    assert alerts.dispatch.flood
    alerts.step(10.0)
    assert alerts.told()[10:] == [("duty", "digest")]
