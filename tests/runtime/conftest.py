"""A recorder, the scan that it records, and the places where they meet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.places import Places
from runtime.recorder import Recorder
from tests.runtime.by_hand import SIZE, Plant, a_place


@pytest.fixture
def places() -> Iterator[Places]:
    with a_place() as places:
        yield places


@pytest.fixture
def plant(places: Places) -> Plant:
    return Plant(places)


@pytest.fixture
def recorder(places: Places) -> Iterator[Recorder]:
    recorder = Recorder(places, SIZE)
    yield recorder
    recorder.finish()
