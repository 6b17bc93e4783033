"""The tag list: what SCADA engineers import must say where each value really is."""

from __future__ import annotations

import csv
import io
import json

import pytest

from runtime.equipment import Equipment
from runtime.servers.opcua.members import INDEX
from runtime.servers.opcua.values import VARIANTS
from runtime.taglist.formats import FORMATS, render
from runtime.taglist.rows import (
    DATA_TYPES,
    NAMESPACE,
    Protocol,
    Selection,
    UnknownEquipmentError,
    rows,
)
from runtime.tags import Pump, Station, System, shown
from tests.runtime.taglist.plant import PLANT


def listed(*selection: Selection) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(PLANT, "csv", *selection))))


def of(node: str) -> list[dict[str, str]]:
    return [row for row in listed() if row["node"] == f"ns=2;s={node}"]


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


def test_a_value_of_two_registers_says_which_comes_first() -> None:
    turned = {row.type: row.word_order for row in rows(PLANT, word_order="low_first") if row.type}
    assert {kind for kind, order in turned.items() if order == "low_first"} == {"float32", "uint32"}
    assert {row["word_order"] for row in of("North/11/Setpoint")} == {"high_first", ""}


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
    for station, pump in (("North", "11"), ("South", "21")):
        tags |= {(station, "", tag.name) for tag in shown(Station)}
        tags |= {(station, pump, tag.name) for tag in shown(Pump)}
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

    tags = json.loads(render(PLANT, "json"))["tags"]
    assert [{name: text(value) for name, value in tag.items()} for tag in tags] == listed()


def test_markdown_is_a_table_with_a_line_for_each_row() -> None:
    lines = render(PLANT, "markdown").splitlines()
    assert len(lines) == len(listed()) + 2
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_a_system_without_equipment_lists_itself(form: str) -> None:
    assert "EmergencyStop" in render(Equipment(), form)


def test_types_and_namespace_are_those_of_the_opc_ua_server() -> None:
    assert INDEX == NAMESPACE
    assert {code: variant.name for code, variant in VARIANTS.items()} == DATA_TYPES


def owners(*selection: Selection) -> set[tuple[str, str]]:
    return {(row["station"], row["pump"]) for row in listed(*selection)}


def test_a_station_is_chosen_with_its_pumps_and_a_pump_alone() -> None:
    assert owners(Selection(stations=("North",))) == {("North", ""), ("North", "11")}
    assert owners(Selection(pumps=(11,))) == {("North", "11")}
    assert owners(Selection(stations=("System",))) == {("", "")}
    assert owners(Selection(stations=("South",), pumps=(11,))) == set()


def test_modbus_alone_leaves_out_what_has_no_register() -> None:
    found = listed(Selection(protocol=Protocol.MODBUS))
    assert found == [row for row in listed() if row["space"]]


def test_opc_ua_alone_lists_each_node_once_and_no_register() -> None:
    found = listed(Selection(protocol=Protocol.OPCUA))
    nodes = [row["node"] for row in listed() if row["node"]]
    assert [row["node"] for row in found] == list(dict.fromkeys(nodes))
    assert {row["address"] + row["type"] + row["scale"] for row in found} == {""}
    assert {row["data_type"] for row in found} <= set(DATA_TYPES.values())


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(stations=("Nord",)), "--station: found 'Nord', allowed System, North, South"),
        (Selection(pumps=(12,)), "--pump: found 12, allowed 11, 21"),
    ],
)
def test_what_there_is_not_can_not_be_chosen(selection: Selection, words: str) -> None:
    with pytest.raises(UnknownEquipmentError, match=words):
        listed(selection)
