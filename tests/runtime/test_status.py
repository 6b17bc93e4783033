"""What `calejo status` says of the equipment, beside what it says of processes and scan."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

import config
from runtime import instance, status
from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.region import Writer
from runtime.tags import System
from tests.calejo import ROOT
from tests.runtime.by_hand import a_place

LEVELS = {"RestartLevel": 1.0, "StartLevel": 2.5, "DryRunLevel": 0.5, "HardMaxLevel": 4.0}
LEVELS |= {"HardMinLevel": 0.4, "StopLevel": 0.5, "AllRunLevel": 3.5, "MaxStartsPerHour": 20.0}
STATION = {"FlowDirection": 0.0, "WatchdogTimeout": 1200.0, "WellArea": 12.0}


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """Places of a runtime that has published an image."""
    with a_place() as places:
        shutil.copyfile(ROOT / "scan.yaml", places.shared / "scan.yaml")
        capacity = Capacity.of(config.load(ROOT / "scan.yaml", {}).capacity)
        columns = Columns(Layout(capacity))
        columns[System.Period][0] = 1.0
        Writer(places.image, columns.layout.size, columns.layout.hash).publish(columns.arena)
        monkeypatch.setattr(instance, "holder", lambda places: 4242)
        yield places


def plant(stations: int, *problems: str) -> Equipment:
    """Stations of a pump each, with watchdogs that outlast their wells."""
    return Equipment(
        1,
        tuple(
            StationEntry(n, f"S{n}", "", "UTC", 1, 200 * n, True, STATION) for n in range(stations)
        ),
        tuple(
            PumpEntry(n, n, f"S{n}", "", 1, 200 * n, True, LEVELS | {"HardMaxFlow": 300.0})
            for n in range(stations)
        ),
        problems,
    )


def test_problems_and_warnings_of_the_equipment_are_listed(places: Places) -> None:
    plant(1, "station North, pump 1: max_run_s: found nothing").save(places.equipment)
    lines, live = status.report(places)
    assert live
    at = lines.index("problems     1")
    assert lines[at + 1] == "  station North, pump 1: max_run_s: found nothing"
    assert lines[at + 2] == "warnings     1"
    assert lines[at + 3].startswith("  station S0: watchdog_timeout_s 1200 outlasts the well")


def test_where_nothing_is_wrong_that_is_said(places: Places) -> None:
    lines, _ = status.report(places)
    assert lines[-2:] == ["problems     none", "warnings     none"]


def test_of_many_warnings_the_first_are_shown_and_the_others_counted(places: Places) -> None:
    plant(13).save(places.equipment)
    lines, _ = status.report(places)
    assert lines[lines.index("warnings     13") + 1 :][-1] == "  and 3 more"
    assert len(lines[lines.index("warnings     13") :]) == 1 + 10 + 1
