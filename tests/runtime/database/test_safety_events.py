"""What uploading makes of safety edges: stops, failsafe, violations."""

from __future__ import annotations

import time

import pytest

from runtime.database import uploads
from runtime.places import Places
from runtime.tags import Pump, Station, System
from tests.conftest import Database
from tests.runtime.database.spools import Connection, Make, drain, rows


@pytest.fixture(params=[1, 2_000])
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are uploaded one by one, or all in one transaction."""
    monkeypatch.setattr(uploads, "BATCH", request.param)


def test_a_stop_and_its_clearing_say_who_why_from_where_and_how_fast(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    rest, recorder = spool("rest"), spool("recorder")
    rest.request(77, Pump.EmergencyStop, 4, 1.0, result="EXECUTED", scan=101, latency=0.04)
    rest.request(
        78, Pump.EmergencyStop, 4, 0.0, result="EXECUTED", scan=102, latency=0.05, reference=77
    )
    recorder.edge(Pump.EmergencyStop, 4, 0, 1, request=77, reference=0)
    recorder.edge(Pump.EmergencyStop, 4, 1, 0, request=78, reference=77)
    recorder.edge(Station.EmergencyStop, 1, 0, 1, request=79, reference=0)
    recorder.edge(System.EmergencyStop, 0, 0, 1)
    drain(database, places)
    stop, cleared, station, system = rows(connection, "emergency_stop_events")
    assert (stop["event"], cleared["event"]) == ("set", "cleared")
    assert stop["emergency_stop_id"] == cleared["emergency_stop_id"] == 77
    for event in (stop, cleared):
        assert (event["scope"], event["station_id"], event["pump_id"]) == ("pump", "North", 11)
        assert (event["actor"], event["address"]) == ("anna", "10.0.0.7")
        assert event["reason"] == "smoke in the pump hall"
    assert (stop["latency_s"], cleared["latency_s"]) == (0.04, 0.05)
    assert (station["scope"], station["station_id"]) == ("station", "North")
    assert (station["actor"], station["pump_id"]) == ("unknown", None)
    assert (system["scope"], system["station_id"]) == ("system", None)


def test_a_clearing_whose_request_is_not_known_names_the_stop_that_was_set(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    recorder = spool("recorder")
    recorder.edge(System.EmergencyStop, 0, 0, 1, request=5, reference=0)
    recorder.edge(Pump.EmergencyStop, 4, 0, 1, request=6, reference=0)
    recorder.edge(System.EmergencyStop, 0, 1, 0)
    drain(database, places)
    cleared = rows(connection, "emergency_stop_events")[-1]
    assert (cleared["event"], cleared["emergency_stop_id"]) == ("cleared", 5)
    assert cleared["reason"] == "not recorded"


def test_the_edge_of_a_stop_waits_for_the_answer_but_not_for_ever(
    places: Places,
    spool: Make,
    database: Database,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rest, recorder = spool("rest"), spool("recorder")
    recorder.edge(Pump.Mode, 4, 0, 1)
    recorder.edge(Pump.EmergencyStop, 4, 0, 1, request=77, reference=0, utc=time.time())
    rest.request(77, Pump.EmergencyStop, 4, 1.0)  # the server was killed before the answer
    assert drain(database, places) == 2
    assert [event["tag"] for event in rows(connection, "events")] == ["Pump.Mode"]

    monkeypatch.setattr(uploads, "ANSWER_PATIENCE", 0.0)
    assert drain(database, places) == 1
    (stop,) = rows(connection, "emergency_stop_events")
    assert (stop["actor"], stop["latency_s"]) == ("anna", None)


def test_failsafe_is_entered_and_left(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    recorder = spool("recorder")
    recorder.edge(Station.Failsafe, 1, 0, 1, plan_age=1_200.1)
    recorder.edge(Station.Failsafe, 1, 1, 0, plan_age=0.2)
    drain(database, places)
    entered, left = rows(connection, "failsafe_events")
    assert (entered["event"], left["event"]) == ("entered", "left")
    assert (entered["station_id"], entered["plan_age_s"]) == ("North", 1_200.1)


@pytest.mark.usefixtures("batch")
def test_each_limit_that_acted_is_one_violation_from_its_start_to_its_end(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    recorder = spool("recorder")
    speed, level = {"speed": (50.0, 60.0)}, {"level": (0.8, 0.7)}
    recorder.edge(Pump.Limited, 4, 0, 0b001, limits=speed)  # 1: speed acts
    recorder.edge(Pump.Limited, 4, 0b001, 0b101, limits=level)  # 2: level too
    recorder.edge(Pump.Limited, 4, 0b101, 0b100, limits={"speed": (50.0, 75.0)})  # 3: no more speed
    again = {"level": (0.8, 0.4), "speed": (20.0, 1.0)}
    recorder.edge(Pump.Limited, 4, 0b100, 0b001, limits=again)  # 4: speed again, level no more
    rate = {"rate": (2.0, 5.0)}
    recorder.edge(Pump.Limited, 4, 0b001, 0b011, limits=rate, utc=5e8)  # the clock went back
    recorder.edge(Pump.Limited, 4, 0b011, 0b010, limits={}, utc=5e8 + 1)  # how far is not known
    drain(database, places)
    found = [
        (
            row["limit_name"],
            row["limit_value"],
            row["extreme_value"],
            row["started_at"].timestamp() - 1e9,
            row["ended_at"] and row["ended_at"].timestamp() - 1e9,
        )
        for row in rows(connection, "safety_limit_violations")
    ]
    assert sorted(found, key=repr) == sorted(
        [
            ("speed", 50.0, 75.0, 1.0, 3.0),
            ("level", 0.8, 0.4, 2.0, 4.0),
            ("speed", 20.0, 1.0, 4.0, 4.0),
            ("rate", 2.0, 5.0, -5e8, None),
        ],
        key=repr,
    )


@pytest.mark.usefixtures("batch")
def test_a_violation_whose_end_got_lost_ends_where_the_next_begins_and_keeps_what_is_known_of_it(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    recorder = spool("recorder")
    recorder.edge(Pump.Limited, 4, 0, 0b1, limits={"speed": (50.0, 60.0)})
    recorder.edge(Pump.Limited, 4, 0, 0b1, limits={"speed": (20.0, 1.0)})
    drain(database, places)
    first, second = rows(connection, "safety_limit_violations")
    assert (first["limit_value"], first["extreme_value"]) == (50.0, 60.0)
    assert first["ended_at"] == second["started_at"]
    assert (second["limit_value"], second["extreme_value"]) == (20.0, 1.0)
    assert second["ended_at"] is None


def test_every_bit_of_limited_is_a_violation_of_its_own(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    recorder = spool("recorder")
    flags = Pump.Limited.flags or {}
    limits = {name: (float(bit), bit + 0.5) for bit, name in flags.items()}
    recorder.edge(Pump.Limited, 4, 0, sum(1 << bit for bit in flags), limits=limits)
    drain(database, places)
    found = {
        row["limit_name"]: (row["limit_value"], row["extreme_value"])
        for row in rows(connection, "safety_limit_violations")
    }
    assert found == limits


def test_a_cold_start_ends_what_was_on_before_it(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    recorder = spool("recorder")
    recorder.edge(Station.Failsafe, 1, 0, 1)
    recorder.edge(Pump.Limited, 4, 0, 1)
    recorder.edge(System.FirstScan, 0, 0, 1)  # 3
    recorder.edge(Pump.Limited, 4, 0, 1)  # 4
    drain(database, places)
    assert [event["event"] for event in rows(connection, "failsafe_events")] == ["entered", "left"]
    before, after = rows(connection, "safety_limit_violations")
    assert before["ended_at"].timestamp() == 1e9 + 3
    assert after["ended_at"] is None
