"""The tag list: what SCADA engineers import must say where each value really is."""

from __future__ import annotations

import csv
import io
import json

import pytest

from runtime import taglist
from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.tags import Pump, Station, System, shown

PLANT = Equipment(
    version=3,
    stations=(StationEntry(0, "North", "North well", "UTC", 1, 0, True, {}),),
    pumps=(
        PumpEntry(0, 11, "North", "First", 1, 100, True, {}),
        PumpEntry(1, 12, "North", "Retired", 1, 200, False, {}),
    ),
)


def listed(form: str = "csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(taglist.render(PLANT, form))))


def of(node: str) -> list[dict[str, str]]:
    return [row for row in listed() if row["node"] == node]


def test_a_setpoint_stands_there_as_a_float_and_as_counts() -> None:
    wide, scaled = of("North/11/Setpoint")
    assert {name: wide[name] for name in ("unit_id", "space", "address", "registers")} == {
        "unit_id": "1",
        "space": "holding register",
        "address": "100",
        "registers": "2",
    }
    assert (wide["reference"], wide["type"], wide["unit"]) == ("400101", "float32", "Hz")
    assert (wide["low"], wide["high"], wide["access"]) == ("0.0", "100.0", "r")
    assert (scaled["address"], scaled["type"], scaled["scale"]) == ("160", "int16", "0.01")


def test_a_coil_stands_there_once_and_says_that_it_can_be_written() -> None:
    (coil,) = of("System/EmergencyStop")
    assert (coil["unit_id"], coil["space"], coil["address"]) == ("255", "coil", "0")
    assert (coil["reference"], coil["access"]) == ("000001", "rw")


def test_an_enumeration_and_a_bit_mask_say_what_their_values_mean() -> None:
    assert of("North/11/Mode")[0]["values"] == "0 = Auto; 1 = Manual"
    assert of("North/11/Limited")[0]["values"].startswith("0 = speed; 1 = rate")


def test_a_value_that_modbus_does_not_show_has_its_node_alone() -> None:
    (row,) = of("North/11/HardMaxSpeed")
    assert (row["unit_id"], row["address"], row["type"]) == ("", "", "")


def test_every_tag_that_may_be_seen_is_listed_and_what_is_retired_or_internal_is_not() -> None:
    tags = {("", "", tag.name) for tag in shown(System)} | {("", "", "Token")}
    tags |= {("North", "", tag.name) for tag in shown(Station)}
    tags |= {("North", "11", tag.name) for tag in shown(Pump)}
    assert {(row["station"], row["pump"], row["tag"]) for row in listed()} == tags


def test_no_address_is_listed_twice() -> None:
    places = [
        (row["unit_id"], row["space"], int(row["address"]) + word)
        for row in listed()
        if row["address"]
        for word in range(int(row["registers"]))
    ]
    assert len(places) == len(set(places))


def test_json_says_the_same_as_csv() -> None:
    def text(value: object) -> str:
        return "" if value is None else str(value)

    tags = json.loads(taglist.render(PLANT, "json"))["tags"]
    assert [{name: text(value) for name, value in tag.items()} for tag in tags] == listed()


def test_markdown_is_a_table_with_a_line_for_each_row() -> None:
    lines = taglist.render(PLANT, "markdown").splitlines()
    assert len(lines) == len(listed()) + 2
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


@pytest.mark.parametrize("form", taglist.FORMATS)
def test_a_system_without_equipment_lists_itself(form: str) -> None:
    assert "EmergencyStop" in taglist.render(Equipment(), form)
