"""A plant by hand, and attempts that follow each other at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.places import Places
from tests.runtime.alerts.plant import Watched
from tests.runtime.by_hand import a_place


@pytest.fixture
def places() -> Iterator[Places]:
    with a_place() as places:
        yield places


@pytest.fixture
def watched(places: Places) -> Watched:
    return Watched(places)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other at once, so that a test need not wait for them."""
    monkeypatch.setattr("runtime.alerts.outbox.FIRST", 0.05)
