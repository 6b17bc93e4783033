"""The equipment list: kept on disk whole, written into columns by slot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime import equipment
from runtime.equipment import Equipment, EquipmentError, PumpEntry, StationEntry
from runtime.layout import Capacity, Columns, Layout
from runtime.tag import Area, Table, Tag
from runtime.tags import Pump, Station, System

NORTH = StationEntry(1, "North", "North station", "UTC", 2, 0, True, {"WatchdogTimeout": 600.0})
FIRST = PumpEntry(4, 11, "North", "Pump 1", 2, 100, True, {"MaxSpeed": 50.0, "ControlType": 1})
SECOND = PumpEntry(2, 12, "North", "Pump 2", 2, 200, True, {"MaxSpeed": 45.0})
PLANT = Equipment(7, (NORTH,), (FIRST, SECOND), ("pump 13: max_speed_hz is missing",))


@pytest.fixture
def columns() -> Columns:
    return Columns(Layout(Capacity(stations=3, pumps=6)))


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "equipment.json"
    PLANT.save(path)
    assert equipment.load(path) == PLANT
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_file_there_is_no_equipment(tmp_path: Path) -> None:
    assert equipment.load(tmp_path / "equipment.json") == Equipment()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 1, "stations": [{}]}'])
def test_a_file_that_is_no_list_is_told_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "equipment.json"
    path.write_text(content)
    with pytest.raises(EquipmentError, match=r"equipment\.json: not readable"):
        equipment.load(path)


def test_a_save_replaces_the_file_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "equipment.json"
    PLANT.save(path)
    with path.open() as reader:
        replace(PLANT, version=8).save(path)
        assert '"version": 7' in reader.read()
    assert equipment.load(path).version == 8


def test_stations_and_pumps_are_found_by_their_names() -> None:
    assert PLANT.station("North") == NORTH
    assert PLANT.station("South") is None
    assert PLANT.pump("North", 12) == SECOND
    assert PLANT.pump("South", 12) is None
    assert PLANT.pumps_of("North") == [FIRST, SECOND]


def test_parameters_go_into_the_rows_of_their_slots(columns: Columns) -> None:
    equipment.fill(PLANT, columns)
    assert columns.value(System.PlantVersion) == 7
    assert columns[Station.Configured].tolist() == [False, True, False]
    assert columns[Station.WatchdogTimeout].tolist() == [0.0, 600.0, 0.0]
    assert columns[Pump.Configured].tolist() == [False, False, True, False, True, False]
    assert columns[Pump.MaxSpeed].tolist() == [0.0, 0.0, 45.0, 0.0, 50.0, 0.0]
    assert columns[Pump.Station].tolist()[2::2] == [1, 1]
    assert columns.value(Pump.ControlType, 4) == 1


def test_a_retired_pump_keeps_its_slot_and_moves_no_other(columns: Columns) -> None:
    equipment.fill(PLANT, columns)
    retired = replace(SECOND, active=False)
    equipment.fill(replace(PLANT, pumps=(FIRST, retired)), columns)
    assert columns[Pump.Configured].tolist() == [False, False, False, False, True, False]
    assert columns.value(Pump.MaxSpeed, 4) == 50.0


def test_rows_that_are_no_longer_listed_become_unused(columns: Columns) -> None:
    equipment.fill(PLANT, columns)
    equipment.fill(Equipment(8), columns)
    assert not columns[Pump.Configured].any()
    assert not columns[Pump.MaxSpeed].any()


def test_inputs_and_memory_are_left_as_they_are(columns: Columns) -> None:
    columns[Pump.MeasuredSpeed][2] = 33.0
    columns[Pump.Setpoint][2] = 34.0
    equipment.fill(PLANT, columns)
    assert columns.value(Pump.MeasuredSpeed, 2) == 33.0
    assert columns.value(Pump.Setpoint, 2) == 34.0


def test_all_parameters_come_with_the_equipment_so_that_its_seal_is_theirs(
    columns: Columns,
) -> None:
    whole = Equipment(
        9,
        (replace(NORTH, parameters={tag.name: 1.0 for tag in parameters(Station)}),),
        (replace(FIRST, parameters={tag.name: 1.0 for tag in parameters(Pump)}),),
    )
    equipment.fill(whole, columns)
    slots = {System: 0, Station: NORTH.slot, Pump: FIRST.slot}
    for table, slot in slots.items():
        for tag in parameters(table):
            assert columns.value(tag, slot) != 0.0, tag


def parameters(table: type[Table]) -> list[Tag]:
    return [tag for tag in table.tags() if tag.area is Area.PARAMETER]
