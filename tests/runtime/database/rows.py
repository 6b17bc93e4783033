"""Rows that tests enter, valid unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

Row = dict[str, object]
START = datetime(2030, 1, 1, tzinfo=UTC)

STATION: Row = {
    "station_id": "North",
    "name": "North station",
    "timezone": "Europe/Berlin",
    "flow_direction": "emptying",
    "well_area_m2": 12.0,
}
PUMP: Row = {
    "pump_id": 1,
    "station_id": "North",
    "name": "Pump 1",
    "control_type": "DIRECT_SPEED",
    "min_speed_hz": 20.0,
    "max_speed_hz": 50.0,
    "default_setpoint_hz": 30.0,
    "emergency_action": "stop",
}
LIMITS: Row = {
    "pump_id": 1,
    "hard_min_speed_hz": 20.0,
    "hard_max_speed_hz": 50.0,
    "hard_min_level_m": 0.8,
    "hard_max_level_m": 4.0,
    "emergency_stop_level_m": 0.3,
    "dry_run_level_m": 0.5,
    "restart_level_m": 1.0,
    "hard_max_power_kw": 30.0,
    "hard_max_flow_m3h": 300.0,
    "max_speed_change_hz_per_s": 2.0,
    "max_starts_per_hour": 6,
    "min_run_s": 60.0,
    "min_off_s": 60.0,
    "max_run_s": 36_000.0,
}
PLAN: Row = {
    "pump_id": 1,
    "interval_start": START,
    "interval_end": START + timedelta(hours=1),
    "target_speed_hz": 40.0,
}
FEEDBACK: Row = {"pump_id": 1, "actual_speed_hz": 39.5, "running": True, "local_control": False}


def insert(connection: psycopg.Connection[tuple[object, ...]], table: str, row: Row) -> None:
    """Insert one row."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() for _ in row),
    )
    connection.execute(statement, list(row.values()))


def enter_equipment(connection: psycopg.Connection[tuple[object, ...]], pumps: int = 1) -> None:
    """One station with pumps 1, 2, … and their limits."""
    insert(connection, "pump_stations", STATION)
    for pump_id in range(1, pumps + 1):
        insert(connection, "pumps", PUMP | {"pump_id": pump_id, "name": f"Pump {pump_id}"})
        insert(connection, "pump_safety_limits", LIMITS | {"pump_id": pump_id})


def plan(
    connection: psycopg.Connection[Any], speed: float, hours: float = 1.0, **change: object
) -> None:
    """A plan for pump 1 from a minute ago on, or, for hours < 0, until then."""
    row = connection.execute("SELECT now() - interval '1 minute'").fetchone()
    assert row is not None
    start, end = sorted((row[0], row[0] + timedelta(hours=hours)))
    interval: Row = {"interval_start": start, "interval_end": end}
    insert(connection, "pump_plans", {"pump_id": 1, "target_speed_hz": speed} | interval | change)


def feed(connection: psycopg.Connection[Any], **change: object) -> None:
    """Feedback of pump 1, measured now."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    insert(connection, "pump_feedback", {**FEEDBACK, "measured_at": row[0], **change})
