"""What the schema refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors

from tests.conftest import Database
from tests.runtime.database.rows import (
    FEEDBACK,
    LIMITS,
    PLAN,
    PUMP,
    START,
    STATION,
    Row,
    insert,
)

Connection = psycopg.Connection[tuple[object, ...]]
BASE = {
    "pump_stations": STATION | {"station_id": "South"},
    "pumps": PUMP | {"pump_id": 2},
    "pump_safety_limits": LIMITS,
    "pump_plans": PLAN,
    "pump_feedback": FEEDBACK | {"measured_at": datetime.now(UTC)},
}
NOT_FINITE = (float("nan"), float("inf"), float("-inf"))


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        insert(connection, "pump_stations", STATION)
        insert(connection, "pumps", PUMP)
        yield connection


@pytest.mark.parametrize(
    ("table", "change", "constraint"),
    [
        ("pump_stations", {"station_id": ""}, "station_id_is_1_to_64_characters"),
        ("pump_stations", {"station_id": "x" * 65}, "station_id_is_1_to_64_characters"),
        ("pump_stations", {"station_id": "a/b"}, "station_id_has_no_slash"),
        ("pump_stations", {"station_id": "a\nb"}, "station_id_is_printable_and_trimmed"),
        ("pump_stations", {"station_id": " a"}, "station_id_is_printable_and_trimmed"),
        ("pump_stations", {"station_id": "System"}, "station_id_is_not_the_reserved_name_system"),
        ("pump_stations", {"timezone": "Mars/Olympus"}, "timezone_is_a_known_name"),
        ("pump_stations", {"flow_direction": "up"}, "flow_direction_is_emptying_or_filling"),
        ("pump_stations", {"well_area_m2": 0}, "well_area_m2_is_positive_and_finite"),
        ("pump_stations", {"watchdog_timeout_s": 0}, "watchdog_timeout_s_is_positive_and_finite"),
        ("pump_stations", {"without_level": "run"}, "without_level_is_stop_default_or_hold"),
        ("pumps", {"pump_id": 0}, "pump_id_is_positive"),
        ("pumps", {"station_id": "Nowhere"}, "station_of_the_pump_exists"),
        ("pumps", {"control_type": "MAGIC"}, "control_type_is_known"),
        (
            "pumps",
            {"min_speed_hz": 51, "default_setpoint_hz": 0},
            "min_speed_hz_is_not_above_max_speed_hz",
        ),
        ("pumps", {"min_speed_hz": -1}, "min_speed_hz_is_finite_and_not_negative"),
        (
            "pumps",
            {"default_setpoint_hz": 10},
            "default_setpoint_hz_is_0_or_from_min_to_max_speed_hz",
        ),
        ("pumps", {"emergency_action": "pray"}, "emergency_action_is_default_or_stop"),
        ("pumps", {"control_parameters": "[1]"}, "control_parameters_is_an_object"),
        ("pump_safety_limits", {"pump_id": 99}, "pump_of_the_limits_exists"),
        (
            "pump_safety_limits",
            {"hard_min_speed_hz": 60},
            "hard_min_speed_hz_is_not_above_hard_max_speed_hz",
        ),
        (
            "pump_safety_limits",
            {"hard_min_level_m": 4},
            "hard_min_level_m_is_below_hard_max_level_m",
        ),
        ("pump_safety_limits", {"min_run_s": 36_000}, "max_run_s_is_longer_than_min_run_s"),
        ("pump_safety_limits", {"max_starts_per_hour": 21}, "max_starts_per_hour_is_at_most_20"),
        (
            "pump_safety_limits",
            {"stop_level_m": 0.7},
            "stop_level_m_is_from_hard_min_to_hard_max_level_m",
        ),
        (
            "pump_safety_limits",
            {"all_run_level_m": 4.1},
            "all_run_level_m_is_from_hard_min_to_hard_max_level_m",
        ),
        (
            "pump_safety_limits",
            {"stop_level_m": 1.5, "start_level_m": 2.0},
            "stop_restart_start_and_all_run_levels_all_rise_or_all_fall",
        ),
        (
            "pump_safety_limits",
            {"restart_level_m": None, "stop_level_m": 1, "start_level_m": 2, "all_run_level_m": 1},
            "stop_restart_start_and_all_run_levels_all_rise_or_all_fall",
        ),
        ("pump_stations", {"level_hold_s": -1}, "level_hold_s_is_finite_and_not_negative"),
        (
            "pump_safety_limits",
            {"max_starts_per_hour": 0},
            "max_starts_per_hour_is_at_least_1_and_finite",
        ),
        ("pump_plans", {"pump_id": 99}, "pump_of_the_plan_exists"),
        ("pump_plans", {"interval_end": START}, "interval_end_is_after_interval_start"),
        ("pump_plans", {"interval_end": "infinity"}, "interval_end_is_finite"),
        ("pump_plans", {"interval_start": "-infinity"}, "interval_start_is_finite"),
        ("pump_plans", {"created_at": "infinity"}, "created_at_is_finite"),
        ("pump_plans", {"status": "perhaps"}, "status_is_known"),
        ("pump_plans", {"plan_version": 0}, "plan_version_is_positive"),
        ("pump_plans", {"target_speed_hz": -1}, "target_speed_hz_is_finite_and_not_negative"),
        ("pump_plans", {"target_speed_hz": None}, "target_of_the_control_type_is_there"),
        ("pump_feedback", {"pump_id": 99}, "pump_of_the_feedback_exists"),
    ],
)
def test_a_row_of_nonsense_is_refused_by_a_constraint_that_says_why(
    owner: Connection, table: str, change: Row, constraint: str
) -> None:
    with pytest.raises(psycopg.IntegrityError) as refusal:
        insert(owner, table, BASE[table] | change)
    assert refusal.value.diag.constraint_name == constraint


@pytest.mark.parametrize("table", BASE)
def test_no_number_may_be_nan_or_infinite(owner: Connection, table: str) -> None:
    columns = owner.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = %s AND data_type = 'double precision'",
        [table],
    ).fetchall()
    assert columns
    for (column,) in columns:
        for value in NOT_FINITE:
            with pytest.raises(errors.CheckViolation):
                insert(owner, table, BASE[table] | {str(column): value})


def test_the_rows_that_the_tests_change_are_accepted_unchanged(owner: Connection) -> None:
    for table, row in BASE.items():
        insert(owner, table, row)


@pytest.mark.parametrize(
    "levels",
    [
        {"stop_level_m": 0.8, "start_level_m": 2.0, "all_run_level_m": 4.0},
        {"stop_level_m": 4.0, "start_level_m": 0.9, "all_run_level_m": 0.8},
        {"start_level_m": 2.0},
        {"start_level_m": 0.9, "all_run_level_m": 0.8},
    ],
)
def test_levels_may_lie_in_the_order_of_either_direction(owner: Connection, levels: Row) -> None:
    insert(owner, "pump_safety_limits", LIMITS | levels)


def test_a_plan_needs_the_target_of_its_pumps_control_type(owner: Connection) -> None:
    owner.execute("UPDATE pumps SET control_type = 'POWER_CONTROLLED'")
    with pytest.raises(errors.NotNullViolation) as refusal:
        insert(owner, "pump_plans", PLAN)
    assert "of pump 1 has no target_power_kw, which its control type POWER_CONTROLLED" in str(
        refusal.value
    )
    insert(owner, "pump_plans", PLAN | {"target_power_kw": 4.0})


def test_an_old_plan_can_be_withdrawn_after_the_control_type_changed(owner: Connection) -> None:
    insert(owner, "pump_plans", PLAN)
    owner.execute("UPDATE pumps SET control_type = 'LEVEL_CONTROLLED'")
    owner.execute("UPDATE pump_plans SET status = 'superseded'")


def test_active_plans_of_a_pump_and_version_never_overlap(owner: Connection) -> None:
    later = {"interval_start": START + timedelta(minutes=59), "interval_end": START + timedelta(2)}
    insert(owner, "pump_plans", PLAN)
    with pytest.raises(errors.ExclusionViolation) as refusal:
        insert(owner, "pump_plans", PLAN | later)
    assert refusal.value.diag.constraint_name == (
        "active_plans_of_one_pump_and_version_do_not_overlap"
    )
    insert(owner, "pump_plans", PLAN | later | {"plan_version": 2})
    insert(owner, "pump_plans", PLAN | later | {"status": "draft"})
    owner.execute("UPDATE pump_plans SET status = 'superseded' WHERE plan_id = 1")
    insert(owner, "pump_plans", PLAN | later)


def test_a_plan_may_begin_when_the_one_before_ends(owner: Connection) -> None:
    end = START + timedelta(hours=1)
    insert(owner, "pump_plans", PLAN)
    insert(
        owner,
        "pump_plans",
        PLAN | {"interval_start": end, "interval_end": end + timedelta(hours=1)},
    )


def test_the_greatest_pump_id_and_version_can_have_plans(owner: Connection) -> None:
    insert(owner, "pumps", PUMP | {"pump_id": 2**31 - 1})
    for version in (1, 2**31 - 1):
        insert(owner, "pump_plans", PLAN | {"pump_id": 2**31 - 1, "plan_version": version})
