"""A state directory for servers of a test."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from runtime.places import Places
from runtime.spoolfile import Kind, SpoolReader
from tests.processes import until


@contextmanager
def state(directory: Path) -> Iterator[Places]:
    """A state directory with its shared memory."""
    places = Places(directory / "var")
    places.prepare()
    try:
        yield places
    finally:
        shutil.rmtree(places.shared)


def refusals(spool: Path, count: int) -> list[dict[str, Any]]:
    """The refusals that lie in a spool file, as soon as there are so many."""

    def found() -> tuple[bool, list[dict[str, Any]]]:
        records = []
        with suppress(sqlite3.OperationalError), closing(SpoolReader(spool)) as reader:
            records = [r.body for r in reader.batch(10_000) if r.kind == Kind.REFUSED]
        return len(records) >= count, records

    until(lambda: found()[0], what=f"for {count} refusals")
    return found()[1]
