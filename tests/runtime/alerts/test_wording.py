"""What a message says."""

from __future__ import annotations

from runtime.alerts import wording
from runtime.alerts.occurrences import Occurrence
from runtime.equipment import Equipment
from runtime.tags import Pump, Station
from tests.runtime.alerts.dispatching import BERLIN, NOON
from tests.runtime.alerts.plant import EQUIPMENT


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
    assert words.title == "[P2] Failsafe: North"
    assert {"station": "North", "since": NOON, "tag": "Station.Failsafe"}.items() <= (
        words.fields.items()
    )


def test_an_alarm_of_equipment_that_is_not_known_by_name_is_told_all_the_same() -> None:
    alarm = Pump.NoFlow.alarm
    assert alarm is not None
    found = Occurrence(Pump.NoFlow, alarm, 5, "slot 5", 5, NOON, False, False)
    assert wording.account(found, Equipment(), ([], [])).where == "station slot 5, pump 5"
