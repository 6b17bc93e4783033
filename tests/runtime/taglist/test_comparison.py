"""A SCADA system's list against the map: each difference has its name, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.equipment import Equipment
from runtime.taglist.comparison import Comparison, Difference
from runtime.taglist.formats import render
from runtime.taglist.rows import Protocol, Row, Selection, rows
from runtime.taglist.scada import read
from tests.runtime.taglist.plant import PLANT

ROWS = list(rows(PLANT))
HEAD = "station,pump,tag,unit_id,space,address,type,scale\n"
SETPOINT = "North,11,Setpoint,1,holding register,{},{},{}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scada.csv"


def compared(
    file: Path, text: str, selection: Selection | None = None, equipment: Equipment = PLANT
) -> list[Difference]:
    """The differences of a file; without a selection, not what it lacks."""
    file.write_text(text)
    comparison = Comparison(equipment)
    if selection is None:
        return list(comparison.differences(read(file), partial=True))
    return list(comparison.differences(read(file), selection))


def one(file: Path, text: str) -> str:
    (found,) = compared(file, text)
    return str(found)


@pytest.mark.parametrize("protocol", [None, *Protocol])
def test_the_list_that_is_exported_does_not_differ(file: Path, protocol: Protocol | None) -> None:
    selection = Selection(protocol=protocol)
    assert compared(file, render(PLANT, "csv", selection), selection) == []


def test_a_value_at_another_address_has_moved(file: Path) -> None:
    assert one(file, HEAD + SETPOINT.format(102, "float32", "")) == (
        "moved: line 2: North/11/Setpoint: found holding register 102 of unit 1,"
        " allowed holding register 100 (float32) of unit 1"
    )


def test_a_value_in_another_space_or_unit_has_moved(file: Path) -> None:
    text = HEAD + "North,11,Setpoint,2,input register,100,,"
    assert one(file, text) == (
        "moved: line 2: North/11/Setpoint: found input register 100 of unit 2,"
        " allowed holding register 100 (float32) or holding register 160 (int16) of unit 1"
    )


def test_a_value_that_modbus_does_not_show_can_not_be_read_there(file: Path) -> None:
    text = HEAD + "North,11,HardMaxSpeed,1,input register,100,,"
    assert one(file, text).endswith("allowed none: Modbus does not show it")


def test_another_type_and_another_scale_are_named(file: Path) -> None:
    text = HEAD + SETPOINT.format(100, "int16", "0.01") + "\n" + SETPOINT.format(160, "INT", "0.1")
    assert [str(found) for found in compared(file, text)] == [
        "other type: line 2: North/11/Setpoint: found int16, allowed float32",
        "other scale: line 3: North/11/Setpoint: found 0.1, allowed 0.01",
    ]


@pytest.mark.parametrize("unit", [0, 255])
def test_the_system_is_the_same_at_both_of_its_units(file: Path, unit: int) -> None:
    assert compared(file, f"{HEAD},,EmergencyStop,{unit},coil,0,BOOL,\n") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("North,11,Spead,1,holding register,100,,", "North/11/Spead is not in the map"),
        ("North,12,Setpoint,1,holding register,200,,", "North/12/Setpoint: North/12 is retired"),
        ("West,1,Setpoint,1,holding register,100,,", "West/1/Setpoint: there is no 'West/1'"),
        (",,,1,holding register,99,,", "holding register 99 of unit 1: nothing lies there"),
        (
            ",,,1,holding register,101,,",
            "holding register 101 of unit 1: this is the second half of North/11/Setpoint",
        ),
        (",,,1,holding register,200,,", "holding register 200 of unit 1: nothing lies there"),
        (",,,9,holding register,0,,", "holding register 0 of unit 9: nothing lies there"),
    ],
)
def test_what_is_not_in_the_map_is_unknown(file: Path, line: str, words: str) -> None:
    head = HEAD if line[0] not in ",9" else HEAD.replace("tag", "comment")
    assert one(file, head + line) == f"unknown: line 2: {words}"


@pytest.mark.parametrize("node", ["ns=2;s={}", "s={}", "NS2|String|{}"])
def test_a_node_is_found_as_clients_write_it(file: Path, node: str) -> None:
    text = "node\n" + node.format("North/11/Setpoint") + "\n" + node.format("North/11/Sp")
    assert one(file, text).endswith(f"the node {node.format('North/11/Sp')} is not in the map")


def test_what_the_file_lacks_is_told_by_station_and_pump(file: Path) -> None:
    kept = [row for row in render(PLANT, "csv").splitlines() if not row.startswith("South,21,")]
    kept = [row for row in kept if not row.startswith(("North,11,Setpoint,", "North,11,Mode,"))]
    count = len({row.tag for row in ROWS if row.pump == "21"})
    assert [str(found) for found in compared(file, "\n".join(kept), Selection())] == [
        "missing: North/11: Mode, Setpoint",
        f"missing: South/21: all of its {count} values",
    ]


def test_one_view_is_enough_and_a_list_of_modbus_need_not_have_what_modbus_does_not_show(
    file: Path,
) -> None:
    lines = [cells(row) for row in ROWS if row.type != "float32"]
    assert compared(file, HEAD + "\n".join(lines), Selection()) == []


def test_a_chosen_pump_alone_is_missed(file: Path) -> None:
    text = HEAD + SETPOINT.format(100, "REAL", "")
    (found,) = compared(file, text, Selection(pumps=(11,)))
    assert found.words.startswith("North/11: ")


def cells(row: Row, **change: object) -> str:
    values = {**vars(row), **change}
    names = ("station", "pump", "tag", "unit_id", "space", "address", "type", "scale")
    return ",".join("" if values[name] is None else str(values[name]) for name in names)


MODBUS = [row for row in ROWS if row.space]
NUMBERED = [row for row in MODBUS if row.type in ("float32", "uint32", "int16")]


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    changes=st.dictionaries(
        st.integers(0, len(NUMBERED) - 1), st.sampled_from(["address", "type", "scale"]), max_size=9
    )
)
def test_exactly_the_lines_that_were_changed_differ(file: Path, changes: dict[int, str]) -> None:
    lines = []
    for number, row in enumerate(NUMBERED):
        assert row.address is not None
        wrong = {"address": row.address + 1, "type": "bool", "scale": 7.5}
        what = changes.get(number)
        lines.append(cells(row, **({what: wrong[what]} if what else {})))
    found = compared(file, HEAD + "\n".join(lines))
    kinds = {"address": "moved", "type": "other type", "scale": "other scale"}
    assert {(one.line - 2, one.kind) for one in found} == {
        (number, kinds[what]) for number, what in changes.items()
    }
