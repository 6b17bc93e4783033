"""The history of feedback by days, and the latest row of each pump."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors

from tests.conftest import Database
from tests.runtime.database.rows import FEEDBACK, enter_equipment, insert

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        enter_equipment(connection, pumps=2)
        yield connection


def latest(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT pump_id, actual_speed_hz FROM pump_feedback_latest ORDER BY pump_id"
    ).fetchall()


def feed(connection: Connection, offset: timedelta, speed: float, pump_id: int = 1) -> None:
    measured = {"measured_at": datetime.now(UTC) + offset, "actual_speed_hz": speed}
    insert(connection, "pump_feedback", FEEDBACK | measured | {"pump_id": pump_id})


def test_the_latest_row_of_each_pump_is_kept(owner: Connection) -> None:
    feed(owner, timedelta(seconds=-2), 10.0)
    feed(owner, timedelta(seconds=-1), 11.0)
    feed(owner, timedelta(seconds=-1), 21.0, pump_id=2)
    assert latest(owner) == [(1, 11.0), (2, 21.0)]


def test_a_row_replayed_late_does_not_replace_a_newer_one(owner: Connection) -> None:
    feed(owner, timedelta(seconds=-1), 11.0)
    feed(owner, timedelta(minutes=-9), 10.0)
    assert latest(owner) == [(1, 11.0)]


def test_one_statement_with_many_rows_keeps_the_newest_of_each_pump(owner: Connection) -> None:
    owner.execute(
        "INSERT INTO pump_feedback (pump_id, measured_at, actual_speed_hz)"
        " SELECT 1 + n % 2, now() - n * interval '1 second', n FROM generate_series(0, 9) n"
    )
    assert latest(owner) == [(1, 0.0), (2, 1.0)]


def test_after_the_clock_was_set_back_rows_from_the_future_give_way(owner: Connection) -> None:
    feed(owner, timedelta(hours=1), 60.0)
    feed(owner, timedelta(0), 30.0)
    assert latest(owner) == [(1, 30.0)]


def test_feedback_of_a_day_without_partition_is_refused_until_there_is_one(
    owner: Connection, database: Database
) -> None:
    with pytest.raises(errors.CheckViolation, match="no partition"):
        feed(owner, timedelta(days=-100), 10.0)
    with psycopg.connect(database.runtime) as runtime:
        day = (datetime.now(UTC) - timedelta(days=100)).date()
        made = runtime.execute("SELECT create_feedback_partitions(%s, %s)", [day, day]).fetchone()
        again = runtime.execute("SELECT create_feedback_partitions(%s, %s)", [day, day]).fetchone()
    assert (made, again) == ((1,), (0,))
    feed(owner, timedelta(days=-100), 10.0)


def test_a_partition_has_the_indexes_and_constraints_of_the_table(owner: Connection) -> None:
    indexes = owner.execute(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'pump_feedback_' ||"
        " to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')"
    ).fetchall()
    definitions = " ".join(str(definition) for (definition,) in indexes)
    assert "USING brin (measured_at)" in definitions
    assert "USING btree (pump_id, measured_at)" in definitions
