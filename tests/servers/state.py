"""A state directory for servers of a test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.places import Places


@contextmanager
def state(directory: Path) -> Iterator[Places]:
    """A state directory with its shared memory."""
    places = Places(directory / "var")
    places.prepare()
    try:
        yield places
    finally:
        shutil.rmtree(places.shared)
