"""The whole story of a request, from either of its ids, wherever its records lie."""

from __future__ import annotations

import psycopg
import pytest

from runtime import tracing
from runtime.database import trace
from runtime.database.trace import Story
from runtime.places import Places
from runtime.servers.mirror import Asker
from runtime.spool import Kind
from runtime.tags import Pump, Station
from tests.conftest import Database
from tests.runtime.database import spools
from tests.runtime.database.spools import ANNA, PLANT, Make, drain

TRACE = "shift-7"


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
        return trace.tell(connection, places, PLANT, identity)


@pytest.mark.parametrize("identity", [TRACE, "77"])
def test_either_id_tells_who_asked_what_became_of_it_and_what_followed(
    places: Places, spool: Make, database: Database, identity: str
) -> None:
    stop(spool)
    drain(database, places)
    story = told(database, places, identity)
    assert story.ids == ("77", TRACE)
    words = [line.split("  ", 1)[1] for line in tracing.lines(story)]
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
    assert all(line for line in tracing.lines(story))
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
    *_, last = tracing.lines(told(database, places, TRACE))
    assert last.endswith("unknown stop: clear emergency stop North/EmergencyStop, in scan 5")


def test_of_an_id_that_nobody_had_nothing_is_known(places: Places, database: Database) -> None:
    story = told(database, places, "'; DROP TABLE events")
    assert story.steps == ()
    assert list(tracing.lines(story)) == ["nothing is known of '; DROP TABLE events"]
