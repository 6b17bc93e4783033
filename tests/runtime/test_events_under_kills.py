"""Edges of a scan that is killed again and again."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.comparison import RECORDED, Edges
from runtime.events import EventReader, EventWriter
from runtime.layout import Columns, Layout
from runtime.region import Reader
from runtime.tags import TAGS, System
from tests.conftest import fast_directory
from tests.runtime import stress

START = TAGS.index(System.FirstScan)


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="calejo-", dir=fast_directory()) as name:
        yield Path(name) / "events"


def test_no_edge_is_lost_or_told_twice_when_the_scan_is_killed_again_and_again(
    path: Path,
) -> None:
    layout = Layout(stress.CAPACITY)
    state = Columns(layout)
    EventWriter(path, state)
    reader = EventReader(path, layout)
    scans = stress.start("killed_emit_edges", path, 2.0)
    numbers = 0
    while scans.poll() is None or reader.position < reader.position + reader.backlog:
        edges = reader.take(5_000)
        numbers = replay(edges, state, numbers)
        reader.acknowledge(reader.position)
        time.sleep(0.001)
    assert json.loads(scans.communicate()[0])["kills"] > 2
    assert numbers > 20
    assert reader.dropped == 0

    image = Columns(layout)
    Reader(path.with_name("image"), layout.size, layout.hash).read(image.arena)
    EventWriter(path, image).emit(0, 0.0)  # what the last one killed could not tell
    replay(reader.take(5_000), state, numbers)
    for tag in RECORDED:
        assert (state[tag] == image[tag]).all()


def replay(edges: Edges, state: Columns, expected: int) -> int:
    """Apply edges to a state, checking that each fits; the number of the next one."""
    for edge in edges:
        assert edge["seq"] == expected
        expected += 1
        if edge["tag"] != START:
            column: np.ndarray[Any, Any] = state[TAGS[edge["tag"]]]
            assert column[edge["slot"]] == edge["old"] != edge["new"]
            column[edge["slot"]] = edge["new"]
    return expected
