"""The whole story of a request, from either of its ids, wherever its records lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from runtime.alerts.outbox import Order, Outbox
from runtime.alerts.wording import Words
from runtime.database import asking, trace
from runtime.database.trace import Story
from runtime.database.trace_words import lines
from runtime.places import Places
from runtime.servers.mirror import Asker
from runtime.spool import Kind
from runtime.tags import Pump, Station, System
from tests.conftest import Database
from tests.runtime.database import spools
from tests.runtime.database.spools import ANNA, PLANT, Make, drain

TRACE = "shift-7"
SINCE = 1e9  # of the alarm: when the scan was that executed the stop


@pytest.fixture(autouse=True)
def _traced(monkeypatch: pytest.MonkeyPatch) -> None:
    asker = Asker(ANNA.source, ANNA.role, ANNA.who, ANNA.why, ANNA.where, TRACE)
    monkeypatch.setattr(spools, "ANNA", asker)


def stop(spool: Make) -> None:
    """A stop of pump North/11 in scan 101, of which its limit ceased to act; and another matter."""
    rest, recorder = spool("rest"), spool("recorder")
    executed = {"result": "EXECUTED", "scan": 101, "latency": 0.04, "durable": True}
    rest.request(77, Pump.EmergencyStop, 4, 1.0, **executed)
    edge = {"scan": 101, "utc": 1e9, "slot": 4, "old": 0}
    recorder.append(Kind.SAFETY, **(edge | {"tag": "Pump.EmergencyStop", "new": 1, "request": 77}))
    recorder.append(Kind.EDGE, **(edge | {"tag": "Pump.Authority", "new": 4}))
    recorder.append(Kind.SAFETY, **(edge | {"tag": "Pump.Limited", "new": 2}))
    recorder.append(Kind.SAFETY, **(edge | {"tag": "Station.Failsafe", "slot": 1, "new": 1}))
    recorder.append(Kind.EDGE, **(edge | {"tag": "Pump.Running", "new": 1, "scan": 102}))


def told(database: Database, places: Places, identity: str) -> Story:
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        return trace.tell(asking.over(connection), places, PLANT, identity)


@pytest.mark.parametrize("identity", [TRACE, "77"])
def test_either_id_tells_who_asked_what_became_of_it_and_what_followed(
    places: Places, spool: Make, database: Database, identity: str
) -> None:
    stop(spool)
    drain(database, places)
    story = told(database, places, identity)
    assert story.ids == ("77", TRACE)
    words = [line.split("  ", 1)[1] for line in lines(story)]
    assert sorted(words) == sorted(
        [
            "scan 101: North/11/EmergencyStop 0 -> 1",
            "scan 101: North/11/Authority Default -> EmergencyStop",
            "scan 101: North/11/Limited 0 -> 2",
            "scan 101: emergency stop 77 of North/11 set by anna: smoke in the pump hall",
            "scan 101: North/11 limit 'rate' acts",
            "asked by anna (operator), rest 10.0.0.7: set emergency stop North/11/EmergencyStop"
            " := 1.0, because: smoke in the pump hall",
            "executed: set emergency stop North/11/EmergencyStop, in scan 101, after 40.0 ms,"
            " on disk",
        ]
    )


def test_a_stop_is_told_with_its_clearing(places: Places, spool: Make, database: Database) -> None:
    stop(spool)
    cleared = {"result": "EXECUTED", "scan": 300, "latency": 0.04, "durable": True}
    spool("opcua").request(90, Pump.EmergencyStop, 4, 0.0, reference=77, **cleared)
    edge = {"scan": 300, "utc": 1e9 + 20, "tag": "Pump.EmergencyStop", "slot": 4, "old": 1}
    spool("recorder").append(Kind.SAFETY, **(edge | {"new": 0, "request": 90, "reference": 77}))
    drain(database, places)
    events = [step["event"] for step in told(database, places, "77").steps if "event" in step]
    assert events == ["set", "cleared"]


@pytest.mark.parametrize("identity", [TRACE, "77"])
def test_what_waits_in_the_spools_is_told_without_a_database(
    places: Places, spool: Make, identity: str
) -> None:
    stop(spool)
    story = trace.tell(None, places, PLANT, identity)
    assert [(step["found_in"], step.get("result")) for step in story.steps] == [
        ("spool recorder", None),
        ("spool rest", "asked"),
        ("spool rest", "executed"),
    ]
    assert all(line for line in lines(story))
    assert spool("rest") is not None


def test_all_requests_of_one_trace_are_told(
    places: Places, spool: Make, database: Database
) -> None:
    rest = spool("modbus")
    for identity, tag in ((81, Pump.Mode), (82, Pump.ManualSetpoint)):
        rest.request(identity, tag, 4, 1.0, result="EXECUTED", scan=9, latency=0.1, durable=True)
    drain(database, places)
    story = told(database, places, "82")
    assert story.ids == ("81", "82", TRACE)
    assert len(story.steps) == 4


def test_a_request_that_was_refused_says_so(
    places: Places, spool: Make, database: Database
) -> None:
    spool("rest").request(77, Station.EmergencyStop, 1, 0.0, result="UNKNOWN_STOP", scan=5)
    drain(database, places)
    *_, last = lines(told(database, places, TRACE))
    assert last.endswith("unknown stop: clear emergency stop North/EmergencyStop, in scan 5")


def test_of_an_id_that_nobody_had_nothing_is_known(places: Places, database: Database) -> None:
    story = told(database, places, "'; DROP TABLE events")
    assert story.steps == ()
    assert list(lines(story)) == ["nothing is known of '; DROP TABLE events"]


@pytest.fixture
def outbox(places: Places) -> Iterator[Outbox]:
    with closing(Outbox(places.outbox)) as outbox:
        yield outbox


def tell(
    outbox: Outbox, kind: str, at: float, since: float = SINCE, escalation: bool = False
) -> None:
    """A message of the alarm EmergencyStop of North/11, for the duty."""
    fields = {"tag": "Pump.EmergencyStop", "station": "North", "pump": 11, "since": since}
    words = Words(f"{kind} {since:.0f}", "text", "short", fields)
    alarm = f"Pump.EmergencyStop/North/11/{since:.3f}"
    with outbox.transaction():
        order = Order(f"{alarm}/{kind}/{escalation}", "duty", kind, 1, words, alarm, escalation)
        outbox.add(order, at)


def attempt(outbox: Outbox, at: float, error: str | None) -> None:
    claim = outbox.claim("duty", at, 10.0)
    assert claim is not None
    outbox.settle(claim, at, at + 0.5, error)


def of_messages(story: Story) -> list[str]:
    told_ = zip(story.steps, lines(story), strict=True)
    return [line.split("  ", 1)[1] for step, line in told_ if "message" in step]


@pytest.mark.parametrize("uploaded", [True, False], ids=["in PostgreSQL", "in the outbox"])
def test_who_was_told_of_the_alarm_that_a_request_raised_is_part_of_its_story(
    places: Places, spool: Make, database: Database, outbox: Outbox, uploaded: bool
) -> None:
    tell(outbox, "raised", SINCE - 80, SINCE - 90)  # another occurrence, long over
    attempt(outbox, SINCE - 80, None)
    stop(spool)
    drain(database, places)
    tell(outbox, "raised", SINCE + 1)
    attempt(outbox, SINCE + 1, "no answer")
    attempt(outbox, SINCE + 100, None)
    if uploaded:
        drain(database, places)
    mark = "" if uploaded else "  [spool alerts]"
    message = "message to duty, delivered at 01:48:20.500000: raised 1000000000"
    assert of_messages(told(database, places, TRACE)) == [
        message + mark,
        f"attempt 1 to tell duty: failed after 0.5 s: no answer{mark}",
        f"attempt 2 to tell duty: delivered after 0.5 s{mark}",
    ]


def test_a_clearing_is_told_with_the_message_that_the_alarm_is_over(
    places: Places, spool: Make, database: Database, outbox: Outbox
) -> None:
    tell(outbox, "raised", SINCE + 1)
    attempt(outbox, SINCE + 1, None)
    spool("opcua").request(90, Pump.EmergencyStop, 4, 0.0, result="EXECUTED", scan=300)
    edge = {"scan": 300, "utc": SINCE + 20, "tag": "Pump.EmergencyStop", "slot": 4, "old": 1}
    spool("recorder").append(Kind.SAFETY, **(edge | {"new": 0, "request": 90, "reference": 77}))
    tell(outbox, "cleared", SINCE + 21)
    tell(outbox, "raised", SINCE + 50, SINCE + 49)  # the next stop is another story
    drain(database, places)
    assert of_messages(told(database, places, "90")) == [
        "message to duty, pending: cleared 1000000000"
    ]


def test_an_acknowledgement_is_told_with_the_escalations_that_it_withdrew(
    places: Places, spool: Make, database: Database, outbox: Outbox
) -> None:
    tell(outbox, "raised", SINCE + 1)
    attempt(outbox, SINCE + 1, None)
    tell(outbox, "raised", SINCE + 5, escalation=True)
    spool("rest").request(91, Pump.tag("EmergencyStopState"), 4, 1.0, result="EXECUTED", scan=200)
    edge = {"scan": 200, "utc": SINCE + 10, "slot": 4, "old": 1, "new": 2, "request": 91}
    spool("recorder").append(Kind.EDGE, tag="Pump.EmergencyStopState", **edge)
    with outbox.transaction():
        outbox.withdraw(f"Pump.EmergencyStop/North/11/{SINCE:.3f}", SINCE + 11)
    drain(database, places)
    assert of_messages(told(database, places, "91")) == [
        "message to duty, withdrawn at 01:46:51.000000: raised 1000000000"
    ]


def test_the_digest_of_a_flood_is_told_in_place_of_what_it_gathers(
    places: Places, spool: Make, database: Database, outbox: Outbox
) -> None:
    stop(spool)
    tell(outbox, "raised", SINCE + 1)
    digest = Words("40 alarms", "text", "short", {"event": "digest"})
    gathered = f"Pump.EmergencyStop/North/11/{SINCE:.3f}/raised/False"
    with outbox.transaction():
        outbox.digest(Order("d1", "duty", "digest", 1, digest), [gathered], SINCE + 9)
    drain(database, places)
    assert of_messages(told(database, places, TRACE)) == [
        "message to duty, digested at 01:46:49.000000: raised 1000000000",
        "message to duty, pending: 40 alarms",
    ]


def test_failsafe_that_a_request_led_to_is_told(
    places: Places, spool: Make, database: Database
) -> None:
    spool("modbus").request(92, System.EmergencyStop, 0, 1.0, result="EXECUTED", scan=7)
    edge = {"scan": 7, "utc": SINCE, "old": 0, "new": 1}
    recorder = spool("recorder")
    recorder.append(Kind.SAFETY, tag="System.EmergencyStop", slot=0, request=92, **edge)
    recorder.append(Kind.SAFETY, tag="Station.Failsafe", slot=1, plan_age=1300.0, **edge)
    drain(database, places)
    story = "\n".join(lines(told(database, places, "92")))
    assert "scan 7: failsafe of North entered, plans 1300 s old" in story
