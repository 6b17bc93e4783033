"""Open connections are given up when they lead to what is no database to work with any more."""

from __future__ import annotations

import threading

import psycopg
import pytest
from psycopg import errors, sql

from config import Config
from runtime.database.examination import Examiner
from runtime.database.troubles import Frozen, words
from runtime.places import Places
from tests.conftest import Database
from tests.processes import until
from tests.runtime.database.conftest import Pieces
from tests.runtime.database.rows import enter_equipment

_END_EXAMINATION = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'calejo examination' AND datname = current_database()
"""
Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def reading(configuration: Config, places: Places, owner: Connection, database: Database) -> Pieces:
    """Readers that are connected, and an examiner beside them."""
    enter_equipment(owner)
    pieces = Pieces(configuration, places, lambda: database.runtime)
    examiner = Examiner("examination", lambda: database.runtime, pieces.plans.guard)
    pieces.start(pieces.discovery, pieces.plans, pieces.feedback, examiner)
    until(lambda: all(worker.connected for worker in pieces.started))
    return pieces


def all_say(pieces: Pieces, beginning: str) -> bool:
    return all(worker.status.startswith(beginning) for worker in pieces.started)


def test_readers_leave_a_server_that_turned_read_only_and_come_back(
    reading: Pieces, database: Database
) -> None:
    switch = sql.SQL("ALTER DATABASE {} {} default_transaction_read_only{}")
    name = sql.Identifier(database.name)
    with psycopg.connect(database.dsn("postgres"), autocommit=True) as superuser:
        superuser.execute(switch.format(name, sql.SQL("SET"), sql.SQL(" = on")))
        # A new connection sees the setting, as all do after a change in the server's own settings.
        superuser.execute(_END_EXAMINATION)
        until(lambda: all_say(reading, "read-only server"))
        superuser.execute(switch.format(name, sql.SQL("RESET"), sql.SQL("")))
    until(lambda: all(worker.connected for worker in reading.started))
    reading.stop()


def test_readers_leave_a_database_that_a_newer_program_migrates(
    reading: Pieces, owner: Connection
) -> None:
    owner.execute("INSERT INTO schema_migrations (name, sha256) VALUES ('999_newer.sql', '')")
    until(lambda: all_say(reading, "a newer program migrated the database"))
    owner.execute("DELETE FROM schema_migrations WHERE name = '999_newer.sql'")
    until(lambda: all(worker.connected for worker in reading.started))
    reading.stop()


def test_one_thread_at_a_time_tries_to_connect(configuration: Config, places: Places) -> None:
    trying = threading.Lock()
    overlaps: list[str] = []

    def source() -> str:
        if not trying.acquire(blocking=False):
            overlaps.append(threading.current_thread().name)
            return ""
        threading.Event().wait(0.05)  # long enough for another to come
        trying.release()
        return "host=/nowhere dbname=nothing"

    pieces = Pieces(configuration, places, source)
    pieces.start()
    until(lambda: all_say(pieces, "unreachable"))
    pieces.stop()
    assert overlaps == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Frozen("frozen: no answer for 2 s"), "frozen: no answer for 2 s"),
        (
            psycopg.OperationalError(
                'connection failed: connection to server at "10.0.0.7", port 5432 failed:'
                " Connection refused\n\tIs the server running on that host and accepting"
                " TCP/IP connections?"
            ),
            'unreachable: Connection refused (server at "10.0.0.7", port 5432)',
        ),
        (
            psycopg.OperationalError(
                'connection failed: connection to server at "10.0.0.7", port 5432 failed:'
                " FATAL:  sorry, too many clients already"
            ),
            'out of connections: sorry, too many clients already (server at "10.0.0.7", port 5432)',
        ),
        (
            psycopg.OperationalError(
                "connection failed: FATAL: the database system is starting up"
            ),
            "server is starting: connection failed: FATAL: the database system is starting up",
        ),
        (
            errors.DiskFull("could not extend file: No space left on device"),
            "disk full: could not extend file: No space left on device",
        ),
        (
            errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"),
            "read-only server: cannot execute INSERT in a read-only transaction",
        ),
        (errors.UndefinedTable('relation "pumps" is gone'), 'relation "pumps" is gone'),
    ],
)
def test_a_trouble_is_named_for_what_it_is(error: Exception, told: str) -> None:
    assert words(error) == told
