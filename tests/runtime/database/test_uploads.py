"""From the spools into PostgreSQL: exactly once, with who and why, whatever dies in between."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runtime import spoolfile
from runtime.database import uploads
from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.places import Places
from runtime.requests import Role, Source
from runtime.servers.mirror import Asker, request_record
from runtime.spool import Journal, Kind
from runtime.tag import Tag
from runtime.tags import Pump, Station, System
from tests.conftest import Database

ROOT = Path(__file__).parents[3]
PLANT = Equipment(
    1,
    (StationEntry(1, "North", "North", "UTC", 2, 0, True, {}),),
    (PumpEntry(4, 11, "North", "P1", 2, 100, True, {}),),
)
ANNA = Asker(Source.REST, Role.OPERATOR, "anna", "smoke in the pump hall", "10.0.0.7")
DRAIN = """
import sys
from pathlib import Path
import psycopg
from runtime.database import uploads
from runtime.equipment import Equipment
from runtime.places import Places
uploads.BATCH = 50
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    while uploads.drain(connection, Places(Path(sys.argv[2])), Equipment()):
        pass
"""
Row = dict[str, Any]


class Spool:
    """A process that records, by hand."""

    def __init__(self, places: Places, name: str) -> None:
        self._journal = Journal(places.spool / f"{name}.db")
        self._seq = 0

    def append(self, kind: Kind, **record: object) -> None:
        self._journal.append(kind, record).result(20.0)

    def edge(self, tag: Tag, slot: int, old: float, new: float, **more: object) -> None:
        self._seq += 1
        numbers = {"seq": self._seq, "scan": 100 + self._seq, "utc": 1e9 + self._seq}
        edge = {"tag": repr(tag), "slot": slot, "old": old, "new": new}
        self.append(Kind.SAFETY, **(numbers | edge | more))

    def request(self, identity: int, tag: Tag, slot: int, value: float, **answer: object) -> Row:
        """A request by Anna, and its answer if there is one."""
        reference = int(str(answer.pop("reference", 0)))
        record = request_record(identity, tag, slot, value, ANNA, reference)
        self.append(Kind.REQUEST, **record)
        if answer:
            self.append(Kind.ANSWER, **(record | {"answered_at": time.time()} | answer))
        return record

    def close(self) -> None:
        self._journal.close()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "var")
    places.spool.mkdir(parents=True)
    return places


@pytest.fixture
def spool(places: Places) -> Iterator[Callable[[str], Spool]]:
    made: list[Spool] = []

    def make(name: str) -> Spool:
        made.append(Spool(places, name))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Row]]:
    with psycopg.connect(
        database.runtime, autocommit=True, row_factory=psycopg.rows.dict_row
    ) as connection:
        yield connection


def drain(database: Database, places: Places, equipment: Equipment = PLANT) -> int:
    """Upload all that can be; how many records."""
    total = 0
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        while count := uploads.drain(connection, places, equipment):
            total += count
    return total


def rows(connection: psycopg.Connection[Row], table: str) -> list[Row]:
    statement = psycopg.sql.SQL("SELECT * FROM {} ORDER BY 1").format(psycopg.sql.Identifier(table))
    return connection.execute(statement).fetchall()


Make = Callable[[str], Spool]
Connection = psycopg.Connection[Row]


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
    assert answered["details"]["scan"] == 120
    assert answered["details"]["durable"] is True


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


@pytest.mark.parametrize("batch", [1, 2_000])
def test_each_limit_that_acted_is_one_violation_from_its_start_to_its_end(
    places: Places,
    spool: Make,
    database: Database,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
) -> None:
    monkeypatch.setattr(uploads, "BATCH", batch)
    recorder = spool("recorder")
    limits = {"speed": (50.0, 60.0), "level": (None, 0.4)}
    recorder.edge(Pump.Limited, 4, 0, 0b001, limits=limits)  # 1: speed acts
    recorder.edge(Pump.Limited, 4, 0b001, 0b101, limits=limits)  # 2: level too
    recorder.edge(Pump.Limited, 4, 0b101, 0b100, limits=limits)  # 3: speed no more
    recorder.edge(Pump.Limited, 4, 0b100, 0b001, limits=limits)  # 4: speed again, level no more
    recorder.edge(Pump.Limited, 4, 0b001, 0b011, limits=limits, utc=5e8)  # the clock went back
    recorder.edge(Pump.Limited, 4, 0b011, 0b010, limits=limits, utc=5e8 + 1)
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
            ("speed", 50.0, 60.0, 1.0, 3.0),
            ("level", None, 0.4, 2.0, 4.0),
            ("speed", 50.0, 60.0, 4.0, 4.0),
            ("rate", None, None, -5e8, None),
        ],
        key=repr,
    )


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
                assert uploads.drain(own, places, PLANT) == 7
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
    assert entries[1]["details"]["record"] == {"tag": "Pump.Running"}


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
    assert (entry["action"], entry["details"]) == ("lose events", {"records": 12, "scan": 4})


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
