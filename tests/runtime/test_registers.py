"""The Modbus map: nothing collides, and nothing ever moves."""

from __future__ import annotations

import csv
import math
import struct
from collections import Counter
from pathlib import Path

import pytest

from runtime.equipment import BLOCK, Equipment, PumpEntry, StationEntry
from runtime.registers import (
    SCALED,
    TOKEN,
    TOKEN_WORDS,
    Block,
    Point,
    View,
    blocks,
    counts,
    point_at,
    points,
)
from runtime.tag import Space, Table
from runtime.tags import SHOWN, Pump, Station, System

PINNED = Path(__file__).with_name("registers.csv")


def offsets() -> set[tuple[str, str, str, int]]:
    """Tag, type, space and offset of everything on Modbus."""
    return {
        (repr(point.tag), point.view.value, space.value, point.offset)
        for table in SHOWN
        for space in Space
        for point in points(table, space)
    }


def pinned() -> set[tuple[str, str, str, int]]:
    with PINNED.open(newline="") as file:
        return {(tag, kind, space, int(offset)) for tag, kind, space, offset in csv.reader(file)}


@pytest.mark.parametrize("table", SHOWN)
@pytest.mark.parametrize("space", Space)
def test_no_two_values_of_a_block_share_an_address_and_all_fit_into_it(
    table: type[Table], space: Space
) -> None:
    taken = Counter(
        point.offset + word for point in points(table, space) for word in range(point.width)
    )
    if table is System and space is Space.HOLDING:
        taken.update(range(TOKEN, TOKEN + TOKEN_WORDS))
    assert [address for address, count in taken.items() if count > 1] == []
    assert all(0 <= address < BLOCK for address in taken)


@pytest.mark.parametrize("table", SHOWN)
@pytest.mark.parametrize("space", [Space.INPUT, Space.HOLDING])
def test_the_32_bit_view_ends_before_the_16_bit_view_begins(
    table: type[Table], space: Space
) -> None:
    for point in points(table, space):
        if point.view is View.SCALED:
            assert point.offset >= SCALED
        else:
            assert point.offset % 2 == 0
            assert point.offset + point.width <= SCALED


def test_no_register_that_a_scada_system_may_know_has_moved() -> None:
    assert pinned() - offsets() == set(), "addresses in use were moved, taken or given up"


def test_every_register_is_pinned() -> None:
    assert offsets() - pinned() == set(), f"add these lines to {PINNED.name}"


def test_steps_are_powers_of_ten_so_that_counts_are_decimal_fractions() -> None:
    for table in SHOWN:
        for space in Space:
            for point in points(table, space):
                assert math.log10(counts(point.tag)).is_integer()
                assert counts(point.tag) * point.tag.step == pytest.approx(1)


def test_both_addresses_of_a_32_bit_value_lead_to_it_and_none_beside_it() -> None:
    setpoint = Point(Pump.Setpoint, View.FLOAT, 0)
    assert point_at(Pump, Space.HOLDING, 0) == setpoint
    assert point_at(Pump, Space.HOLDING, 1) == setpoint
    assert point_at(Pump, Space.HOLDING, SCALED) == Point(Pump.Setpoint, View.SCALED, SCALED)
    assert point_at(Pump, Space.HOLDING, 59) is None


@pytest.mark.parametrize(
    ("point", "data", "value"),
    [
        (Point(Pump.ManualSetpoint, View.FLOAT, 4), struct.pack(">f", 42.5), 42.5),
        (Point(Pump.ManualSetpoint, View.FLOAT, 4), struct.pack(">f", 49.9), 49.9),
        (Point(Pump.ManualSetpoint, View.SCALED, 62), struct.pack(">h", 4250), 42.5),
        (Point(Pump.ManualSetpoint, View.SCALED, 62), struct.pack(">h", 29), 0.29),
        (Point(Pump.Mode, View.WHOLE, 2), struct.pack(">I", 1), 1.0),
        (Point(Pump.Mode, View.SCALED, 61), struct.pack(">h", -1), -1.0),
    ],
)
def test_registers_say_a_value(point: Point, data: bytes, value: float) -> None:
    assert point.value(data) == value


def test_8000_hex_says_that_there_is_no_value() -> None:
    assert math.isnan(Point(Pump.ManualSetpoint, View.SCALED, 62).value(b"\x80\x00"))


def test_blocks_come_in_the_order_of_unit_and_base_with_the_system_at_both_its_units() -> None:
    equipment = Equipment(
        stations=(StationEntry(4, "North", "", "UTC", 5, 0, True, {}),),
        pumps=(
            PumpEntry(9, 2, "North", "", 5, 200, True, {}),
            PumpEntry(8, 1, "North", "", 5, 100, False, {}),
        ),
    )
    assert list(blocks(equipment)) == [
        Block(0, 0, System, 0),
        Block(5, 0, Station, 4),
        Block(5, 100, Pump, 8),
        Block(5, 200, Pump, 9),
        Block(255, 0, System, 0),
    ]
