"""Reads are slices of buffers: the right value at each address, renewed with each image."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from runtime.layout import Capacity, Columns, Layout
from runtime.registers import COUNTS, SYSTEM_UNITS, Point, View, blocks, counts, points
from runtime.servers.modbus.buffers import Buffers
from runtime.tag import Space
from runtime.tags import Pump, Station, System
from tests.servers.modbus.station import CAPACITY, PLANT


@pytest.fixture
def columns() -> Columns:
    """Values that fit every encoding, most cells differing from their neighbours."""
    columns = Columns(Layout(CAPACITY))
    generator = np.random.default_rng(1)
    for tag in columns.layout.offsets:
        column = columns[tag]
        column[:] = generator.integers(0, 2 if tag.is_bool else 30, len(column))
    for tag in columns.layout.offsets:
        if tag.within is not None:
            low, high = (Pump.tag(name) for name in tag.within)
            columns[low][:], columns[high][:] = 0, 30
    return columns


@pytest.mark.parametrize("space", Space)
def test_every_value_of_every_block_stands_at_its_address(space: Space, columns: Columns) -> None:
    buffers = Buffers(PLANT, columns)
    for block in blocks(PLANT):
        for point in points(block.table, space):
            address = block.base + point.offset
            expected = columns.value(point.tag, block.slot)
            if point.view is View.SCALED:
                expected = min(expected, COUNTS / counts(point.tag))
            if point.view is View.BIT:
                seen = float(buffers.bits(space, block.unit, address, 1, 1)[0])
            else:
                seen = point.value(buffers.words(space, block.unit, address, point.width, 1))
            assert seen == expected, (block, point)


def test_holes_and_the_rest_of_a_block_read_zero(columns: Columns) -> None:
    buffers = Buffers(PLANT, columns)
    assert buffers.words(Space.HOLDING, 1, 480, 20, 1) == bytes(40)
    assert buffers.words(Space.HOLDING, 255, 90, 8, 1) == bytes(16)


def test_bits_across_blocks_are_packed_with_the_first_lowest(columns: Columns) -> None:
    buffers = Buffers(PLANT, columns)
    columns[Pump.Configured][:] = [1, 0, 0, 0, 0, 0, 0, 0]
    columns[Pump.Running][:] = 1
    packed = buffers.bits(Space.DISCRETE, 1, 99, 4, 1)
    assert packed == bytes((0b0110 | int(columns[Pump.LocalControl][0]) << 3,))


def test_what_no_block_has_is_not_covered(columns: Columns) -> None:
    unit = Buffers(PLANT, columns).units[1]
    assert unit.covers(0, 300)
    assert unit.covers(400, 100)
    assert not unit.covers(299, 2)  # into the gap
    assert not unit.covers(300, 1)
    assert not unit.covers(499, 2)  # over the end
    assert not unit.covers(65_535, 1)


def test_a_row_that_the_image_does_not_have_is_not_shown() -> None:
    small = Columns(Layout(Capacity(stations=1, pumps=4)))
    buffers = Buffers(PLANT, small)
    assert 2 not in buffers.units
    assert buffers.words(Space.HOLDING, 1, 400, 2, 1) == bytes(4)


def test_a_buffer_is_encoded_again_only_for_a_newer_image(columns: Columns) -> None:
    buffers = Buffers(PLANT, columns)
    before = buffers.words(Space.INPUT, 1, 102, 2, 5)
    columns[Pump.Speed][0] += 1
    assert buffers.words(Space.INPUT, 1, 102, 2, 5) == before
    after = buffers.words(Space.INPUT, 1, 102, 2, 6)
    assert struct.unpack(">f", after)[0] == struct.unpack(">f", before)[0] + 1


@pytest.mark.parametrize("unit", SYSTEM_UNITS)
def test_the_age_of_the_image_moves_between_two_images(unit: int, columns: Columns) -> None:
    buffers = Buffers(PLANT, columns)
    age = Point(System.ImageAge, View.FLOAT, 32)
    for seconds, live in ((0.5, True), (7.25, False)):
        columns[System.ImageAge][0] = seconds
        columns[System.Live][0] = live
        assert age.value(buffers.words(Space.INPUT, unit, 32, 2, 5)) == seconds
        assert buffers.words(Space.INPUT, unit, 76, 1, 5) == struct.pack(">h", round(seconds * 100))
        assert buffers.bits(Space.DISCRETE, unit, 4, 1, 5) == bytes((live,))


def test_stations_and_pumps_of_one_unit_lie_beside_each_other(columns: Columns) -> None:
    data = Buffers(PLANT, columns).words(Space.INPUT, 1, 60, 120, 1)
    assert struct.unpack(">h", data[:2])[0] == columns.value(Station.FlowDirection, 0)
    assert struct.unpack(">f", data[84:88])[0] == columns.value(Pump.Speed, 0)
