"""Floods: digests in place of many messages, and what is told at once all the same."""

from __future__ import annotations

import platform
from pathlib import Path

from runtime.tag import Tag
from runtime.tags import Pump, Station, System
from tests.runtime.alerts.dispatching import NOON, Alerts

FLOOD = {"flood": {"begins": 10, "ends": 5, "window": "10 min", "digest": "5 min"}}


def flooded(tmp_path: Path) -> Alerts:
    rule = {"rules": {"all": {"steps": "duty"}}}
    alerts = Alerts(tmp_path, FLOOD | rule)
    for slot in range(10):
        alerts.now = NOON - 3.0 * (10 - slot)  # each by itself
        alerts.alarm(Pump.NoFlow, slot)
    alerts.now = NOON
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


def digest(alerts: Alerts) -> tuple[str, str, list[str]]:
    """Title and short text of the newest digest, and its lines up to the times."""
    row = alerts.outbox.connection.execute(
        "select title, short, text from message where kind = 'digest' order by number desc"
    ).fetchone()
    lines = [line for line in row["text"].splitlines()[1:] if line and "What to do" not in line]
    return row["title"], row["short"], [line.split(", since")[0] for line in lines]


def came(alerts: Alerts, *alarms: tuple[Tag, int]) -> None:
    """Alarms come, one each second, and the digest with them."""
    for tag, slot in alarms:
        alerts.alarm(tag, slot)
        alerts.step(1.0)


def test_a_digest_groups_by_station_with_the_first_out_of_each(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    came(alerts, (Station.Failsafe, 50), (Pump.Failed, 60), (Pump.NoFlow, 60))
    alerts.clear(Pump.NoFlow, 60)
    alerts.step(10.0)
    title, short, lines = digest(alerts)
    assert lines == [
        "First: P2 Failsafe, station S50",
        "First: P2 Failed, station S60, pump 60",
        "  1 followed: 1 × No flow",
        "  P2 No flow, station S60, pump 60",
    ]
    assert title == "[flood] 3 alarms, first Failsafe: S50"
    assert "First Failed: S60 pump 60, since 2026-06-03 10:00:01 UTC, 1 followed." in short


def test_what_has_a_declared_cause_is_told_with_it_though_its_station_had_another(
    tmp_path: Path,
) -> None:
    alerts = flooded(tmp_path)
    came(
        alerts,
        (Pump.FeedbackLost, 60),
        (Station.LevelsDiffer, 60),
        (System.DatabaseLost, 0),
        *((Pump.FeedbackLost, slot) for slot in (61, 62)),
    )
    alerts.step(10.0)
    assert digest(alerts)[2] == [
        "First: P3 Levels differ, station S60",
        f"First: P2 Database lost, the whole system, on {platform.node()}",
        "  3 followed: 3 × Feedback lost",
        *(f"  P3 Feedback lost, station S{slot}, pump {slot}" for slot in (60, 61, 62)),
    ]


def test_one_alarm_of_many_stations_is_one_group_and_repeats_are_counted(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    came(alerts, *((Station.Failsafe, slot) for slot in (50, 51, 52)))
    for _ in range(2):
        alerts.clear(Station.Failsafe, 52)
        alerts.step(1.0)
        came(alerts, (Station.Failsafe, 52))
    alerts.step(10.0)
    assert digest(alerts)[2] == [
        "First: P2 Failsafe, station S50",
        "  4 followed: 4 × Failsafe",
        "  P2 Failsafe, station S51",
        "  P2 Failsafe, station S52, 3 times, the last",
    ]


def test_what_strikes_several_stations_at_once_has_a_cause_outside_them(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    came(alerts, (Station.EmergencyStop, 60), (Station.LevelsDiffer, 61))
    alerts.step(10.0)
    for slot in (60, 61, 62):
        alerts.alarm(Pump.FeedbackLost, slot)
    alerts.step()
    alerts.step(300.0)
    assert digest(alerts)[2] == [
        "First: P3 Feedback lost, station S60, pump 60",
        "  2 followed: 2 × Feedback lost",
        "  P3 Feedback lost, station S61, pump 61",
        "  P3 Feedback lost, station S62, pump 62",
    ]


def test_what_was_told_before_the_flood_is_the_first_out_of_what_follows(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)  # NoFlow of pump 3 among them
    came(alerts, (Pump.PowerDeviates, 3), (Pump.Failed, 3))
    alerts.step(10.0)
    text = alerts.outbox.connection.execute(
        "select text from message where kind = 'digest'"
    ).fetchone()[0]
    assert "First: P2 No flow, station S3, pump 3, since 2026-06-03 09:59:39 UTC, told before" in (
        text
    )
    assert "  2 followed: 1 × Power deviates, 1 × Failed" in text
    assert text.count("No flow") == 1, "others that were told before are not told again"


def test_a_long_digest_says_how_many_it_leaves_out(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    for slot in range(100, 160):
        alerts.alarm(Pump.Failed, slot)
    alerts.step()
    alerts.step(10.0)
    _, short, lines = digest(alerts)
    assert lines[1] == "  59 followed: 59 × Failed"
    assert lines[-1] == "  … and 19 more"
    assert len(short) < 300


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


def told_in_a_digest(tmp_path: Path, count: int) -> Alerts:
    """A flood whose last alarms were told in a digest, and delivered."""
    alerts = flooded(tmp_path)
    for slot in range(10, 10 + count):
        alerts.alarm(Pump.NoFlow, slot)
    alerts.step()
    alerts.step(10.0)
    alerts.deliver("duty")
    return alerts


def test_what_was_told_in_a_digest_ends_in_one_though_the_flood_is_over(tmp_path: Path) -> None:
    alerts = told_in_a_digest(tmp_path, 20)
    alerts.step(700.0)
    assert not alerts.dispatch.flood
    for slot in range(10, 29):
        alerts.clear(Pump.NoFlow, slot)
        alerts.step(0.1)
    assert alerts.told(("pending",)) == []
    alerts.step(10.0)
    (title,) = alerts.deliver("duty")
    assert title == "[cleared] 19 alarms; 11 still stand"
    _, short, lines = digest(alerts)
    assert short == "CLEARED 19 alarms; 11 still stand: 19 × No flow"
    assert lines[0] == "19 × No flow"
    assert lines[1].startswith("  P2 No flow, station S10, pump 10, until 2026-06-03 10:11:50 UTC,")
    assert lines[1].endswith(", after 12 min")
    alerts.clear(Pump.NoFlow, 29)
    alerts.step()
    assert alerts.deliver("duty") == []
    alerts.step(300.0)
    assert alerts.deliver("duty") == ["[cleared] No flow: S29 pump 29; 10 still stand"]


def test_what_was_told_alone_ends_alone_once_the_flood_is_over(tmp_path: Path) -> None:
    alerts = told_in_a_digest(tmp_path, 1)
    alerts.step(700.0)
    alerts.clear(Pump.NoFlow, 3)
    alerts.step()
    assert alerts.deliver("duty") == ["[cleared] No flow: S3 pump 3"]


def test_a_digest_of_a_flood_tells_beginnings_and_ends(tmp_path: Path) -> None:
    alerts = told_in_a_digest(tmp_path, 2)
    alerts.clear(Pump.NoFlow, 10)
    alerts.clear(Pump.NoFlow, 3)
    came(alerts, (Pump.Failed, 60))
    alerts.step(300.0)
    title, short, lines = digest(alerts)
    assert title == "[flood] 1 alarm, first Failed: S60 pump 60"
    assert " Over: 2 told before. " in short
    assert lines[1] == "Over that you were told of before: 2 alarms"
    assert [line.split(", until")[0] for line in lines[2:]] == [
        "  P2 No flow, station S3, pump 3",
        "  P2 No flow, station S10, pump 10",
    ]


def test_an_end_that_was_none_is_not_told(tmp_path: Path) -> None:
    alerts = told_in_a_digest(tmp_path, 1)
    alerts.step(700.0)
    again = alerts.found[Pump.NoFlow, 10]
    alerts.clear(Pump.NoFlow, 10)
    alerts.step()
    alerts.found[Pump.NoFlow, 10] = again
    alerts.step(10.0)
    assert alerts.deliver("duty") == []
    alerts.clear(Pump.NoFlow, 10)
    alerts.step(1.0)
    assert alerts.deliver("duty") == ["[cleared] No flow: S10 pump 10; 10 still stand"]


def test_a_flood_survives_a_restart(tmp_path: Path) -> None:
    alerts = flooded(tmp_path)
    alerts.alarm(Pump.NoFlow, 100)
    alerts.step()
    alerts.restart()
    assert alerts.dispatch.flood
    alerts.step(10.0)
    assert alerts.told()[10:] == [("duty", "digest")]
