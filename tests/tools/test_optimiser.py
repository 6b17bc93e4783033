"""The sample optimiser: valid plans, one in place of the other, through outages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.conftest import Database
from tools.simulate import optimiser, planning, plans, sample
from tools.simulate.sites import Connection

NOW = datetime.now(UTC)


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        sample.load(connection)
        yield connection


@pytest.fixture
def connection(owner: Connection, database: Database) -> Iterator[Connection]:
    """As the optimiser connects, with no more rights than it has."""
    with psycopg.connect(database.optimiser, autocommit=True) as connection:
        yield connection


def test_every_pump_has_a_plan_for_the_next_hours_that_its_type_can_follow(
    connection: Connection,
) -> None:
    assert optimiser.optimise(connection, hours=3.0, now=NOW) == 10
    rows = connection.execute(
        "SELECT control_type, count(*), count(target_speed_hz), count(target_level_m),"
        " count(target_power_kw) FROM pump_plans JOIN pumps USING (pump_id)"
        " WHERE status = 'active' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert rows == [
        ("DIRECT_SPEED", 36, 36, 0, 0),
        ("LEVEL_CONTROLLED", 60, 0, 60, 0),
        ("POWER_CONTROLLED", 24, 0, 0, 24),
    ]
    gapless = connection.execute(
        "SELECT count(DISTINCT interval_start), min(interval_start), max(interval_end)"
        " FROM pump_plans WHERE status = 'active'"
    ).fetchone()
    begin = plans.quarter(NOW)
    assert begin <= NOW < begin + timedelta(minutes=15)
    assert gapless == (12, begin, begin + timedelta(hours=3))


def test_a_second_plan_takes_the_place_of_the_first(connection: Connection) -> None:
    optimiser.optimise(connection, now=NOW)
    optimiser.optimise(connection, now=NOW)
    rows = connection.execute(
        "SELECT plan_version, status, count(*) FROM pump_plans GROUP BY 1, 2 ORDER BY 1"
    ).fetchall()
    assert rows == [(1, "superseded", 120), (2, "active", 120)]


def test_what_is_past_stays_as_it_was_carried_out(connection: Connection) -> None:
    optimiser.optimise(connection, hours=1.0, now=NOW)
    optimiser.optimise(connection, hours=1.0, now=NOW + timedelta(minutes=30))
    rows = connection.execute(
        "SELECT plan_version, status, count(*) FROM pump_plans GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    assert rows == [(1, "active", 20), (1, "superseded", 20), (2, "active", 40)]


def test_a_full_well_is_pumped_down(owner: Connection, connection: Connection) -> None:
    owner.execute(
        "INSERT INTO pump_feedback (pump_id, measured_at, wet_well_level_m, running)"
        " SELECT pump_id, now(), 2.9, false FROM pumps WHERE station_id = 'PW-SUED'"
    )
    optimiser.optimise(connection)
    found = connection.execute(
        "SELECT max(target_flow_m3h) FROM pump_plans JOIN pumps USING (pump_id)"
        " WHERE station_id = 'PW-SUED' AND interval_start <= now() AND status = 'active'"
    ).fetchone()
    assert found is not None
    assert float(str(found[0])) > 0


def test_plans_stay_inside_the_limits_of_the_pumps(connection: Connection) -> None:
    optimiser.optimise(connection, hours=24.0)
    outside = connection.execute(
        "SELECT count(*) FROM pump_plans JOIN pumps USING (pump_id)"
        " JOIN pump_safety_limits USING (pump_id)"
        " WHERE target_speed_hz NOT IN (0) AND target_speed_hz NOT BETWEEN min_speed_hz AND"
        " max_speed_hz OR target_power_kw > hard_max_power_kw"
        " OR target_level_m NOT BETWEEN hard_min_level_m AND hard_max_level_m"
    ).fetchone()
    assert outside == (0,)


def test_a_retired_pump_gets_no_plan(owner: Connection, connection: Connection) -> None:
    owner.execute("UPDATE pumps SET active = false WHERE pump_id = 1")
    assert optimiser.optimise(connection) == 9


def test_without_equipment_there_is_nothing_to_plan(database: Database) -> None:
    with psycopg.connect(database.optimiser, autocommit=True) as connection:
        assert optimiser.optimise(connection) == 0


def test_intervals_are_quarters_of_an_hour() -> None:
    assert planning.INTERVAL == 900.0
    moment = datetime(2030, 5, 1, 10, 59, 59, 999_000, UTC)
    assert plans.quarter(moment) == datetime(2030, 5, 1, 10, 45, tzinfo=UTC)
