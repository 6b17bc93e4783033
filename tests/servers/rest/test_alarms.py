"""The list of alarms over HTTP, from an image by hand."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.alarm import WORDS, AlarmState
from runtime.servers.rest import models
from runtime.tag import Tag
from runtime.tags import ALARM_OF_STATE, ALARMS, Pump, Station, System
from tests.servers.rest.site import Image, Site

DECLARED = {alarm.tag: alarm for alarm in ALARMS}
BEGAN = 1_700_000_000.0


def stands(
    image: Image,
    tag: Tag,
    slot: int = 0,
    state: AlarmState = AlarmState.UNACKNOWLEDGED,
    since: float = BEGAN,
) -> None:
    image[tag][slot] = since > 0.0
    image[DECLARED[tag].state][slot] = state
    image[DECLARED[tag].since][slot] = since


def alarms(site: Site, query: str = "") -> list[Any]:
    reply = site.api(f"alarms{query}")
    models.Alarms.model_validate_json(reply.body)
    found: list[Any] = reply.json["alarms"]
    return found


def names(site: Site, query: str = "") -> list[tuple[str, int | None]]:
    return [(alarm["alarm"], alarm["pump"]) for alarm in alarms(site, query)]


def test_every_declared_alarm_is_shown_with_what_to_do(image: Image, site: Site) -> None:
    for alarm in ALARMS:
        stands(image, alarm.tag)
    image.publish()
    shown = {(told["scope"], told["alarm"]): told for told in alarms(site)}
    assert len(shown) == len(ALARMS)
    for alarm in ALARMS:
        told = shown[alarm.table.__name__.lower(), alarm.tag.name]
        assert told["state"] == "unacknowledged active"
        assert (told["priority"], told["response"]) == (alarm.alarm.priority, alarm.alarm.response)
    assert shown["pump", "EmergencyStop"]["station"] == "North"
    assert shown["pump", "EmergencyStop"]["pump"] == 11
    assert shown["system", "Fault"]["station"] is None


def test_alarms_come_by_priority_and_the_oldest_first_then_what_has_ended(
    image: Image, site: Site
) -> None:
    stands(image, Pump.FeedbackLost)  # priority 3
    stands(image, Pump.NotFollowing, 0, AlarmState.CLEARED, since=0.0)  # priority 2
    stands(image, Pump.NotFollowing, 3, since=BEGAN + 100.0)
    stands(image, Pump.NotFollowing, 4)
    stands(image, System.EmergencyStop)  # priority 1
    image.publish()
    assert names(site) == [
        ("EmergencyStop", None),
        ("NotFollowing", 21),
        ("NotFollowing", 13),
        ("NotFollowing", 11),
        ("FeedbackLost", 11),
    ]
    assert alarms(site)[1]["since"] == "2023-11-14T22:13:20Z"
    assert alarms(site)[3]["since"] is None


def test_an_alarm_of_what_nothing_lists_is_shown_all_the_same(image: Image, site: Site) -> None:
    stands(image, Pump.NotFollowing, 2)
    image[Pump.Configured][2] = True
    image.publish()
    (alarm,) = alarms(site)
    assert (alarm["scope"], alarm["station"], alarm["pump"]) == ("pump", None, None)


def test_what_is_not_in_use_has_no_alarms(image: Image, site: Site) -> None:
    stands(image, Pump.NotFollowing, 1)  # the retired pump
    stands(image, Pump.NotFollowing, 2)  # a slot that nothing has
    image.publish()
    assert site.api("alarms?state=all").json["found"] == 0


@pytest.fixture
def several(image: Image) -> Image:
    """One alarm of pump 11 in each state that is not normal, as far as there are alarms."""
    tags = [Pump.NotFollowing, Pump.NoFlow, Pump.Failed, Pump.RunsUncommanded, Pump.PowerDeviates]
    tags += [Pump.FeedbackLost, Pump.LevelTrip, Pump.AllRun]
    for tag, state in zip(tags, list(AlarmState)[1:], strict=True):
        stands(image, tag, 0, state)
    image.publish()
    return image


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("?state=standing", [1, 2, 3, 4, 5]),
        ("?state=unacknowledged", [1, 3, 4]),
        ("?state=hidden", [6, 7, 8]),
        ("?state=all", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("?state=shelved", [6]),
        ("?state=out%20of%20service", [8]),
        ("?state=acknowledged%20active", [2]),
    ],
)
def test_alarms_are_listed_by_state(
    several: Image, site: Site, query: str, states: list[int]
) -> None:
    assert {alarm["state"] for alarm in alarms(site, query)} == {WORDS[state] for state in states}


def test_alarms_are_listed_by_priority_and_station(image: Image, site: Site) -> None:
    stands(image, Pump.NotFollowing)  # North, 2
    stands(image, Pump.FeedbackLost, 3)  # North, 3
    stands(image, Station.Failsafe, 1)  # South, 2
    stands(image, Pump.NotFollowing, 4)  # South, 2
    stands(image, System.DatabaseLost)  # 2
    image.publish()
    assert names(site, "?priority=3") == [("FeedbackLost", 13)]
    assert names(site, "?station=South") == [("Failsafe", None), ("NotFollowing", 21)]
    assert names(site, "?station=North&priority=2") == [("NotFollowing", 11)]
    assert len(names(site)) == 5, "each query has an answer of its own"


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("state=normal", "query.state"),
        ("state=Shelved", "query.state"),
        ("priority=0", "query.priority"),
        ("priority=5", "query.priority"),
        ("urgency=1", "query.urgency"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(
    image: Image, site: Site, query: str, where: str
) -> None:
    reply = site.api(f"alarms?{query}")
    assert reply.status == 422
    assert reply.problem["errors"][0]["where"] == where


def test_alarms_of_an_unknown_station_are_not_found(image: Image, site: Site) -> None:
    assert site.api("alarms?station=West").problem["status"] == 404


def test_what_came_first_in_a_station_is_marked(image: Image, site: Site) -> None:
    stands(image, Pump.FeedbackLost, 3, since=BEGAN - 5.0)  # North
    stands(image, Pump.NotFollowing, 0)
    stands(image, Station.LevelsDiffer, 0, AlarmState.SHELVED, since=BEGAN - 9.0)
    stands(image, Pump.Failed, 3, AlarmState.CLEARED, since=0.0)
    stands(image, Pump.LevelTrip, 4)  # South, both in one scan: the more urgent
    stands(image, Pump.AllRun, 4)
    stands(image, System.DatabaseLost)  # alone
    image.publish()
    first = [(alarm["alarm"], alarm["pump"]) for alarm in alarms(site) if alarm["first_out"]]
    assert sorted(first) == [("AllRun", 21), ("FeedbackLost", 13)]


def test_until_when_an_alarm_is_shelved_is_told_in_utc(image: Image, site: Site) -> None:
    stands(image, Pump.NotFollowing, 0, AlarmState.SHELVED)
    image[System.ControlTime][0] = 4000.0
    image[DECLARED[Pump.NotFollowing].shelved_until][0] = 4060
    image.publish()
    (alarm,) = alarms(site, "?state=shelved")
    assert alarm["shelved_until"] == "2023-11-14T22:14:20.250000Z"


def test_the_list_tells_the_counts_of_the_whole_system(image: Image, site: Site) -> None:
    image[System.ActiveAlarms][0] = 9
    image[System.UnacknowledgedAlarms][0] = 4
    image[System.ShelvedAlarms][0] = 2
    image[System.AlarmFlood][0] = True
    image.publish()
    told = site.api("alarms?station=South").json
    counts = {"active": 9, "unacknowledged": 4, "shelved": 2, "flood": True, "found": 0}
    assert {name: told[name] for name in counts} == counts


def test_each_state_is_a_tag_as_any_other(image: Image, site: Site) -> None:
    stands(image, Pump.NotFollowing, 0, AlarmState.SHELVED)
    image.publish()
    tags = site.api("stations/North/pumps/11").json["tags"]
    assert tags["NotFollowingState"]["value"] == "shelved"
    assert {tag.name for tag in ALARM_OF_STATE if tag.table == "Pump"} <= set(tags)
