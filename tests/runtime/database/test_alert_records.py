"""The history of alerts in PostgreSQL: from the outbox, each message and attempt once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from runtime.alerts.outbox import Claim, Order, Outbox
from runtime.alerts.wording import Words
from runtime.database.board import Board
from runtime.database.changes import Changes
from runtime.database.connection import Guard
from runtime.database.process import Uploader
from runtime.database.spool_watch import SpoolWatch
from runtime.places import Places
from runtime.spoolfile import SpoolReader
from tests.conftest import Database
from tests.processes import until
from tests.runtime.database.spools import PLANT, Row, drain
from tests.runtime.database.spools import rows as table

NOW = 1.78e9
FIELDS = {
    "event": "raised",
    "tag": "Pump.NoFlow",
    "station": "North",
    "pump": 11,
    "since": NOW - 1,
    "value": "Flow 0 m³/h",
    "limit": "",
}
WORDS = Words("title", "text\0", "short", FIELDS)

Connection = psycopg.Connection[Row]


@pytest.fixture
def outbox(places: Places) -> Iterator[Outbox]:
    with closing(Outbox(places.outbox)) as outbox:
        yield outbox


def add(outbox: Outbox, key: str = "a") -> None:
    with outbox.transaction():
        outbox.add(Order(key, "duty", "raised", 2, WORDS, "alarm"), NOW)


def claimed(outbox: Outbox, now: float) -> Claim:
    claim = outbox.claim("duty", now, 10.0)
    assert claim is not None
    return claim


def test_a_message_and_all_its_attempts_reach_the_tables(
    database: Database, places: Places, connection: Connection, outbox: Outbox
) -> None:
    add(outbox)
    outbox.settle(claimed(outbox, NOW), NOW, NOW + 2, "refused")
    drain(database, places)
    (before,) = table(connection, "alerts")
    assert (before["state"], before["attempts"], before["last_error"]) == ("pending", 1, "refused")
    later = NOW + 1000
    outbox.settle(claimed(outbox, later), later, later + 0.5, None)
    drain(database, places)
    (alert,) = table(connection, "alerts")
    assert (alert["state"], alert["attempts"]) == ("delivered", 2)
    assert (alert["station_id"], alert["pump_id"], alert["tag"]) == ("North", 11, "Pump.NoFlow")
    assert (alert["value"], alert["limit_value"]) == ("Flow 0 m³/h", None)
    assert alert["message"] == "text\N{REPLACEMENT CHARACTER}"
    assert alert["ended_at"].timestamp() == later + 0.5
    tried = [
        (row["attempt"], row["outcome"], row["error"])
        for row in table(connection, "alert_attempts")
    ]
    assert tried == [(1, "failed", "refused"), (2, "delivered", None)]


def test_records_that_come_again_change_nothing(
    database: Database, places: Places, connection: Connection, outbox: Outbox
) -> None:
    add(outbox)
    outbox.settle(claimed(outbox, NOW), NOW, NOW + 2, None)
    with closing(SpoolReader(places.outbox)) as reader:
        first = reader.batch(1)[0]
    kept = outbox.connection.execute("select * from record order by seq").fetchall()
    drain(database, places)
    before = table(connection, "alerts"), table(connection, "alert_attempts")
    for row in kept:  # as if the process had died before it could forget them
        outbox.connection.execute("insert into record values (?, ?, ?)", tuple(row))
    assert drain(database, places) == len(kept) > 1
    assert (table(connection, "alerts"), table(connection, "alert_attempts")) == before
    assert first.body["state"] == "pending"


def test_an_outbox_made_anew_goes_on_with_the_same_key(
    database: Database, places: Places, connection: Connection, outbox: Outbox
) -> None:
    add(outbox)
    outbox.settle(claimed(outbox, NOW), NOW, NOW + 2, "refused")
    drain(database, places)
    outbox.close()
    for file in places.spool.glob("alerts.db*"):
        file.unlink()
    with closing(Outbox(places.outbox)) as anew:
        add(anew)
        anew.settle(claimed(anew, NOW), NOW, NOW + 3, None)
        drain(database, places)
    (alert,) = table(connection, "alerts")
    assert alert["state"] == "delivered"
    assert len(table(connection, "alert_attempts")) == 2


def test_people_are_told_while_the_database_is_away_and_it_learns_of_it_afterwards(
    database: Database, places: Places, connection: Connection, outbox: Outbox
) -> None:
    where = "host=127.0.0.1 port=1"  # nobody listens there
    watch = SpoolWatch(places, Changes(places))
    uploader = Uploader(Board(PLANT, {}), lambda: where, Guard(), places, watch)
    uploader.start()
    try:
        until(lambda: uploader.status.startswith("unreachable"))
        for n in range(3):
            add(outbox, f"m{n}")
            outbox.settle(claimed(outbox, NOW), NOW, NOW + 1, None)
        assert not uploader.connected
        where = database.runtime
        until(lambda: len(table(connection, "alert_attempts")) == 3)
    finally:
        uploader.stop()
        uploader.join()
    assert [row["state"] for row in table(connection, "alerts")] == ["delivered"] * 3


def test_history_can_be_added_to_and_not_taken_from(database: Database) -> None:
    for role, statement in (
        (database.runtime, "DELETE FROM alert_attempts"),
        (database.runtime, "UPDATE alert_attempts SET error = ''"),
        (database.runtime, "UPDATE alerts SET title = ''"),
        (database.runtime, "DELETE FROM alerts"),
    ):
        with (
            psycopg.connect(role) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)
    with psycopg.connect(database.reader) as connection:
        connection.execute("SELECT FROM alerts JOIN alert_attempts USING (alert_key)")
