"""The schema is brought up to date once, in order, and never silently otherwise."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import DIRECTORY, SchemaError, check_schema, migrate, migrations
from tests.conftest import Database
from tests.runtime.database.rows import LIMITS, PUMP, STATION, Row, insert

NAMES = [migration.name for migration in migrations()]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DIRECTORY, tmp_path / "migrations"))


@pytest.fixture
def empty(postgres: EmbeddedServer) -> Iterator[str]:
    """The owner's way into an empty database."""
    with psycopg.connect(postgres.dsn("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty TEMPLATE template0")
        with psycopg.connect(postgres.dsn("postgres", "empty")) as inside:
            inside.execute("GRANT CREATE, USAGE ON SCHEMA public TO calejo_owner")
        yield postgres.dsn("calejo_owner", "empty")
        connection.execute("DROP DATABASE empty WITH (FORCE)")


def test_an_empty_database_gets_every_file_in_order(empty: str) -> None:
    assert migrate(empty) == NAMES


def test_rows_from_before_level_guards_survive_their_migration(empty: str, files: Path) -> None:
    later = [files / name for name in NAMES if name >= "007"]
    for file in later:
        file.rename(files.parent / file.name)
    migrate(empty, files)
    with psycopg.connect(empty, autocommit=True) as connection:
        insert(connection, "pump_stations", STATION)
        changes: list[Row] = [{"max_starts_per_hour": 30}, {"max_run_s": 60.0}]
        for pump_id, change in enumerate(changes, 1):
            insert(connection, "pumps", PUMP | {"pump_id": pump_id})
            insert(connection, "pump_safety_limits", LIMITS | {"pump_id": pump_id} | change)
        assert migrate(empty) == [file.name for file in later]
        found = connection.execute(
            "SELECT max_starts_per_hour, max_run_s, start_level_m FROM pump_safety_limits"
            " ORDER BY pump_id"
        ).fetchall()
    assert found == [(20.0, 36_000.0, None), (6.0, 60.0, None)]


def test_events_from_before_they_lay_in_days_are_all_there_and_known_again(
    empty: str, files: Path
) -> None:
    later = [files / name for name in NAMES if name >= "009"]
    for file in later:
        file.rename(files.parent / file.name)
    migrate(empty, files)
    columns = "source, sequence, occurred_at, scan, tag, new_value"
    event = f"INSERT INTO events ({columns}) VALUES ('s', %s, %s, 1, 'Pump.Mode', %s)"
    told = f"SELECT event_id, {columns} FROM events ORDER BY event_id"
    with psycopg.connect(empty, autocommit=True) as connection:
        times = ["2001-02-03 23:59:59.999999+00", "2026-01-01 00:00:00+00", "2001-02-03 10:00+00"]
        for sequence, time in enumerate(times):
            connection.execute(event, [sequence, time, sequence])
        before = connection.execute(told).fetchall()
        for file in later:
            (files.parent / file.name).rename(file)
        migrate(empty, files)
        assert connection.execute(told).fetchall() == before
        for sequence, time in enumerate(times):
            connection.execute(f"{event} ON CONFLICT DO NOTHING", [sequence, time, sequence])
        assert connection.execute(told).fetchall() == before
        connection.execute(event, [9, times[0], 9])
        assert connection.execute(told).fetchall()[-1][0] > before[-1][0]


def test_a_second_run_changes_nothing(database: Database) -> None:
    assert migrate(database.owner) == []


def test_two_runners_at_once_run_each_file_once(empty: str) -> None:
    ran: list[list[str]] = []
    runners = [threading.Thread(target=lambda: ran.append(migrate(empty))) for _ in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert sorted(ran) == [[], NAMES]


def test_an_edited_file_is_refused(database: Database, files: Path) -> None:
    with (files / NAMES[1]).open("a") as file:
        file.write("-- a harmless comment\n")
    with pytest.raises(SchemaError, match=f"{NAMES[1]} was edited after it ran"):
        migrate(database.owner, files)


def test_a_missing_file_is_refused(database: Database, files: Path) -> None:
    (files / NAMES[1]).unlink()
    with pytest.raises(SchemaError, match=f"{NAMES[1]} has run .* missing from this program"):
        migrate(database.owner, files)


def test_a_file_slipped_in_before_one_that_ran_is_refused(database: Database, files: Path) -> None:
    (files / "001_z.sql").write_text("SELECT 1")
    with pytest.raises(SchemaError, match=r"001_z.sql would run after"):
        migrate(database.owner, files)


def test_a_database_of_a_newer_program_is_refused(database: Database, files: Path) -> None:
    (files / "900_newer.sql").write_text("CREATE TABLE newer (a int)")
    migrate(database.owner, files)
    with pytest.raises(SchemaError, match="a newer program migrated the database"):
        migrate(database.owner)
    with (
        psycopg.connect(database.runtime) as connection,
        pytest.raises(SchemaError, match="Run the newer program"),
    ):
        check_schema(connection)


def test_a_file_that_fails_leaves_nothing_behind(database: Database, files: Path) -> None:
    (files / "900_good.sql").write_text("CREATE TABLE good (a int); SELECT '100 %'")
    (files / "901_bad.sql").write_text("CREATE TABLE bad (a int); SELECT 1 / 0")
    with pytest.raises(SchemaError, match=r"901_bad.sql failed and was rolled back: division by"):
        migrate(database.owner, files)
    with psycopg.connect(database.owner) as connection:
        tables = connection.execute("SELECT to_regclass('good'), to_regclass('bad')").fetchone()
    assert tables == ("good", None)


def test_a_database_that_is_behind_is_named_with_what_it_lacks(
    database: Database, files: Path
) -> None:
    (files / "900_newer.sql").write_text("SELECT 1")
    with (
        psycopg.connect(database.runtime) as connection,
        pytest.raises(SchemaError, match=r"lacks 900_newer.sql; run `calejo migrate`"),
    ):
        check_schema(connection, files)


def test_a_superusers_migration_gives_everything_to_the_owner(
    empty: str, postgres: EmbeddedServer
) -> None:
    assert migrate(postgres.dsn("postgres", "empty")) == NAMES
    with psycopg.connect(empty) as connection:
        found = connection.execute(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
    assert found == [("calejo_owner",)]
