"""Edges of recorded tags: each exactly once, whoever dies."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.comparison import RECORDED, Comparison, Edges
from runtime.events import CAPACITY, EventReader, EventWriter
from runtime.layout import Capacity, Columns, Layout
from runtime.region import RegionError
from runtime.tag import Tag
from runtime.tags import TAGS, Pump, Station, System
from tests.conftest import fast_directory

Told = list[tuple[int, Tag, int, float, float]]


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="calejo-", dir=fast_directory()) as name:
        yield Path(name) / "events"


@pytest.fixture
def columns() -> Columns:
    return configured(Capacity(stations=3, pumps=6))


def configured(capacity: Capacity) -> Columns:
    """Columns with all stations and pumps in use."""
    columns = Columns(Layout(capacity))
    columns[Station.Configured].fill(True)
    columns[Pump.Configured].fill(True)
    return columns


def told(edges: Edges) -> Told:
    """Scan, tag, slot, old and new value of edges, those of a cold start left out."""
    mine = edges[edges["tag"] != START]
    names = ("scan", "tag", "slot", "old", "new")
    rows = zip(*(mine[name].tolist() for name in names), strict=True)
    return [(scan, TAGS[tag], slot, old, new) for scan, tag, slot, old, new in rows]


START = TAGS.index(System.FirstScan)


def test_a_change_of_a_recorded_tag_is_an_edge_of_the_scan_that_made_it(
    path: Path, columns: Columns
) -> None:
    writer = EventWriter(path, columns)
    reader = EventReader(path, columns.layout)
    columns[Pump.Mode][4] = 1
    columns[Station.Failsafe][2] = True
    columns[Pump.Setpoint][4] = 40.0  # not recorded
    writer.emit(17, 1e9)
    columns[Pump.Mode][4] = 0
    writer.emit(18, 1e9 + 0.1)
    edges = reader.take(100)
    assert told(edges) == [
        (17, Station.Failsafe, 2, 0.0, 1.0),
        (17, Pump.Mode, 4, 0.0, 1.0),
        (18, Pump.Mode, 4, 1.0, 0.0),
    ]
    assert edges["utc"].tolist() == [1e9, 1e9, 1e9, 1e9 + 0.1]
    assert edges["seq"].tolist() == [0, 1, 2, 3]
    assert writer.produced == 4


def test_nothing_changed_is_nothing_told(path: Path, columns: Columns) -> None:
    writer = EventWriter(path, columns)
    writer.emit(1, 0.0)
    for scan in range(2, 10):
        writer.emit(scan, 0.0)
    assert writer.produced == 1  # the cold start itself


def test_a_row_that_is_not_in_use_tells_nothing_but_the_end_of_what_it_told(
    path: Path, columns: Columns
) -> None:
    columns[Pump.Configured][3] = False
    writer = EventWriter(path, columns)
    reader = EventReader(path, columns.layout)
    columns[Pump.Authority].fill(4)
    columns[Pump.NotFollowing][2] = True
    writer.emit(1, 0.0)
    assert [edge[2] for edge in told(reader.take(100))] == [0, 1, 2, 4, 5, 2]
    columns[Pump.Configured][2] = False
    columns[Pump.Configured][3] = True
    columns[Pump.NotFollowing][2] = False
    writer.emit(2, 0.0)
    assert told(reader.take(100)) == [
        (2, Pump.Authority, 3, 0.0, 4.0),
        (2, Pump.NotFollowing, 2, 1.0, 0.0),
    ]


def test_a_new_ring_begins_with_a_cold_start_and_without_the_latches_from_before(
    path: Path, columns: Columns
) -> None:
    columns[Pump.EmergencyStop][1] = True
    writer = EventWriter(path, columns)
    writer.emit(10_001, 0.0)
    edges = EventReader(path, columns.layout).take(100)
    assert [TAGS[tag] for tag in edges["tag"]] == [System.FirstScan]
    assert edges["scan"].tolist() == [10_001]


def test_edges_that_the_predecessor_published_but_did_not_emit_are_found(
    path: Path, columns: Columns
) -> None:
    EventWriter(path, columns).emit(1, 0.0)
    columns[Pump.EmergencyStop][1] = True  # published; then the scan was killed
    successor = EventWriter(path, columns)
    successor.emit(3, 0.0)
    edges = EventReader(path, columns.layout).take(100)
    assert told(edges) == [(3, Pump.EmergencyStop, 1, 0.0, 1.0)]
    assert edges["seq"].tolist() == [0, 1]


def test_edges_of_a_first_scan_that_was_not_emitted_any_more_are_found(
    path: Path, columns: Columns
) -> None:
    EventWriter(path, columns)
    columns[Pump.EmergencyStop][1] = True  # published by the very first scan, which was killed
    EventWriter(path, columns).emit(2, 0.0)
    reader = EventReader(path, columns.layout)
    assert told(reader.take(100)) == [(2, Pump.EmergencyStop, 1, 0.0, 1.0)]


def test_edges_emitted_just_before_a_kill_are_not_told_twice(
    path: Path, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = EventWriter(path, columns)
    writer.emit(1, 0.0)
    columns[Pump.EmergencyStop][1] = True
    columns[Station.Failsafe][0] = True

    def killed_before_it(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Comparison, "settle", killed_before_it)
        with pytest.raises(KeyboardInterrupt):
            writer.emit(2, 0.0)
    successor = EventWriter(path, columns)
    successor.emit(3, 0.0)
    assert told(EventReader(path, columns.layout).take(100)) == [
        (2, Station.Failsafe, 0, 0.0, 1.0),
        (2, Pump.EmergencyStop, 1, 0.0, 1.0),
    ]


def test_the_reader_moves_on_only_when_it_acknowledges(path: Path, columns: Columns) -> None:
    writer = EventWriter(path, columns)
    for scan in range(1, 6):
        columns[Pump.Mode][0] = scan % 2
        writer.emit(scan, 0.0)
    reader = EventReader(path, columns.layout)
    assert reader.take(3)["seq"].tolist() == [0, 1, 2]
    assert reader.take(3)["seq"].tolist() == [3, 4, 5]
    assert reader.backlog == 6

    again = EventReader(path, columns.layout)
    assert again.take(2)["seq"].tolist() == [0, 1]
    again.acknowledge(again.position)
    assert again.backlog == 4
    assert EventReader(path, columns.layout).take(9)["seq"].tolist() == [2, 3, 4, 5]


def test_what_finds_no_room_is_dropped_counted_and_leaves_a_gap(path: Path) -> None:
    columns = configured(Capacity(stations=1, pumps=10_000))
    writer = EventWriter(path, columns)
    reader = EventReader(path, columns.layout)
    for scan in range(1, 8):
        columns[Pump.Mode][:] = scan % 2
        writer.emit(scan, 0.0)
    produced = 7 * 10_000 + 1
    assert writer.produced == produced
    assert writer.dropped == reader.dropped == produced - CAPACITY
    assert len(reader.take(100_000)) == CAPACITY
    reader.acknowledge(reader.position)
    columns[Pump.Mode][3] = 0
    writer.emit(8, 0.0)
    (edge,) = reader.take(100)
    assert (edge["seq"], edge["slot"], edge["new"]) == (produced, 3, 0.0)
    assert writer.dropped == produced - CAPACITY


def test_a_ring_of_another_layout_is_refused_and_a_new_one_noticed(
    path: Path, columns: Columns
) -> None:
    other = Columns(Layout(Capacity(stations=3, pumps=7)))
    with pytest.raises(RegionError, match="does not exist"):
        EventReader(path, columns.layout)
    EventWriter(path, columns)
    reader = EventReader(path, columns.layout)
    with pytest.raises(RegionError):
        EventReader(path, other.layout)
    EventWriter(path, other)
    assert reader.replaced
    assert EventReader(path, other.layout).identity != reader.identity


def test_random_changes_are_told_exactly(path: Path, columns: Columns) -> None:
    chance = random.Random(1)
    writer = EventWriter(path, columns)
    reader = EventReader(path, columns.layout)
    expected: Told = []
    found: Told = []
    for scan in range(1, 3_000):
        for tag in RECORDED:  # in the order in which a scan tells them
            column: Any = columns[tag]
            for slot in sorted(chance.sample(range(len(column)), chance.randrange(2))):
                old, new = column[slot], chance.choice((0, 1))
                column[slot] = new
                if old != new:
                    expected.append((scan, tag, slot, float(old), float(new)))
        writer.emit(scan, 0.0)
        found += told(reader.take(chance.randrange(20)))
        reader.acknowledge(reader.position)
    found += told(reader.take(100_000))
    assert found == expected
