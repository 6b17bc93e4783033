"""The database process as it runs: health told, plans delivered, ended cleanly."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from config import Config
from runtime import equipment
from runtime.database.process import last_known
from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.progress import State, look
from runtime.region import Reader
from runtime.shared import RegionError
from runtime.tag import Tag
from runtime.tags import Pump, System
from tests.conftest import Database
from tests.processes import until
from tests.runtime.database.conftest import SCAN_YAML
from tests.runtime.database.rows import enter_equipment, feed, plan

Connection = psycopg.Connection[tuple[object, ...]]


class Process:
    """The process, seen through its inputs and its health."""

    def __init__(self, configuration: Config, root: Path, dsn: str) -> None:
        self.places = Places(root)
        self.places.prepare()
        capacity = configuration.capacity
        self._columns = Columns(Layout(Capacity(capacity.stations, capacity.pumps)))
        settings = {"CALEJO_STATE": str(root), "CALEJO_CONFIG": str(SCAN_YAML)}
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "runtime", "process", "database"],
            env=os.environ | settings | {"CALEJO_DATABASE": dsn},
            cwd=SCAN_YAML.parent,
        )

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self._popen.send_signal(number)
        return self._popen.wait(60)

    @property
    def health(self) -> str:
        found = look(self.places.progress("database"))
        return f"{found.state.name} {found.text}" if found and found.pid == self._popen.pid else ""

    def value(self, tag: Tag, slot: int = 0) -> float:
        layout = self._columns.layout
        try:
            reader = Reader(self.places.inputs, layout.inputs, layout.hash, layout.parameters)
            reader.read(self._columns.arena[: layout.inputs])
        except RegionError:
            return float("nan")
        return self._columns.value(tag, slot)


@pytest.fixture
def start(configuration: Config, tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    started: list[Process] = []

    def _start(dsn: str) -> Process:
        started.append(Process(configuration, tmp_path / "state", dsn))
        return started[-1]

    yield _start
    for process in started:
        process.end(signal.SIGKILL)
        shutil.rmtree(process.places.shared, ignore_errors=True)


def test_it_delivers_what_is_written_and_says_that_it_is_connected(
    owner: Connection, database: Database, start: Callable[[str], Process]
) -> None:
    enter_equipment(owner, pumps=2)
    process = start(database.runtime)
    until(lambda: process.health == "GOOD connected; 1 stations, 2 pumps")
    plan(owner, 40.0)
    feed(owner)
    until(lambda: process.value(Pump.PlanSpeed) == 40.0)
    until(lambda: process.value(Pump.MeasuredSpeed) == 39.5)
    assert process.value(System.PlantVersion) >= 1
    assert process.end() == 0


def test_without_a_database_it_says_so_and_publishes_what_it_knows(
    owner: Connection, database: Database, start: Callable[[str], Process]
) -> None:
    enter_equipment(owner)
    first = start(database.runtime)
    until(lambda: first.value(Pump.Configured) == 1)
    first.end(signal.SIGKILL)
    first.places.inputs.unlink()
    second = start("host=/nowhere dbname=nothing")
    until(lambda: second.health.startswith(f"{State.DEGRADED.name} unreachable"))
    assert "1 stations, 1 pumps" in second.health
    assert second.value(Pump.Configured) == 1
    assert second.end() == 0


def test_of_the_last_run_it_knows_what_fits_into_a_smaller_image(
    places: Places, configuration: Config
) -> None:
    north, south = (
        StationEntry(slot, name, name, "UTC", 1, 0, True, {})
        for slot, name in enumerate(("North", "South"))
    )
    pumps = [
        PumpEntry(slot, 10 + slot, name, "", 1, 100, True, {})
        for slot, name in enumerate(("North", "South", "North"))
    ]
    Equipment(3, (north, south), tuple(pumps)).save(places.equipment)
    columns = Columns(Layout(Capacity(stations=1, pumps=2)))
    known = last_known(places, columns, configuration)
    assert [station.station_id for station in known.stations] == ["North"]
    assert known.pumps == (pumps[0],)
    equipment.fill(known, columns)
    assert columns[Pump.Configured].tolist() == [True, False]


def test_what_an_older_program_did_not_know_is_as_if_it_were_not_given(
    places: Places, configuration: Config
) -> None:
    levels = {"HardMinLevel": 0.8, "HardMaxLevel": 4.0, "RestartLevel": 1.0}
    levels |= {"EmergencyStopLevel": 0.3, "DryRunLevel": 0.5}
    station = StationEntry(0, "North", "", "UTC", 1, 0, True, {"FlowDirection": 0.0})
    pump = PumpEntry(0, 1, "North", "", 1, 100, True, levels | {"LevelGain": 7.0})
    Equipment(3, (station,), (pump,)).save(places.equipment)
    columns = Columns(Layout(Capacity(stations=1, pumps=1)))
    known = last_known(places, columns, configuration)
    found = known.stations[0].parameters | known.pumps[0].parameters
    assert found["LevelHold"] == configuration.program.limits.level_hold
    assert found["WellArea"] == 0.0
    assert found["LevelGain"] == 7.0
    assert found["LevelTrackingTime"] == configuration.program.level_control.tracking_time
    assert (found["StopLevel"], found["StartLevel"], found["AllRunLevel"]) == (0.8, 2.5, 4.0)


def test_a_bad_row_is_told_in_its_health(
    owner: Connection, database: Database, start: Callable[[str], Process]
) -> None:
    enter_equipment(owner)
    owner.execute("UPDATE pump_safety_limits SET max_run_s = NULL")
    process = start(database.runtime)
    until(lambda: "1 problems, first: station North, pump 1: max_run_s: found" in process.health)
