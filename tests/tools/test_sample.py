"""Sample data: what the real schema takes, the same for the same numbers, as large as asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from config import Config, load
from runtime import wells
from runtime.database.discovery import discover
from runtime.equipment import Equipment
from tests.conftest import Database
from tools.simulate import edges, sample, stations
from tools.simulate.sample import Extent
from tools.simulate.sites import Connection

NOW = datetime.now(UTC).replace(microsecond=0)
TABLES = ("pump_stations", "pumps", "pump_safety_limits", "pump_plans", "pump_feedback")


@pytest.fixture
def configuration() -> Config:
    """The scan.yaml of the project."""
    return load(Path(__file__).parents[2] / "scan.yaml", {})


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        yield connection


def contents(connection: Connection) -> dict[str, list[str]]:
    """All that matters of all rows: not when they were entered."""
    own = "- 'created_at' - 'plan_id'"
    return {
        table: sorted(
            str(row) for (row,) in connection.execute(f"SELECT to_jsonb(t) {own} FROM {table} t")
        )
        for table in TABLES
    }


def count(connection: Connection, table: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(str(found[0])) if found else 0


def test_the_demonstration_set_has_what_a_demonstration_needs(connection: Connection) -> None:
    assert sample.load(connection, now=NOW, extent=Extent()) == 10
    types = connection.execute("SELECT DISTINCT control_type FROM pumps").fetchall()
    directions = connection.execute(
        "SELECT flow_direction, count(*) FROM pump_stations GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert {name for (name,) in types} == set(stations.CONTROL_TYPES)
    assert directions == [("emptying", 3), ("filling", 1)]
    assert count(connection, "pump_safety_limits") == 10
    assert count(connection, "pump_plans") == 10 * 24
    assert count(connection, "pump_feedback") == 10 * 60
    newest = connection.execute("SELECT DISTINCT measured_at FROM pump_feedback_latest").fetchall()
    assert newest == [(NOW,)]


def test_the_same_numbers_make_the_same_rows(connection: Connection, database: Database) -> None:
    sample.load(connection, 6, 2, seed=4, extent=Extent(), now=NOW)
    first = contents(connection)
    with psycopg.connect(database.dsn("postgres"), autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        for table in reversed(TABLES):
            superuser.execute(f"DELETE FROM {table}")
        superuser.execute("DELETE FROM pump_feedback_latest")
    sample.load(connection, 6, 2, seed=4, extent=Extent(), now=NOW)
    assert contents(connection) == first


def test_another_seed_makes_other_stations() -> None:
    one, other = stations.generate(4, seed=1), stations.generate(4, seed=2)
    assert one.limits != other.limits
    assert [row["station_id"] for row in one.stations] == [
        row["station_id"] for row in other.stations
    ]


def test_a_larger_set_begins_with_the_smaller_one() -> None:
    small, large = stations.generate(4), stations.generate(40)
    assert large.stations[:4] == small.stations
    assert large.pumps[:10] == small.pumps
    assert large.limits[:10] == small.limits


def test_stations_and_pumps_have_ids_of_their_own() -> None:
    rows = stations.generate(2_500, 4)
    assert len({row["station_id"] for row in rows.stations}) == 2_500
    assert [row["pump_id"] for row in rows.pumps] == list(range(1, 10_001))


def test_rows_that_are_there_are_left_alone(connection: Connection) -> None:
    sample.load(connection, now=NOW, extent=Extent())
    connection.execute("UPDATE pump_safety_limits SET hard_max_power_kw = 77 WHERE pump_id = 1")
    connection.execute("UPDATE pumps SET active = false WHERE pump_id = 2")
    before = contents(connection)
    assert sample.load(connection, now=NOW, extent=Extent()) == 0
    assert contents(connection) == before


def test_a_larger_set_is_added_around_a_smaller_one(connection: Connection) -> None:
    sample.load(connection, 4, now=NOW)
    assert sample.load(connection, 8, now=NOW) == 10


def test_the_runtime_accepts_every_sample_pump(
    connection: Connection, configuration: Config
) -> None:
    sample.load(connection, 24)
    found = discover(connection, configuration, Equipment())
    assert found.problems == ()
    assert len(found.pumps) == 60


def test_no_sample_station_has_a_watchdog_that_outlasts_its_well(
    connection: Connection, configuration: Config
) -> None:
    sample.load(connection, 100, (1, 2, 3, 4, 5), seed=3)
    assert wells.warnings(discover(connection, configuration, Equipment())) == []


def test_a_station_run_by_level_alone_has_duty_pumps_and_one_that_stands_by(
    connection: Connection, configuration: Config
) -> None:
    sample.load(connection, 8, (3, 4, 2, 2, 3, 2))
    found = discover(connection, configuration, Equipment())
    second, sixth = found.stations[1], found.stations[5]
    for station, roles in ((second, [0, 0, 0, 1]), (sixth, [0, 0])):
        pumps = [pump.parameters for pump in found.pumps_of(station.station_id)]
        assert {pump["ControlType"] for pump in pumps} == {1}
        assert [pump["LevelRole"] for pump in pumps] == roles


def test_sample_pumps_name_their_guard_levels_and_edge_cases_leave_them_to_the_runtime(
    connection: Connection, configuration: Config
) -> None:
    sample.load(connection, edge_cases=True)
    found = discover(connection, configuration, Equipment())
    names = ("StopLevel", "StartLevel", "AllRunLevel")
    levels = {
        pump.station_id: tuple(pump.parameters[name] for name in names) for pump in found.pumps
    }
    assert levels[found.stations[0].station_id] == (0.7, 2.4, 2.7)
    assert levels[found.stations[3].station_id] == (4.5, 1.5, 1.1)
    assert levels[edges.STATION] == (-1.5, 1.0, 3.0)
    assert all(station.parameters["WellArea"] > 0 for station in found.stations[:4])


def test_the_runtime_names_the_edge_cases_that_it_refuses(
    connection: Connection, configuration: Config
) -> None:
    sample.load(connection, edge_cases=True)
    found = discover(connection, configuration, Equipment())
    refused = {
        str(row["pump_id"]) for row in edges.equipment().pumps if "refused" in str(row["name"])
    }
    assert len(refused) == 5
    assert set(" ".join(found.problems).replace(":", "").split()) >= refused
    assert len(found.pumps) == 10 + len(edges.equipment().pumps) - len(refused)


def test_the_schema_takes_every_edge_case(connection: Connection) -> None:
    odd = sample.load(connection, edge_cases=True, extent=Extent(), now=NOW) - 10
    assert odd == len(edges.equipment().pumps)
    assert count(connection, "pump_stations") == 7
    assert sample.load(connection, edge_cases=True, extent=Extent(), now=NOW) == 0


def test_ten_thousand_pumps_are_entered_in_one_go(connection: Connection) -> None:
    extent = Extent(plan_hours=1.0, feedback_minutes=1.0, feedback_every=30.0)
    assert sample.load(connection, 2_500, 4, extent=extent, now=NOW) == 10_000
    assert count(connection, "pump_plans") == 40_000
    assert count(connection, "pump_feedback_latest") == 10_000
