"""A plant by hand whose alarms a test raises, and the alerts that look at it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import yaml

import config
from config import Config
from runtime.alarm import AlarmState
from runtime.alerts.service import Service
from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.places import Places
from runtime.tag import Table, Tag
from runtime.tags import Pump, Station, System
from tests.calejo import ROOT
from tests.processes import until
from tests.runtime.by_hand import SIZE, Plant

EQUIPMENT = Equipment(
    7,
    tuple(
        StationEntry(s, name, name, "UTC", s + 1, 0, True, {})
        for s, name in enumerate(("North", "South", "West"))
    ),
    tuple(
        PumpEntry(p, 11 + p, ("North", "South", "West")[p // 2], f"P{p + 1}", 1, 100, True, {})
        for p in range(6)
    ),
)
TABLES: dict[str, type[Table]] = {"System": System, "Station": Station, "Pump": Pump}


class Watched:
    """A scan by hand, whose time goes on by hand too."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.plant = Plant(places)
        columns = self.plant.columns
        columns[System.PlantVersion][0] = EQUIPMENT.version
        columns[System.Period][0] = 60.0  # so that it counts as live without publishing on and on
        for pump in EQUIPMENT.pumps:
            columns[Pump.Station][pump.slot] = pump.slot // 2
        EQUIPMENT.save(places.equipment)
        self.utc = 1_780_000_000.0
        columns[System.MemoryAge][0] = System.MemoryAge.high
        self.scan()

    def scan(self, *, publish: bool = True) -> None:
        """A scan, which is seen unless it is not published."""
        self.plant.columns[System.TimeUtc][0] = self.utc
        self.plant.scan(self.utc, publish=publish)

    def set(self, tag: Tag, slot: int, value: float) -> None:
        self.plant.columns[tag][slot] = value

    def raise_alarm(self, tag: Tag, slot: int = 0, publish: bool = True) -> str:
        """Raise an alarm, as the block of alarms would; since when."""
        self.utc += 0.1
        table = TABLES[tag.table]
        self.set(tag, slot, True)
        self.set(table.tag(tag.since), slot, self.utc)
        self.set(table.tag(tag.state), slot, AlarmState.UNACKNOWLEDGED)
        if publish:
            self.scan()
        return f"{self.utc:.3f}"

    def acknowledge(self, tag: Tag, slot: int = 0) -> None:
        self._state(tag, slot, AlarmState.ACKNOWLEDGED)

    def shelve(self, tag: Tag, slot: int = 0) -> None:
        self._state(tag, slot, AlarmState.SHELVED)

    def unshelve(self, tag: Tag, slot: int = 0) -> None:
        self._state(tag, slot, AlarmState.UNACKNOWLEDGED)

    def clear(self, tag: Tag, slot: int = 0) -> None:
        self.set(tag, slot, False)
        self.set(TABLES[tag.table].tag(tag.since), slot, 0.0)
        self._state(tag, slot, AlarmState.CLEARED)

    def _state(self, tag: Tag, slot: int, state: AlarmState) -> None:
        self.set(TABLES[tag.table].tag(tag.state), slot, state)
        self.scan()


def configured(folder: Path, alerts: Mapping[str, Any]) -> Config:
    """The configuration with these alerts."""
    path = folder / "scan.yaml"
    delivered = yaml.load((ROOT / "scan.yaml").read_text(), yaml.BaseLoader)
    written = {
        "program": delivered["program"],
        "capacity": {"stations": SIZE.stations, "pumps": SIZE.pumps},
        "alerts": alerts,
    }
    path.write_text(yaml.safe_dump(written))
    return config.load(path, {})


@contextmanager
def serving(
    folder: Path, places: Places, alerts: Mapping[str, Any], **urls: str
) -> Iterator[Service]:
    """Alerts at work in this process; stepped by whoever waits."""
    configuration = configured(folder, alerts)
    environ = {config.channels.variable(name): url for name, url in urls.items()}
    service = Service(configuration, places, config.urls(configuration.alerts, environ))
    service.start()
    try:
        yield service
    finally:
        service.stop()


def rows(places: Places, statement: str) -> list[dict[str, Any]]:
    """What the outbox holds."""
    with closing(sqlite3.connect(f"file:{places.outbox}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement)]


def stepped(service: Service, goal: Any, what: str = "") -> Any:
    """Step until a goal is reached."""

    def step() -> Any:
        service.step()
        return goal()

    return until(step, what=what)


@contextmanager
def alerts_process(folder: Path, places: Places, **urls: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process itself; its configuration lies in `folder`."""
    environ = {name: value for name, value in os.environ.items() if "CALEJO" not in name}
    environ |= {config.channels.variable(name): url for name, url in urls.items()}
    environ |= {"CALEJO_CONFIG": str(folder / "scan.yaml"), "CALEJO_STATE": str(places.root)}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "runtime", "process", "alerts"], env=environ
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def attempts(places: Places) -> list[tuple[str, str | None]]:
    found = rows(places, "select * from attempt order by at")
    return [(row["outcome"], row["error"]) for row in found]
