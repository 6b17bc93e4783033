"""Old records of the safety tables and of alerts go when they are over, and never before."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
from psycopg import errors

from config.records import Retention
from runtime.database import housekeeping
from runtime.database.changes import Changes
from runtime.database.connection import Guard
from runtime.database.housekeeping import ALERTS, SAFETY, Housekeeper
from runtime.places import Places
from runtime.spoolfile import SpoolReader
from tests.conftest import Database
from tests.processes import until

YEAR = 366 * 86_400.0
# Days ago. "old" is beyond the two years that this test keeps safety records, and the 40 of alerts.
RECORDS = """
INSERT INTO safety_limit_violations
    (source, sequence, station_id, pump_id, limit_name, started_at, ended_at, scan)
SELECT 'test', sequence, 'North', 1, name, now() - began * interval '1 day',
       now() - ended * interval '1 day', 1
FROM (VALUES (1, 'old', 900, 890), (2, 'old', 800, 790), (3, 'old and still on', 900, NULL),
             (4, 'ended lately', 900, 10), (5, 'new', 5, 4)) AS v (sequence, name, began, ended);
INSERT INTO failsafe_events (source, sequence, station_id, event, occurred_at, scan)
SELECT 'test', sequence, station, event, now() - days * interval '1 day', 1
FROM (VALUES (1, 'North', 'entered', 900), (2, 'North', 'left', 899),
             (3, 'North', 'entered', 800), (4, 'North', 'left', 10),
             (5, 'South', 'entered', 900)) AS v (sequence, station, event, days);
INSERT INTO emergency_stop_events (source, sequence, emergency_stop_id, event, scope, station_id,
                                   pump_id, occurred_at, actor, reason)
SELECT 'test', sequence, stop, event, scope, station, pump, now() - days * interval '1 day', 'x',
       'y'
FROM (VALUES (1, 11, 'set', 'pump', 'North', 1, 900), (2, 11, 'cleared', 'pump', 'North', 1, 899),
             (3, 12, 'set', 'pump', 'North', 1, 800), (4, 13, 'set', 'system', NULL, NULL, 900))
    AS v (sequence, stop, event, scope, station, pump, days);
INSERT INTO alerts (alert_key, source, sequence, kind, channel, priority, title, message,
                    created_at, state, attempts, ended_at)
SELECT key, 'test', sequence, 'raised', 'duty', 1, 't', 'm', now() - 50 * interval '1 day', state,
       1, now() - ended * interval '1 day'
FROM (VALUES (1, 'old', 'delivered', 49), (2, 'waiting', 'pending', NULL),
             (3, 'lately', 'delivered', 1)) AS v (sequence, key, state, ended);
INSERT INTO alert_attempts (source, sequence, alert_key, attempt, attempted_at, took_s, outcome)
SELECT source, sequence, alert_key, 1, now() - 50 * interval '1 day', 1, 'failed' FROM alerts;
"""
LEFT = {
    "safety_limit_violations": [3, 4, 5],
    "failsafe_events": [3, 4, 5],
    "emergency_stop_events": [3, 4],
    "alerts": [2, 3],
    "alert_attempts": [2, 3],
}


def left(database: Database) -> dict[str, list[int]]:
    """The sequence numbers that each table still has."""
    with psycopg.connect(database.runtime) as connection:
        return {
            table: [
                row[0] for row in connection.execute(f"SELECT sequence FROM {table} ORDER BY 1")
            ]
            for table in LEFT
        }


@pytest.mark.parametrize("piece", [1, 500])
def test_what_is_over_goes_a_few_at_a_time_and_what_is_on_stays_however_old(
    database: Database, places: Places, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PIECE", piece)
    with psycopg.connect(database.owner) as connection:
        connection.execute(RECORDS)
    changes = Changes(places)
    retention = Retention(safety=2 * YEAR, alerts=40 * 86_400.0)
    housekeeper = Housekeeper(lambda: database.runtime, Guard(), retention, changes)
    housekeeper.start()
    try:
        until(lambda: left(database) == LEFT, what=f"{LEFT}")
        until(lambda: len(notes(places)) == len(LEFT))
    finally:
        housekeeper.stop()
        housekeeper.join()
        changes.close()
    assert notes(places) == dict.fromkeys(LEFT, 1) | dict.fromkeys(SAFETY, 2)


def notes(places: Places) -> dict[str, int]:
    """What the audit log will say: how many records of which table went."""
    with closing(SpoolReader(places.spool / "database.db")) as reader:
        bodies = [record.body for record in reader.batch(100)]
    assert {body["action"] for body in bodies} <= {"drop old records"}
    return {body["object"]: body["details"]["records"] for body in bodies}


@pytest.mark.parametrize(
    ("table", "days"),
    [*((table, 364) for table in SAFETY), *((table, 29) for table in ALERTS), ("audit_log", 4000)],
)
def test_not_even_the_runtime_drops_what_is_young_or_the_audit_log(
    database: Database, table: str, days: int
) -> None:
    with (
        psycopg.connect(database.runtime, autocommit=True) as connection,
        pytest.raises(errors.InvalidParameterValue, match=r"older than|loses no rows"),
    ):
        connection.execute(
            "SELECT drop_old_records(%s, now() - %s * interval '1 day', 10)", [table, days]
        )


@pytest.mark.parametrize("role", ["control_reader", "optimiser", "collector"])
def test_only_the_runtime_drops_records(database: Database, role: str) -> None:
    with (
        psycopg.connect(database.dsn(role), autocommit=True) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT drop_old_records('alerts', now() - interval '1 year', 10)")
