"""`calejo log`: which level the log of each process has, and another one while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runtime import instance
from runtime.places import Places, StateError
from runtime.processes import MODULES

LEVELS = ("debug", "info", "warning", "error")
CONFIGURED = "configured"
PROCESSES = ("run", *MODULES)


def change(places: Places, level: str, processes: Sequence[str]) -> None:
    """Give the logs of some processes another level, or the configured one, until the end."""
    if instance.holder(places) is None:
        raise StateError(f"state directory {places.root}: nothing runs here whose log it could be")
    for process in processes:
        path = places.log_level(process)
        if level == CONFIGURED:
            path.unlink(missing_ok=True)
        else:
            partial = path.with_suffix(".partial")
            partial.write_text(level + "\n")
            partial.replace(path)


def report(places: Places, configured: str) -> Iterator[str]:
    """A line for each process."""
    for process in PROCESSES:
        try:
            yield f"{process:10}{places.log_level(process).read_text().strip()}"
        except FileNotFoundError:
            yield f"{process:10}{configured} ({CONFIGURED})"
