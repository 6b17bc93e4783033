"""Tags laid out in memory: columns that don't touch, inputs first, a hash of what is where."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.layout import ALIGNMENT, SEAL, Capacity, Columns, Layout, is_input
from runtime.tag import Area
from runtime.tags import TAGS, Pump, Station, System

CAPACITY = Capacity(stations=3, pumps=7)


def test_every_tag_has_a_column_with_a_row_for_each_thing() -> None:
    columns = Columns(Layout(CAPACITY))
    assert len(columns[System.Scan]) == 1
    assert len(columns[Station.Level]) == columns.rows(Station) == 3
    assert len(columns[Pump.Setpoint]) == columns.rows(Pump) == 7
    for tag in TAGS:
        assert columns[tag].dtype == np.dtype(tag.dtype)
        assert not columns[tag].any()


def test_columns_neither_overlap_nor_share_a_cache_line() -> None:
    layout = Layout(CAPACITY)
    columns = Columns(layout)
    for tag in TAGS:
        assert layout.offsets[tag] % ALIGNMENT == 0
    for number, tag in enumerate(TAGS):
        columns[tag].fill(number % 2)
    for number, tag in enumerate(TAGS):
        assert (columns[tag] == number % 2).all()


def test_the_inputs_are_the_first_part_and_can_be_used_alone() -> None:
    layout = Layout(CAPACITY)
    for tag in TAGS:
        assert (layout.offsets[tag] < layout.inputs) == is_input(tag)
    inputs = Columns(layout, np.zeros(layout.inputs, np.uint8))
    inputs[Pump.MaxSpeed][2] = 50.0
    whole = Columns(layout)
    whole.arena[: layout.inputs] = inputs.arena
    assert whole.value(Pump.MaxSpeed, 2) == 50.0
    with pytest.raises(KeyError):
        inputs[Pump.Setpoint]


def test_the_hash_tells_layouts_apart() -> None:
    assert Layout(CAPACITY).hash == Layout(CAPACITY).hash
    others = [Capacity(3, 8), Capacity(4, 7)]
    assert len({Layout(capacity).hash for capacity in [CAPACITY, *others]}) == 3


def test_columns_over_an_arena_see_what_is_written_to_it() -> None:
    layout = Layout(CAPACITY)
    columns = Columns(layout)
    same = Columns(layout, columns.arena)
    columns[Pump.Setpoint][:] = range(7)
    assert same.value(Pump.Setpoint, 6) == 6.0


def test_the_seal_is_another_after_any_change_of_a_parameter_and_of_nothing_else() -> None:
    columns = Columns(Layout(CAPACITY))
    seals = []
    for tag in TAGS:
        columns[tag][-1] = 1
        columns.seal()
        seals.append(columns.arena[:SEAL].tobytes())
    parameters = [tag for tag in TAGS if tag.area is Area.PARAMETER]
    assert len(set(seals)) == len(parameters) + (TAGS[0] not in parameters)
