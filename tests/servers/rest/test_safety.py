"""The state of what protects, active alarms, and the record of both."""

from __future__ import annotations

from typing import Any

from runtime.tags import SHOWN, Pump, Station, System
from tests.servers.rest.site import Image, Site


def test_safety_names_what_acts_and_on_which_pump(image: Image, site: Site) -> None:
    image[Station.Failsafe][1] = True
    image[Station.PlanAge][1] = 1300.0
    image[Pump.Limited][3] = 0b100
    image[Pump.Stopped][4] = True
    image[Station.EmergencyStop][1] = True
    image.publish()
    safety = site.api("safety").json
    counts = {"emergency_stops": 1, "failsafe_stations": 1, "limited_pumps": 1}
    assert {name: safety[name] for name in counts} == counts
    north, south = safety["stations"]
    assert south["tags"]["Failsafe"]["value"] is True
    assert south["tags"]["PlanAge"] == {"value": 1300.0, "unit": "s", "quality": "Good"}
    assert south["tags"]["EmergencyStop"]["value"] is True
    assert [pump["pump"] for pump in south["pumps"]] == [21]
    (limited,) = north["pumps"]
    assert limited["pump"] == 13
    assert limited["tags"]["Limited"]["value"] == ["level"]


def alarms(site: Site) -> list[Any]:
    found: list[Any] = site.api("alarms").json["alarms"]
    return found


def test_every_declared_alarm_is_shown_with_what_to_do(image: Image, site: Site) -> None:
    declared = [(table, tag) for table in SHOWN for tag in table.tags() if tag.alarm]
    for _, tag in declared:
        image[tag][0] = True
    image.publish()
    shown = {(alarm["scope"], alarm["alarm"]): alarm for alarm in alarms(site)}
    assert set(shown) == {(table.__name__.lower(), tag.name) for table, tag in declared}
    for table, tag in declared:
        alarm = shown[table.__name__.lower(), tag.name]
        assert tag.alarm is not None
        assert (alarm["priority"], alarm["response"]) == (tag.alarm.priority, tag.alarm.response)
    assert shown["pump", "EmergencyStop"]["station"] == "North"
    assert shown["pump", "EmergencyStop"]["pump"] == 11
    assert shown["system", "Fault"]["station"] is None


def test_alarms_come_by_priority_and_the_oldest_first(image: Image, site: Site) -> None:
    image[Pump.FeedbackLost][0] = True  # priority 3
    image[Pump.NotFollowing][3:5] = True  # priority 2
    image[Pump.NotFollowingSince][3:5] = [1_700_000_100.0, 1_700_000_000.0]
    image[System.EmergencyStop][0] = True  # priority 1
    image.publish()
    found = [(alarm["alarm"], alarm["pump"]) for alarm in alarms(site)]
    assert found == [
        ("EmergencyStop", None),
        ("NotFollowing", 21),
        ("NotFollowing", 13),
        ("FeedbackLost", 11),
    ]
    assert alarms(site)[1]["since"] == "2023-11-14T22:13:20Z"


def test_an_alarm_of_what_nothing_lists_is_shown_all_the_same(image: Image, site: Site) -> None:
    image[Pump.NotFollowing][2] = True
    image[Pump.Configured][2] = True
    image.publish()
    (alarm,) = alarms(site)
    assert (alarm["scope"], alarm["station"], alarm["pump"]) == ("pump", None, None)


def test_what_is_not_in_use_has_no_alarms(image: Image, site: Site) -> None:
    image[Pump.NotFollowing][1] = True  # the retired pump
    image[Pump.NotFollowing][2] = True  # a slot that nothing has
    image.publish()
    assert site.api("alarms").json["active"] == 0
