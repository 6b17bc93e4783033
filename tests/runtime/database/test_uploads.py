"""From the spools into PostgreSQL: exactly once, with who and why, whatever dies in between."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from runtime import spoolfile
from runtime.database import uploads
from runtime.places import Places
from runtime.spool import Journal, Kind
from runtime.tags import Pump, Station, System
from tests.conftest import Database
from tests.runtime.database.spools import PLANT, Connection, Make, Spool, drain, rows

ROOT = Path(__file__).parents[3]
DRAIN = """
import sys
from pathlib import Path
import psycopg
from runtime.database import uploads
from runtime.equipment import Equipment
from runtime.places import Places
uploads.BATCH = 50
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    while uploads.drain(connection, Places(Path(sys.argv[2])), Equipment()).records:
        pass
"""


def test_a_request_and_its_answer_are_entries_in_the_audit_log(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    spool("rest").request(
        77, Pump.Mode, 4, 1.0, result="EXECUTED", scan=120, latency=0.04, durable=True
    )
    assert drain(database, places) == 2
    asked, answered = rows(connection, "audit_log")
    assert (asked["result"], answered["result"]) == ("asked", "executed")
    for entry in (asked, answered):
        assert entry["actor"] == "anna"
        assert (entry["role"], entry["protocol"]) == ("operator", "rest")
        assert (entry["address"], entry["reason"]) == ("10.0.0.7", "smoke in the pump hall")
        assert (entry["action"], entry["object"]) == ("set Mode", "North/11/Mode")
        assert entry["correlation_id"] == "77"
    details = json.loads(answered["details"])
    assert (details["scan"], details["durable"]) == (120, True)


def test_what_was_refused_before_the_scan_was_asked_is_an_entry_too(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    told = {"who": "unknown", "role": None, "where": "10.0.0.9", "why": "", "correlation": "abc"}
    what = {"action": "POST /api/v1/emergency-stops", "object": "99", "source": "REST"}
    details = {"problem": "There is no pump 99.", "status": 404}
    spool("rest").append(Kind.REFUSED, at=1e9, details=details, **told, **what)
    drain(database, places)
    (entry,) = rows(connection, "audit_log")
    assert (entry["actor"], entry["role"], entry["protocol"]) == ("unknown", None, "rest")
    assert (entry["action"], entry["object"]) == (what["action"], "99")
    assert (entry["result"], entry["address"]) == ("refused", "10.0.0.9")
    assert (entry["reason"], entry["correlation_id"]) == (None, "abc")
    assert json.loads(entry["details"]) == details


def test_an_edge_is_an_event_with_the_names_of_its_pump_and_the_request_behind_it(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    recorder = spool("recorder")
    recorder.edge(Pump.Mode, 4, 0, 1, request=77)
    recorder.edge(System.DatabaseLost, 0, 0, 1)
    recorder.edge(Pump.Running, 5, 0, 1)  # a slot that the list does not have
    drain(database, places)
    mode, lost, running = rows(connection, "events")
    assert (mode["tag"], mode["station_id"], mode["pump_id"]) == ("Pump.Mode", "North", 11)
    assert (mode["old_value"], mode["new_value"]) == (0.0, 1.0)
    assert (mode["scan"], mode["occurred_at"].timestamp()) == (101, 1e9 + 1)
    assert mode["correlation_id"] == "77"
    assert (lost["station_id"], lost["pump_id"]) == (None, None)
    assert (running["station_id"], running["pump_id"]) == (None, None)


def test_a_death_between_commit_and_forgetting_stores_nothing_twice(
    places: Places,
    spool: Make,
    database: Database,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rest, recorder = spool("rest"), spool("recorder")
    rest.request(77, Pump.EmergencyStop, 4, 1.0, result="EXECUTED", scan=101, latency=0.04)
    recorder.edge(Pump.EmergencyStop, 4, 0, 1, request=77, reference=0)
    recorder.edge(Station.Failsafe, 1, 0, 1)
    recorder.edge(Pump.Limited, 4, 0, 3)
    recorder.edge(Pump.Limited, 4, 3, 0)
    recorder.edge(Pump.Limited, 4, 0, 1)

    with monkeypatch.context() as patch:
        patch.setattr(spoolfile.SpoolReader, "done", lambda *_: None)
        with psycopg.connect(database.runtime, autocommit=True) as own:
            for _ in range(3):
                assert uploads.drain(own, places, PLANT) == (7, 0)
    assert drain(database, places) == 7
    assert drain(database, places) == 0
    counts = {
        table: len(rows(connection, table))
        for table in (
            "audit_log",
            "events",
            "emergency_stop_events",
            "failsafe_events",
            "safety_limit_violations",
        )
    }
    assert list(counts.values()) == [2, 5, 1, 1, 3]
    still = [
        v["limit_name"] for v in rows(connection, "safety_limit_violations") if not v["ended_at"]
    ]
    assert still == ["speed"]


def test_an_uploader_killed_again_and_again_stores_each_record_once(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    recorder = Journal(places.spool / "recorder.db")
    count = 6_000
    record = {"utc": 1e9, "scan": 1, "tag": "Pump.Running", "slot": 0, "old": 0}
    recorder.extend((Kind.EDGE, record | {"new": k}) for k in range(count)).result(20.0)
    recorder.close()
    chance = random.Random(4)
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", DRAIN, database.runtime, str(places.root)], cwd=ROOT
        )
        try:
            process.wait(0.3 + chance.random() * 0.3)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
    drain(database, places)
    values = [event["new_value"] for event in rows(connection, "events")]
    assert values == list(range(count))


def test_a_spool_made_anew_is_another_source(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    for _ in range(2):
        recorder = Spool(places, "recorder")
        recorder.edge(Pump.Running, 4, 0, 1)
        recorder.close()
        assert drain(database, places) == 1
        (places.spool / "recorder.db").unlink()
    assert len(rows(connection, "events")) == 2


def test_a_record_that_postgresql_refuses_is_kept_aside_and_holds_up_no_other(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    recorder = spool("recorder")
    recorder.edge(Pump.Running, 4, 0, 1)
    recorder.edge(Pump.Running, 4, 1, 0, scan=2**70 // 2**7)
    recorder.append(Kind.EDGE, tag="Pump.Running")
    recorder.edge(Pump.Running, 4, 0, 1)
    assert drain(database, places) == 4
    assert [event["scan"] for event in rows(connection, "events")] == [101, 103]
    entries = rows(connection, "audit_log")
    assert [(entry["action"], entry["result"]) for entry in entries] == [
        ("upload record", "refused")
    ] * 2
    assert json.loads(entries[1]["details"])["record"] == {"tag": "Pump.Running"}


def test_text_with_a_zero_character_is_stored_without_it(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    rest = spool("rest")
    record = rest.request(77, Pump.Mode, 4, 1.0)
    rest.append(Kind.REQUEST, **(record | {"id": 78, "why": "bad\0text"}))
    drain(database, places)
    assert [entry["reason"] for entry in rows(connection, "audit_log")] == [
        "smoke in the pump hall",
        "bad\ufffdtext",
    ]


def test_what_was_lost_for_want_of_room_is_said(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    spool("recorder").append(Kind.LOST, records=12, scan=4)
    drain(database, places)
    (entry,) = rows(connection, "audit_log")
    assert entry["action"] == "lose events"
    assert json.loads(entry["details"]) == {"records": 12, "scan": 4}


def test_without_postgresql_the_spool_keeps_everything(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    spool("recorder").edge(Pump.Running, 4, 0, 1)
    with psycopg.connect(database.runtime, autocommit=True) as own:
        connection.execute("SELECT pg_terminate_backend(%s)", [own.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            uploads.drain(own, places, PLANT)
    assert drain(database, places) == 1


def test_a_connection_that_leaves_transactions_open_is_refused(
    places: Places, database: Database
) -> None:
    with psycopg.connect(database.runtime) as own, pytest.raises(ValueError, match="autocommit"):
        uploads.drain(own, places, PLANT)


def test_a_file_that_is_no_spool_holds_up_no_other(
    places: Places, spool: Make, database: Database, connection: Connection
) -> None:
    (places.spool / "opcua.db").write_bytes(b"nothing of ours" * 500)
    spool("recorder").edge(Pump.Running, 4, 0, 1)
    assert drain(database, places) == 1
