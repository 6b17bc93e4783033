"""The readers survive whatever happens to the server, and say what it is."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config import Config
from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import migrate
from runtime.places import Places
from runtime.tags import Pump
from tests.conftest import Database, fast_directory
from tests.processes import until
from tests.runtime.database.conftest import Pieces
from tests.runtime.database.rows import enter_equipment, plan


def test_a_wrong_password_and_a_missing_schema_are_told(
    configuration: Config, places: Places, postgres: EmbeddedServer, database: Database
) -> None:
    wrong = Pieces(configuration, places, lambda: f"{database.runtime} password=guess")
    empty = Pieces(configuration, places, lambda: postgres.dsn("calejo_owner"))
    wrong.start(wrong.feedback)
    empty.start(empty.feedback)
    until(lambda: wrong.feedback.status.startswith("wrong password"))
    until(lambda: "run `calejo migrate`" in empty.feedback.status)
    wrong.stop()
    empty.stop()


@pytest.fixture
def own_server() -> Iterator[EmbeddedServer]:
    """A server that a test may freeze and kill."""
    with tempfile.TemporaryDirectory(prefix="calejo-", dir=fast_directory()) as directory:
        server = EmbeddedServer(Path(directory))
        server.start()
        migrate(server.dsn("calejo_owner"))
        yield server
        server.stop()


def backends(server: EmbeddedServer) -> list[int]:
    with psycopg.connect(server.dsn("postgres")) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'calejo %'"
        ).fetchall()
    return [int(pid) for (pid,) in rows]


def test_a_frozen_server_is_noticed_and_used_again_when_it_thaws(
    configuration: Config, places: Places, own_server: EmbeddedServer
) -> None:
    with psycopg.connect(own_server.dsn("calejo_owner"), autocommit=True) as connection:
        enter_equipment(connection)
        plan(connection, 40.0)
    pieces = Pieces(configuration, places, lambda: own_server.dsn("calejo_runtime"))
    pieces.start()
    pieces.wait_for(Pump.PlanSpeed, 40.0)
    pieces.wait_for(Pump.Configured, 1)
    assert own_server.process is not None
    frozen = [own_server.process.pid, *backends(own_server)]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: not pieces.feedback.connected)
        assert "frozen" in pieces.feedback.status or "unreachable" in pieces.feedback.status
        assert pieces.value(Pump.PlanSpeed) == 40.0
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    answered = pieces.board.database_time
    until(lambda: pieces.board.database_time > answered)
    pieces.stop()


def test_a_killed_server_is_used_again_after_its_restart(
    configuration: Config, places: Places, own_server: EmbeddedServer
) -> None:
    with psycopg.connect(own_server.dsn("calejo_owner"), autocommit=True) as connection:
        enter_equipment(connection)
    pieces = Pieces(configuration, places, lambda: own_server.dsn("calejo_runtime"))
    pieces.start()
    until(lambda: pieces.feedback.connected and pieces.plans.connected)
    assert own_server.process is not None
    os.kill(own_server.process.pid, signal.SIGKILL)
    until(lambda: not pieces.feedback.connected and not pieces.plans.connected)
    until(lambda: not own_server.alive)
    own_server.start()
    with psycopg.connect(own_server.dsn("calejo_owner"), autocommit=True) as connection:
        plan(connection, 44.0)
    pieces.wait_for(Pump.PlanSpeed, 44.0)
    pieces.stop()
