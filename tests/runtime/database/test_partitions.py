"""Tables kept by days: room for what comes, and nothing that is older than is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from psycopg import errors

from config.records import Retention
from runtime.database import partitions
from runtime.database.changes import Changes
from runtime.database.connection import Guard
from runtime.database.housekeeping import DAYS_AHEAD, Housekeeper
from runtime.places import Places
from tests.conftest import Database
from tests.processes import until

TABLES = ("pump_feedback", "events", "history")
DAY = 86_400.0


def days(database: Database, table: str) -> list[date]:
    """The days that a table has a partition for."""
    with psycopg.connect(database.owner) as connection:
        rows = connection.execute(
            # Not inhrelid::regclass: that is a number for a partition dropped in this moment.
            "SELECT to_date(right(relname, 8), 'YYYYMMDD')"
            " FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = %s::regclass ORDER BY 1",
            [table],
        ).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("table", TABLES)
def test_a_partition_goes_only_when_all_its_rows_are_older_than_is_kept(
    database: Database, table: str
) -> None:
    today = datetime.now(UTC).date()
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        old = [today - timedelta(days=number) for number in (40, 31, 30, 29)]
        noon = [datetime(d.year, d.month, d.day, 12, tzinfo=UTC).timestamp() for d in old]
        partitions.make(connection, table, noon)
        dropped = []
        while (name := partitions.drop_oldest(connection, table, 30)) is not None:
            dropped.append(name)
    assert dropped == [f"{table}_{day:%Y%m%d}" for day in old[:2]]
    assert [day for day in days(database, table) if day <= old[2]] == old[2:3]


def test_the_housekeeper_makes_room_ahead_and_drops_what_is_old(
    database: Database, places: Places
) -> None:
    today = datetime.now(UTC).date()
    kept = {"pump_feedback": 10, "history": 20, "events": 30}
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        for table in TABLES:
            partitions.make(connection, table, [k * DAY for k in range(5)])  # of 1970
            for age in (11, 21, 31):
                partitions.make(connection, table, [datetime.now(UTC).timestamp() - age * DAY])
    retention = Retention(feedback=10 * DAY, history=20 * DAY, events=30 * DAY)
    changes = Changes(places)
    housekeeper = Housekeeper(lambda: database.runtime, Guard(), retention, changes)
    housekeeper.start()
    try:
        until(lambda: all(days(database, table)[0].year > 1970 for table in TABLES))
        until(lambda: all((today - days(database, t)[0]).days <= kept[t] for t in TABLES))
    finally:
        housekeeper.stop()
        housekeeper.join()
        changes.close()
    for table in TABLES:
        ahead = [day for day in days(database, table) if day >= today]
        assert len(ahead) > DAYS_AHEAD
        ages = {(today - day).days for day in days(database, table)}
        assert {age for age in (11, 21, 31) if age <= kept[table]} <= ages


@pytest.mark.parametrize("table", ["audit_log", "safety_limit_violations", "nothing", None])
def test_no_other_table_loses_anything_that_way(database: Database, table: str | None) -> None:
    with (
        psycopg.connect(database.runtime, autocommit=True) as connection,
        pytest.raises(errors.InvalidParameterValue, match="is not dropped by days"),
    ):
        connection.execute("SELECT drop_oldest_partition(%s, '2001-01-01')", [table])


def test_not_even_the_runtime_drops_what_is_younger_than_a_week(database: Database) -> None:
    with (
        psycopg.connect(database.runtime, autocommit=True) as connection,
        pytest.raises(errors.InvalidParameterValue, match="older than a week"),
    ):
        partitions.drop_oldest(connection, "events", 6)


@pytest.mark.parametrize("role", ["control_reader", "optimiser", "collector"])
def test_only_the_runtime_drops(database: Database, role: str) -> None:
    with (
        psycopg.connect(database.dsn(role), autocommit=True) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        partitions.drop_oldest(connection, "history", 100)
