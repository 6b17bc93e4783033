"""Slots and addresses: the schema assigns them by itself, and they never change."""

from __future__ import annotations

import threading

import psycopg
import pytest
from psycopg import errors

from tests.conftest import Database
from tests.runtime.database.conftest import Connection
from tests.runtime.database.rows import PUMP, STATION, enter_equipment, insert


def addresses(connection: Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(
        f"SELECT slot, modbus_unit, modbus_base FROM {table} ORDER BY slot"
    ).fetchall()


def test_slots_and_addresses_are_assigned_in_turn(database: Database) -> None:
    with psycopg.connect(database.owner) as connection:
        enter_equipment(connection, pumps=3)
        insert(connection, "pump_stations", STATION | {"station_id": "South"})
        insert(connection, "pumps", PUMP | {"pump_id": 9, "station_id": "South"})
        assert addresses(connection, "pump_stations") == [(0, 1, 0), (1, 2, 0)]
        assert addresses(connection, "pumps") == [
            (0, 1, 100), (1, 1, 200), (2, 1, 300), (3, 2, 100),
        ]  # fmt: skip


def test_the_241st_station_shares_the_unit_of_the_first(database: Database) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            "INSERT INTO pump_stations (station_id) SELECT 'S' || n FROM generate_series(0, 239) n"
        )
        insert(connection, "pumps", PUMP | {"station_id": "S0"})
        insert(connection, "pump_stations", STATION)
        assert addresses(connection, "pump_stations")[-1] == (240, 1, 200)


def test_a_unit_without_room_refuses_a_further_pump_clearly(database: Database) -> None:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        insert(connection, "pump_stations", STATION)
        connection.execute(
            "INSERT INTO pumps (pump_id, station_id, control_type)"
            " SELECT n, 'North', 'DIRECT_SPEED' FROM generate_series(1, 654) n"
        )
        assert addresses(connection, "pumps")[-1] == (653, 1, 65_400)
        with pytest.raises(errors.ProgramLimitExceeded, match="pump 655 finds no room in Modbus"):
            insert(connection, "pumps", PUMP | {"pump_id": 655})


def test_an_upsert_keeps_the_address_and_uses_up_no_slot(owner: Connection) -> None:
    enter_equipment(owner)
    upsert = (
        "INSERT INTO pumps (pump_id, station_id, control_type, name)"
        " VALUES (1, 'North', 'DIRECT_SPEED', 'again')"
        " ON CONFLICT (pump_id) DO UPDATE SET name = excluded.name"
    )
    before = addresses(owner, "pumps")
    for _ in range(3):
        owner.execute(upsert)
    insert(owner, "pumps", PUMP | {"pump_id": 2})
    assert addresses(owner, "pumps") == [*before, (1, 1, 200)]


def test_two_writers_at_once_get_different_slots(database: Database) -> None:
    def enter(first: int) -> None:
        with psycopg.connect(database.owner, autocommit=True) as connection:
            for pump_id in range(first, first + 50):
                insert(connection, "pumps", PUMP | {"pump_id": pump_id})

    with psycopg.connect(database.owner) as connection:
        insert(connection, "pump_stations", STATION)
    writers = [threading.Thread(target=enter, args=(first,)) for first in (1, 1001)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with psycopg.connect(database.owner) as connection:
        assert [slot for slot, _, _ in addresses(connection, "pumps")] == list(range(100))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pump_stations SET slot = 7",
        "UPDATE pump_stations SET modbus_base = 900",
        "UPDATE pumps SET slot = 7",
        "UPDATE pumps SET modbus_unit = 7",
        "UPDATE pumps SET pump_id = 7",
        "DELETE FROM pumps",
        "DELETE FROM pump_stations",
        "TRUNCATE pumps CASCADE",
        "TRUNCATE pump_stations CASCADE",
    ],
)
def test_identity_and_addresses_never_change(owner: Connection, statement: str) -> None:
    enter_equipment(owner)
    with pytest.raises(errors.IntegrityConstraintViolation) as refusal:
        owner.execute(statement)
    assert "Set active = false" in str(refusal.value)


def test_addresses_can_not_be_chosen(owner: Connection) -> None:
    enter_equipment(owner)
    with pytest.raises(errors.GeneratedAlways, match="Leave these columns out"):
        insert(owner, "pumps", PUMP | {"pump_id": 2, "slot": 5})
