"""Watching processes from the outside: waiting for what must come, seeing who lives."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")


def until(
    condition: Callable[[], Found | None],
    patience: float = 60.0,
    what: str | Callable[[], str] = "for it",
) -> Found:
    """What `condition` returns as soon as it is true; an error after `patience` seconds.

    A text that is only known when it went wrong, as the tail of a log is, comes as a function.
    """
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(f"waited {patience} s in vain {said}")
        time.sleep(0.02)
    return found


def offspring(parent: int) -> list[int]:
    """The children of a process, zombies included."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie, which only waits for its parent, doesn't."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def that_mention(text: str) -> list[int]:
    """The other processes that have `text` in their command line, environment or mapped files."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        if int(directory.name) == os.getpid():
            continue
        for name in ("cmdline", "environ", "maps"):
            with suppress(OSError):
                if text.encode() in (directory / name).read_bytes():
                    found.append(int(directory.name))
                    break
    return [pid for pid in found if is_alive(pid)]
