"""The Modbus map of a plant: whatever is added, renamed, retired or upgraded, nothing moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

import config
from runtime import register_map as runtime_map
from runtime.database import migrations, register_map
from runtime.database.connection import Guard
from runtime.database.discovery import discover
from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import SchemaError, check_schema, migrate
from runtime.database.register_map import record
from runtime.equipment import Equipment
from runtime.register_map import Copy, MapError, Meaning, Register, declared
from runtime.taglist.rows import Protocol, Selection, rows
from tests.conftest import Database, fresh
from tests.runtime.database.conftest import SCAN_YAML, Connection
from tests.runtime.database.rows import LIMITS, PUMP, STATION, insert

CONFIG = config.load(SCAN_YAML, {})
MAP = (
    "SELECT coalesce(station_id, ''), coalesce(pump_id::text, ''), tag, type, unit_id, space,"
    " address, scale FROM modbus_map"
)
Place = tuple[object, ...]
Steps = list[tuple[str, int]]


@dataclass
class Field:
    """A plant through the years: its database, its program, what SCADA knows of it."""

    connection: Connection
    program: dict[Register, Meaning] = field(default_factory=lambda: dict(declared()))
    equipment: Equipment = field(default_factory=Equipment)
    scada: dict[Place, Place] = field(default_factory=dict)
    stations: int = 0
    pumps: int = 0

    def add_station(self, _: int) -> None:
        self.stations += 1
        insert(self.connection, "pump_stations", STATION | {"station_id": f"S{self.stations}"})

    def add_pump(self, number: int) -> None:
        if self.stations:
            self.pumps += 1
            station = f"S{1 + number % self.stations}"
            pump = PUMP | {"pump_id": self.pumps, "station_id": station}
            insert(self.connection, "pumps", pump)
            insert(self.connection, "pump_safety_limits", LIMITS | {"pump_id": self.pumps})

    def add_pump_without_limits(self, number: int) -> None:
        if self.stations:
            self.pumps += 1
            station = f"S{1 + number % self.stations}"
            insert(self.connection, "pumps", PUMP | {"pump_id": self.pumps, "station_id": station})

    def rename(self, number: int) -> None:
        self._at_pump("UPDATE pumps SET name = name || '!' WHERE pump_id = %s", number)
        self.connection.execute("UPDATE pump_stations SET name = name || '!'")

    def retire(self, number: int) -> None:
        self._at_pump("UPDATE pumps SET active = false WHERE pump_id = %s", number)

    def retire_station(self, number: int) -> None:
        self._at_station("UPDATE pump_stations SET active = false WHERE station_id = %s", number)

    def add_again(self, number: int) -> None:
        upsert = (
            "INSERT INTO pumps (pump_id, station_id, control_type)"
            " SELECT pump_id, station_id, control_type FROM pumps WHERE pump_id = %s"
            " ON CONFLICT (pump_id) DO UPDATE SET active = true"
        )
        self._at_pump(upsert, number)
        self._at_station("UPDATE pump_stations SET active = true WHERE station_id = %s", number)

    def upgrade(self, number: int) -> None:
        """A version with a new tag, in two views, at the first free registers of a table."""
        table = ("System", "Station", "Pump")[number % 3]
        wide = self._free(table, 2)
        if wide is not None:
            tag = f"New{number}At{wide}"
            for word in range(2):
                register = Register(table, "input register", wide + word)
                self.program[register] = Meaning(tag, "float32", word, None)
        record(self.connection, self.program)

    def _free(self, table: str, width: int) -> int | None:
        taken = {one.address for one in self.program if one[:2] == (table, "input register")}
        fits = (at for at in range(0, 100, width) if not taken & set(range(at, at + width)))
        return next(fits, None)

    def _at_pump(self, statement: str, number: int) -> None:
        if self.pumps:
            self.connection.execute(statement, [1 + number % self.pumps])

    def _at_station(self, statement: str, number: int) -> None:
        if self.stations:
            self.connection.execute(statement, [f"S{1 + number % self.stations}"])

    def look(self) -> None:
        """Every value that SCADA knew is where it was, and none lies over another."""
        found = {row[:4]: row[4:] for row in self.connection.execute(MAP).fetchall()}
        assert {name: found.get(name) for name in self.scada} == self.scada
        assert len(set(found.values())) == len(found)
        self.scada = found
        self.equipment = discover(self.connection, CONFIG, self.equipment)
        listed = rows(self.equipment, Selection(protocol=Protocol.MODBUS))
        for row in listed:
            place = (row.unit_id, row.space, row.address, row.scale)
            assert found[row.station, row.pump, row.tag, row.type] == place


STEPS = (
    *("add_station", "add_pump", "add_pump_without_limits", "rename"),
    *("retire", "retire_station", "add_again", "upgrade"),
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 20)), max_size=20))
def test_nothing_ever_moves_whatever_becomes_of_a_plant(
    postgres: EmbeddedServer, steps: Steps
) -> None:
    with fresh(postgres) as database, psycopg.connect(database.owner, autocommit=True) as owner:
        plant = Field(owner)
        for step, number in (("add_station", 0), ("add_pump", 0), *steps):
            getattr(plant, step)(number)
            plant.look()


@pytest.fixture(scope="module")
def owner(postgres: EmbeddedServer) -> Iterator[Connection]:
    """The tests below change nothing, so they share a database."""
    with fresh(postgres) as database, psycopg.connect(database.owner, autocommit=True) as owner:
        yield owner


SPEED = Register("Pump", "input register", 2)
POWER = Register("Pump", "input register", 4)


def moved(program: dict[Register, Meaning]) -> None:
    program[Register("Pump", "input register", 58)] = program.pop(SPEED)


def taken(program: dict[Register, Meaning]) -> None:
    program[SPEED] = program[POWER]


def given_up(program: dict[Register, Meaning]) -> None:
    del program[SPEED]


def scaled_otherwise(program: dict[Register, Meaning]) -> None:
    scaled = Register("Pump", "input register", 61)
    program[scaled] = program[scaled]._replace(scale=0.5)


def typed_otherwise(program: dict[Register, Meaning]) -> None:
    program[SPEED] = program[SPEED]._replace(type="uint32")


CHANGES = (moved, taken, given_up, scaled_otherwise, typed_otherwise)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_program_that_gives_a_register_another_meaning_is_refused_by_name(
    owner: Connection, change: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = dict(declared())
    assert callable(change)
    change(program)
    before = register_map.recorded(owner)
    with pytest.raises(MapError, match=r"input register \d+ of a pump: found .*, allowed Speed"):
        record(owner, program)
    assert register_map.recorded(owner) == before
    monkeypatch.setattr(migrations, "declared", lambda: program)
    with pytest.raises(SchemaError, match="run one that keeps them"):
        check_schema(owner)


def test_what_contradicts_the_map_is_known_without_the_database_from_the_next_start_on(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = dict(declared())
    moved(program)
    guard = Guard(copy=Copy(tmp_path / "registers.json"))
    with psycopg.connect(database.runtime) as runtime:
        guard.admit(runtime)
        for module in (migrations, runtime_map):
            monkeypatch.setattr(module, "declared", lambda: program)
        copy = Copy(tmp_path / "registers.json")
        assert "found" in copy.contradiction()
        (tmp_path / "registers.json").unlink()
        with pytest.raises(SchemaError, match="run one that keeps them"):
            guard.admit(runtime)
    assert "found" in copy.contradiction()


def test_what_is_recorded_is_what_the_program_declares(owner: Connection) -> None:
    assert register_map.recorded(owner) == declared()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE modbus_registers SET address = address + 1",
        "DELETE FROM modbus_registers",
        "TRUNCATE modbus_registers",
    ],
)
def test_nobody_changes_what_is_recorded(owner: Connection, statement: str) -> None:
    with pytest.raises(errors.IntegrityConstraintViolation, match="never changed or given up"):
        owner.execute(statement)


def test_a_new_tag_waits_for_migrate_which_says_that_it_recorded_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = {Register("Pump", "input register", 59): Meaning("Vibration", "uint16", 0, None)}
    monkeypatch.setattr(migrations, "declared", lambda: {**declared(), **new})
    with psycopg.connect(database.runtime) as runtime:
        with pytest.raises(SchemaError, match="lacks 1 registers of the Modbus map; run `calejo"):
            check_schema(runtime)
        assert migrate(database.owner) == ["Modbus registers of Pump.Vibration"]
        check_schema(runtime)
    assert migrate(database.owner) == []


def test_a_reader_finds_the_map_in_the_database_and_the_runtime_can_not_add_to_it(
    database: Database,
) -> None:
    with psycopg.connect(database.reader) as reader:
        assert len(reader.execute(MAP).fetchall()) > 20
    with (
        psycopg.connect(database.runtime) as runtime,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        runtime.execute("INSERT INTO modbus_registers VALUES ('Pump', 'coil', 99, 'X', 'b', 0)")
