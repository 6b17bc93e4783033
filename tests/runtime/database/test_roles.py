"""Each role can do its work and nothing else."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from tests.conftest import Database
from tests.runtime.database.rows import PLAN, enter_equipment, insert

SECRETS = ("password_hash", "totp_secret", "token_hash")


@pytest.fixture
def equipped(database: Database) -> Database:
    with psycopg.connect(database.owner) as connection:
        enter_equipment(connection)
        insert(connection, "pump_plans", PLAN)
        connection.execute(
            "SELECT audit_append('test', '{1}', ARRAY[now()], '{somebody}', '{NULL}', '{NULL}',"
            " '{NULL}', '{something}', '{NULL}', '{done}', '{NULL}', '{NULL}', '{\"{}\"}')"
        )
    return database


def test_the_runtime_owns_nothing(database: Database) -> None:
    with psycopg.connect(database.owner) as connection:
        owners = connection.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace"
            " UNION SELECT pg_get_userbyid(proowner) FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()
    assert owners == [("calejo_owner",)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pumps SET max_speed_hz = 60",
        "UPDATE pump_safety_limits SET hard_max_speed_hz = 60",
        "INSERT INTO pump_plans (pump_id, interval_start, interval_end) VALUES (1, now(), now())",
        "UPDATE pump_plans SET status = 'active'",
        "INSERT INTO audit_log SELECT * FROM audit_log",
        "INSERT INTO audit_log_1 SELECT * FROM audit_log",
        "UPDATE audit_log SET actor = 'nobody'",
        "UPDATE audit_head SET audit_id = 0",
        "SELECT audit_chain('x', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',"
        " '{}')",
        "SELECT audit_open_segment(2)",
        "DROP TABLE audit_log_1",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DELETE FROM events",
        "UPDATE sessions SET username = 'anna'",
        "UPDATE session_tokens SET session_id = gen_random_uuid()",
        "CREATE TABLE mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
    ],
)
def test_the_runtime_changes_no_setting_and_no_past(equipped: Database, statement: str) -> None:
    with (
        psycopg.connect(equipped.runtime) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


@pytest.mark.parametrize("table", ["audit_log", "audit_log_1"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {}"]
)
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_not_even_a_superuser_changes_the_audit_log_by_accident(
    equipped: Database, statement: str, table: str, mode: str
) -> None:
    with psycopg.connect(equipped.dsn("postgres")) as connection:
        connection.execute(f"SET session_replication_role = {mode}")
        with pytest.raises(errors.InsufficientPrivilege, match="audit_log is append-only"):
            connection.execute(statement.format(table))


def test_the_reader_reads_every_table_but_no_secret(equipped: Database) -> None:
    with psycopg.connect(equipped.reader, autocommit=True) as connection:
        columns = connection.execute(
            "SELECT table_name, string_agg(quote_ident(column_name), ', ')"
            " FROM (SELECT relname AS table_name, attname AS column_name FROM pg_class"
            " JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND NOT attname = ANY(%s)"
            " AND relname <> 'address_assignment') AS readable GROUP BY table_name",
            [list(SECRETS)],
        ).fetchall()
        assert len(columns) >= 17
        for table, names in columns:
            connection.execute(f"SELECT {names} FROM {table}")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("SELECT token_hash FROM session_tokens")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO plan_heartbeats VALUES ('North')",
        "UPDATE pumps SET name = 'mine'",
        "DELETE FROM pump_plans",
        "CREATE TABLE mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "SELECT create_feedback_partitions('2030-01-01', '2030-01-01')",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
    ],
)
def test_the_reader_writes_nothing_even_if_it_asks_to(equipped: Database, statement: str) -> None:
    with psycopg.connect(equipped.reader, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)


def test_the_optimiser_writes_plans_and_nothing_else(equipped: Database) -> None:
    with psycopg.connect(equipped.optimiser, autocommit=True) as connection:
        insert(connection, "pump_plans", PLAN | {"plan_version": 2})
        insert(connection, "plan_heartbeats", {"station_id": "North"})
        connection.execute("UPDATE pump_plans SET status = 'superseded'")
        for statement in (
            "UPDATE pump_safety_limits SET hard_max_speed_hz = 60",
            "INSERT INTO pump_feedback (pump_id, measured_at) VALUES (1, now())",
            "DELETE FROM plan_changes",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_collector_writes_feedback_and_nothing_else(equipped: Database) -> None:
    with psycopg.connect(equipped.collector, autocommit=True) as connection:
        connection.execute("INSERT INTO pump_feedback (pump_id, measured_at) VALUES (1, now())")
        assert connection.execute("SELECT count(*) FROM pump_feedback_latest").fetchone() == (1,)
        for statement in (
            "UPDATE pump_feedback_latest SET actual_speed_hz = 1",
            "UPDATE pump_feedback SET actual_speed_hz = 1",
            "UPDATE pump_plans SET status = 'superseded'",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)
