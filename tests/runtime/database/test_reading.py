"""What is written into the database reaches the inputs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import structlog

from config import Config
from runtime.database.plans import NEAR, joined
from runtime.equipment import load
from runtime.places import Places
from runtime.tags import Pump, Station, System
from tests.conftest import Database
from tests.processes import until
from tests.runtime.database.conftest import Pieces, SettableClock
from tests.runtime.database.rows import LIMITS, PUMP, enter_equipment, feed, insert, plan

Connection = psycopg.Connection[Any]


def test_equipment_feedback_and_plans_reach_the_inputs(owner: Connection, pieces: Pieces) -> None:
    enter_equipment(owner)
    plan(owner, 40.0)
    feed(owner, wet_well_level_m=1.5)
    pieces.start()
    pieces.wait_for(Pump.Configured, 1)
    pieces.wait_for(Pump.PlanSpeed, 40.0)
    pieces.wait_for(Pump.MeasuredLevel, 1.5)
    now = time.monotonic()
    assert pieces.value(Pump.PlanStart) < now < pieces.value(Pump.PlanEnd)
    assert now - 10 < pieces.value(Pump.MeasuredTime) <= now
    assert now - 10 < pieces.value(Station.PlanTime) <= now
    assert pieces.value(Pump.HardMaxSpeed) == LIMITS["hard_max_speed_hz"]
    assert load(pieces.places.equipment) == pieces.equipment


def test_a_plan_committed_later_arrives_by_notification(owner: Connection, pieces: Pieces) -> None:
    enter_equipment(owner)
    pieces.start()
    until(lambda: pieces.plans.connected)
    plan(owner, 33.0)
    pieces.wait_for(Pump.PlanSpeed, 33.0)


def test_a_plan_arrives_though_every_notification_is_lost(
    owner: Connection, pieces: Pieces
) -> None:
    enter_equipment(owner)
    owner.execute(
        "CREATE OR REPLACE FUNCTION announce_plans() RETURNS trigger LANGUAGE plpgsql"
        " SECURITY DEFINER AS $$ BEGIN INSERT INTO plan_changes"
        " (operation, first_plan_id, last_plan_id)"
        " SELECT TG_OP, min(plan_id), max(plan_id) FROM changed; RETURN NULL; END $$"
    )
    pieces.start()
    until(lambda: pieces.plans.connected)
    plan(owner, 33.0)
    pieces.wait_for(Pump.PlanSpeed, 33.0)


def test_a_plan_that_commits_after_a_later_one_is_not_missed(
    owner: Connection, pieces: Pieces, database: Database
) -> None:
    enter_equipment(owner, pumps=2)
    pieces.start()
    until(lambda: pieces.plans.connected)
    with psycopg.connect(database.owner) as slow:
        plan(slow, 31.0)
        plan(owner, 32.0, pump_id=2)
        pieces.wait_for(Pump.PlanSpeed, 32.0, slot=1)
        slow.commit()
    pieces.wait_for(Pump.PlanSpeed, 31.0)


def test_withdrawn_and_deleted_plans_leave_the_inputs(owner: Connection, pieces: Pieces) -> None:
    enter_equipment(owner)
    plan(owner, 30.0)
    plan(owner, 40.0, plan_version=2)
    pieces.start()
    pieces.wait_for(Pump.PlanSpeed, 40.0)
    owner.execute("UPDATE pump_plans SET status = 'superseded' WHERE plan_version = 2")
    pieces.wait_for(Pump.PlanSpeed, 30.0)
    owner.execute("DELETE FROM pump_plans WHERE plan_version = 1")
    until(lambda: pieces.value(Pump.PlanEnd) == 0)


def test_a_retired_pump_leaves_its_place_empty_and_moves_no_other(
    owner: Connection, pieces: Pieces
) -> None:
    enter_equipment(owner, pumps=3)
    pieces.start()
    pieces.wait_for(Pump.Configured, 1, slot=2)
    before = {pump.pump_id: (pump.slot, pump.unit, pump.base) for pump in pieces.equipment.pumps}
    version = pieces.value(System.PlantVersion)
    owner.execute("UPDATE pumps SET active = false WHERE pump_id = 2")
    pieces.wait_for(Pump.Configured, 0, slot=1)
    assert pieces.value(Pump.Configured, 2) == 1
    assert pieces.value(System.PlantVersion) > version
    after = {pump.pump_id: (pump.slot, pump.unit, pump.base) for pump in pieces.equipment.pumps}
    assert after == before


def test_a_pump_added_while_running_gets_its_plan_too(owner: Connection, pieces: Pieces) -> None:
    enter_equipment(owner)
    pieces.start()
    pieces.wait_for(Pump.Configured, 1)
    insert(owner, "pumps", PUMP | {"pump_id": 2})
    plan(owner, 25.0, pump_id=2)
    insert(owner, "pump_safety_limits", LIMITS | {"pump_id": 2})
    pieces.wait_for(Pump.Configured, 1, slot=1)
    pieces.wait_for(Pump.PlanSpeed, 25.0, slot=1)


def test_a_watchdog_that_outlasts_its_well_is_told_once(owner: Connection, pieces: Pieces) -> None:
    enter_equipment(owner)
    with structlog.testing.capture_logs() as logs:
        pieces.start(pieces.discovery)
        pieces.wait_for(Pump.Configured, 1)
        version = pieces.equipment.version
        owner.execute("UPDATE pumps SET name = 'renamed'")
        until(lambda: pieces.equipment.version > version)
    told = [entry["problem"] for entry in logs if entry["event"] == "well too small"]
    assert len(told) == 1
    assert told[0].startswith("station North: watchdog_timeout_s 1200 outlasts the well")


def test_an_invalid_row_is_named_and_the_others_run(owner: Connection, pieces: Pieces) -> None:
    enter_equipment(owner)
    insert(owner, "pumps", PUMP | {"pump_id": 2})
    pieces.start()
    pieces.wait_for(Pump.Configured, 1)
    assert len(pieces.equipment.pumps) == 1
    assert any("pump 2: hard_max_speed_hz: found nothing" in p for p in pieces.equipment.problems)


def test_a_heartbeat_makes_a_station_young_and_an_old_plan_does_not(
    owner: Connection, pieces: Pieces
) -> None:
    enter_equipment(owner)
    plan(owner, 40.0, created_at="2020-01-01 00:00:00+00")
    pieces.start()
    pieces.wait_for(Pump.PlanSpeed, 40.0)
    assert pieces.value(Station.PlanTime) < time.monotonic() - 86_400
    began = time.monotonic()
    insert(owner, "plan_heartbeats", {"station_id": "North"})
    until(lambda: pieces.value(Station.PlanTime) > began - 1)


def test_touching_an_old_plan_does_not_make_its_station_any_younger(
    owner: Connection, pieces: Pieces
) -> None:
    enter_equipment(owner)
    plan(owner, 40.0, created_at="2020-01-01 00:00:00+00")
    pieces.start()
    pieces.wait_for(Pump.PlanSpeed, 40.0)
    before = pieces.value(Station.PlanTime)
    owner.execute("UPDATE pump_plans SET target_speed_hz = 41")
    pieces.wait_for(Pump.PlanSpeed, 41.0)
    assert pieces.value(Station.PlanTime) == before


def test_a_plan_from_the_future_is_new_once(owner: Connection, pieces: Pieces) -> None:
    enter_equipment(owner)
    pieces.start()
    until(lambda: pieces.plans.connected)
    plan(owner, 40.0, created_at="2100-01-01 00:00:00+00")
    pieces.wait_for(Pump.PlanSpeed, 40.0)
    # The first look may meet the plan twice: as one that is there, and as one that comes.
    owner.execute("UPDATE pump_plans SET target_speed_hz = 41")
    pieces.wait_for(Pump.PlanSpeed, 41.0)
    seen = pieces.value(Station.PlanTime)
    assert time.monotonic() - 10 < seen <= time.monotonic()
    owner.execute("UPDATE pump_plans SET target_speed_hz = 42")
    pieces.wait_for(Pump.PlanSpeed, 42.0)
    assert pieces.value(Station.PlanTime) == seen


def test_a_clock_set_back_an_hour_changes_no_age_and_chooses_the_plan_of_that_hour(
    owner: Connection, configuration: Config, places: Places, clock: SettableClock
) -> None:
    enter_equipment(owner)
    plan(owner, 30.0, -2.0)
    plan(owner, 40.0)
    feed(owner)
    pieces = Pieces(configuration, places, lambda: clock.dsn)
    pieces.start()
    pieces.wait_for(Pump.PlanSpeed, 40.0)
    until(lambda: pieces.value(Pump.MeasuredTime) > 0)
    written, measured = pieces.value(Station.PlanTime), pieces.value(Pump.MeasuredTime)
    clock.set_by(-timedelta(hours=1))
    pieces.wait_for(Pump.PlanSpeed, 30.0)
    assert pieces.value(System.DatabaseClockSteps) == 1
    assert pieces.value(Pump.MeasuredTime) == measured
    assert pieces.value(Station.PlanTime) == written
    pieces.stop()


def test_a_process_started_anew_goes_on_from_the_inputs_it_finds(
    owner: Connection, pieces: Pieces, configuration: Config, places: Places
) -> None:
    enter_equipment(owner)
    plan(owner, 40.0, created_at="2100-01-01 00:00:00+00")
    pieces.start()
    pieces.wait_for(Pump.PlanSpeed, 40.0)
    pieces.wait_for(Pump.Configured, 1)
    seen = pieces.value(Station.PlanTime)
    pieces.stop()
    unreachable = Pieces(configuration, places, lambda: "host=/nowhere")
    assert unreachable.value(Pump.Configured) == 1
    assert unreachable.value(Pump.PlanSpeed) == 40.0
    assert unreachable.value(Station.PlanTime) == seen


def test_a_start_without_database_knows_the_equipment_of_the_last_run(
    owner: Connection, pieces: Pieces, configuration: Config, places: Places
) -> None:
    enter_equipment(owner, pumps=2)
    pieces.start()
    pieces.wait_for(Pump.Configured, 1, slot=1)
    pieces.stop()
    places.inputs.unlink()
    cold = Pieces(configuration, places, lambda: "host=/nowhere")
    cold.start()
    assert cold.value(Pump.Configured, 1) == 1
    assert cold.value(Pump.HardMaxSpeed, 1) == LIMITS["hard_max_speed_hz"]
    assert cold.value(System.DatabaseTime) == 0
    until(lambda: cold.feedback.status.startswith("unreachable"))
    cold.stop()


def test_changes_near_each_other_are_read_as_one() -> None:
    near = [(5, 9), (NEAR, NEAR + 1), (1, 2), (10 * NEAR, 10 * NEAR)]
    assert joined(near) == [(1, NEAR + 1), (10 * NEAR, 10 * NEAR)]


def test_many_small_changes_arrive_all(owner: Connection, pieces: Pieces) -> None:
    enter_equipment(owner, pumps=20)
    pieces.start()
    until(lambda: pieces.plans.connected)
    for pump_id in range(1, 21):
        plan(owner, 20.0 + pump_id, pump_id=pump_id)
    for pump_id in range(1, 21):
        pieces.wait_for(Pump.PlanSpeed, 20.0 + pump_id, slot=pump_id - 1)


def test_ten_thousand_pumps_are_found(
    owner: Connection,
    configuration: Config,
    places: Places,
    database: Database,
    pytestconfig: pytest.Config,
) -> None:
    owner.execute(
        "INSERT INTO pump_stations (station_id) SELECT 'S' || n FROM generate_series(0, 99) n"
    )
    owner.execute(
        "INSERT INTO pumps (pump_id, station_id, control_type, min_speed_hz, max_speed_hz,"
        " default_setpoint_hz) SELECT n, 'S' || n % 100, 'DIRECT_SPEED', 20, 50, 30"
        " FROM generate_series(1, 10000) n"
    )
    owner.execute(
        "INSERT INTO pump_safety_limits SELECT n, 20, 50, 0.8, 4, 0.3, 0.5, 1, 30, 300, 2, 6, 60,"
        " 60, 36000 FROM generate_series(1, 10000) n"
    )
    capacity = configuration.capacity.model_copy(update={"pumps": 10_000})
    large = configuration.model_copy(update={"capacity": capacity})
    pieces = Pieces(large, places, lambda: database.runtime)
    began = time.monotonic()
    pieces.start(pieces.discovery)
    pieces.wait_for(Pump.Configured, 1, slot=9_999)
    took = time.monotonic() - began
    pieces.stop()
    pytestconfig.get_terminal_writer().line(f" 10,000 pumps found in {took:.1f} s ")
    assert pieces.equipment.problems == ()
