"""Who is told what, and when: escalation, rules, shelving, floods. The clock is a number here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runtime.alerts import wording
from runtime.alerts.dispatch import Dispatch
from runtime.alerts.occurrences import Occurrence
from runtime.alerts.outbox import Outbox
from runtime.alerts.wording import Account
from runtime.equipment import Equipment
from runtime.tag import Tag
from runtime.tags import Pump, Station, System
from tests.runtime.alerts.plant import EQUIPMENT, configured

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 3, 12, tzinfo=BERLIN).timestamp()  # a Wednesday
ESCALATION = {"0 s": "duty", "5 min": "second", "15 min": ["boss", "duty"]}
PEOPLE: dict[str, Any] = {"duty": {}, "second": {}, "boss": {}}


def describe(found: Occurrence) -> Account:
    return wording.account(found, EQUIPMENT, ([], []))


class Alerts:
    """The dispatch with a plant and a clock that a test moves."""

    def __init__(self, tmp_path: Path, settings: dict[str, Any]) -> None:
        self.settings = configured(tmp_path, {"channels": PEOPLE} | settings).alerts
        self._path = tmp_path / "alerts.db"
        self.outbox = Outbox(self._path)
        self.dispatch = Dispatch(self.outbox, self.settings)
        self.now = NOON
        self.found: dict[tuple[Tag, int], Occurrence] = {}

    def restart(self) -> None:
        """What a kill and a new start leave: the file."""
        self.outbox.close()
        self.outbox = Outbox(self._path)
        self.dispatch = Dispatch(self.outbox, self.settings)

    def alarm(self, tag: Tag, slot: int = 0) -> None:
        assert tag.alarm is not None
        station = None if tag.table == "System" else f"S{slot}"
        pump = slot if tag.table == "Pump" else None
        one = Occurrence(tag, tag.alarm, slot, station, pump, self.now, False, False)
        self.found[tag, slot] = one

    def say(self, tag: Tag, slot: int = 0, **said: bool) -> None:
        self.found[tag, slot] = replace(self.found[tag, slot], **said)  # type: ignore[arg-type]

    def clear(self, tag: Tag, slot: int = 0) -> None:
        del self.found[tag, slot]

    def step(self, seconds: float = 0.0) -> None:
        self.now += seconds
        self.dispatch.step(self.found.values(), describe, self.now)

    def told(self, states: tuple[str, ...] = ("pending", "delivered")) -> list[tuple[str, str]]:
        """Channel and kind of all messages, in order."""
        rows = self.outbox.connection.execute("select * from message order by number")
        return [(row["channel"], row["kind"]) for row in rows if row["state"] in states]

    def deliver(self, channel: str) -> list[str]:
        """Deliver all that is due; the titles."""
        titles = []
        while claim := self.outbox.claim(channel, self.now, 10.0):
            self.outbox.settle(claim, self.now, self.now, None)
            titles.append(claim.title)
        return titles


def escalating(tmp_path: Path, **rule: Any) -> Alerts:
    return Alerts(tmp_path, {"rules": {"one": {"steps": ESCALATION} | rule}})


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


def test_a_message_says_what_where_since_when_value_limit_and_what_to_do() -> None:
    alarm = Station.Failsafe.alarm
    assert alarm is not None
    found = Occurrence(Station.Failsafe, alarm, 0, "North", None, NOON, False, False)
    seen = (["PlanAge 1201 s"], ["WatchdogTimeout 1200 s"])
    told = wording.account(found, EQUIPMENT, seen)
    words = wording.raised(told, BERLIN, 0.0)
    for part in (
        "No plan in time",
        "station North",
        "2026-06-03 12:00:00 CEST",
        "PlanAge 1201 s",
        "WatchdogTimeout 1200 s",
        alarm.cause,
        alarm.consequence,
        alarm.response,
    ):
        assert part in words.text
    assert words.title == "[P2] station North: Failsafe"
    assert {"station": "North", "since": NOON, "tag": "Station.Failsafe"}.items() <= (
        words.fields.items()
    )


def test_an_alarm_of_equipment_that_is_not_known_by_name_is_told_all_the_same() -> None:
    alarm = Pump.NoFlow.alarm
    assert alarm is not None
    found = Occurrence(Pump.NoFlow, alarm, 5, "slot 5", 5, NOON, False, False)
    assert wording.account(found, Equipment(), ([], [])).where == "station slot 5, pump 5"
