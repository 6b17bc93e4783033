"""Snapshots in shared memory: whole, of the right layout, of known age."""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from runtime.region import SLOTS, Reader, RegionError, Writer
from tests.conftest import fast_directory
from tests.runtime import stress

SIZE, LAYOUT = 4096, 17
HEAD = 1024


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="calejo-", dir=fast_directory()) as name:
        yield Path(name) / "region"


def snapshot(value: int) -> NDArray[np.uint8]:
    return np.full(SIZE, value, np.uint8)


def read(reader: Reader) -> tuple[int, int]:
    """The number of the newest snapshot and the value that all of it has."""
    into = snapshot(0)
    sequence = reader.read(into)
    assert (into == into[0]).all()
    return sequence, int(into[0])


def test_a_reader_gets_the_newest_snapshot_and_its_number(path: Path) -> None:
    writer = Writer(path, SIZE, LAYOUT)
    reader = Reader(path, SIZE, LAYOUT)
    for value in range(1, 8):
        writer.publish(snapshot(value))
        assert read(reader) == (value, value)


def test_before_the_first_snapshot_there_is_none_and_its_age_is_infinite(path: Path) -> None:
    Writer(path, SIZE, LAYOUT)
    reader = Reader(path, SIZE, LAYOUT)
    assert reader.read(snapshot(0)) == 0
    assert reader.age == math.inf


def test_a_reader_knows_age_epoch_and_process_of_the_writer(path: Path) -> None:
    writer = Writer(path, SIZE, LAYOUT)
    reader = Reader(path, SIZE, LAYOUT)
    writer.publish(snapshot(1))
    stamp = reader.stamp
    assert 0.0 <= reader.age < math.inf
    assert reader.epoch == writer.epoch == 1
    assert reader.pid > 0
    writer.publish(snapshot(2))
    assert reader.stamp > stamp


def test_a_region_that_nobody_has_made_is_refused(path: Path) -> None:
    with pytest.raises(RegionError, match="does not exist"):
        Reader(path, SIZE, LAYOUT)


def test_a_reader_of_another_layout_is_refused(path: Path) -> None:
    Writer(path, SIZE, LAYOUT)
    with pytest.raises(RegionError, match="another layout"):
        Reader(path, SIZE, LAYOUT + 1)
    with pytest.raises(RegionError, match="another size"):
        Reader(path, SIZE + 64, LAYOUT)


def test_a_file_that_is_still_being_made_is_refused(path: Path) -> None:
    Writer(path, SIZE, LAYOUT)
    content = path.read_bytes()
    path.write_bytes(bytes(8) + content[8:])
    with pytest.raises(RegionError, match="another layout"):
        Reader(path, SIZE, LAYOUT)


def test_a_writer_that_takes_over_keeps_the_last_snapshot_and_counts_on(path: Path) -> None:
    first = Writer(path, SIZE, LAYOUT)
    assert first.last() is None
    first.publish(snapshot(1))
    first.publish(snapshot(2))
    reader = Reader(path, SIZE, LAYOUT)

    second = Writer(path, SIZE, LAYOUT)
    last = second.last()
    assert last is not None
    assert (last == 2).all()
    assert (second.epoch, reader.epoch) == (2, 2)
    assert read(reader) == (2, 2)
    second.publish(snapshot(3))
    assert read(reader) == (3, 3)
    assert not reader.replaced


@pytest.mark.parametrize("content", [b"", b"CAL", bytes(4096)])
def test_a_writer_makes_anew_what_another_did_not_finish_making(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    Writer(path, SIZE, LAYOUT).publish(snapshot(1))
    assert read(Reader(path, SIZE, LAYOUT)) == (1, 1)


def test_a_writer_of_another_layout_makes_a_new_file_and_its_readers_notice(path: Path) -> None:
    Writer(path, SIZE, LAYOUT).publish(snapshot(1))
    reader = Reader(path, SIZE, LAYOUT)
    writer = Writer(path, SIZE, LAYOUT + 1)
    assert writer.last() is None
    assert writer.epoch == 1
    assert reader.replaced
    assert read(reader) == (1, 1)


def test_a_reader_notices_that_the_file_was_removed(path: Path) -> None:
    Writer(path, SIZE, LAYOUT)
    reader = Reader(path, SIZE, LAYOUT)
    path.unlink()
    assert reader.replaced


def headed(word: int, head: int, rest: int) -> NDArray[np.uint8]:
    """A snapshot whose head begins with a word that stands for it."""
    made = snapshot(rest)
    made[:HEAD] = head
    made[:8].view(np.uint64)[0] = word
    return made


def test_a_head_is_copied_only_to_where_its_word_is_another(path: Path) -> None:
    writer, reader = Writer(path, SIZE, LAYOUT, HEAD), Reader(path, SIZE, LAYOUT, HEAD)
    into = snapshot(0)
    for _ in range(SLOTS):
        writer.publish(headed(word=7, head=1, rest=1))
    writer.publish(headed(word=7, head=2, rest=2))
    reader.read(into)
    assert (into == headed(word=7, head=1, rest=2)).all()
    writer.publish(headed(word=8, head=3, rest=3))
    reader.read(into)
    assert (into == headed(word=8, head=3, rest=3)).all()


def test_a_head_without_a_word_is_always_copied(path: Path) -> None:
    writer, reader = Writer(path, SIZE, LAYOUT, HEAD), Reader(path, SIZE, LAYOUT, HEAD)
    into = snapshot(0)
    for value in range(2 * SLOTS):
        writer.publish(headed(word=0, head=value, rest=value))
        reader.read(into)
        assert (into == headed(word=0, head=value, rest=value)).all()


@pytest.mark.parametrize("writer", ["write_snapshots", "killed_write_snapshots"])
def test_no_reader_sees_a_torn_snapshot(path: Path, writer: str) -> None:
    Writer(path, stress.SIZE, stress.LAYOUT)
    readers = [stress.start("read_snapshots", path, 1.5) for _ in range(3)]
    writing = stress.start(writer, path, 2.0)
    found = [result(process) for process in readers]
    written = writing.communicate(timeout=30.0)[0]

    assert writing.returncode == 0
    assert all(count["reads"] > 10 for count in found)
    assert [(count["torn"], count["older"]) for count in found] == [(0, 0)] * len(readers)
    epoch = Reader(path, stress.SIZE, stress.LAYOUT).epoch
    kills = json.loads(written)["kills"] if writer.startswith("killed") else 1
    assert 1 < epoch <= kills + 1


def result(process: subprocess.Popen[str]) -> dict[str, int]:
    output = process.communicate(timeout=30.0)[0]
    assert process.returncode == 0
    counts: dict[str, int] = json.loads(output)
    return counts
