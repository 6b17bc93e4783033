"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable

DEADLINE_S = 20.0


def wait(condition: Callable[[], bool], what: str = "the condition") -> None:
    """Return as soon as the condition is true; fail if it does not become true."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        time.sleep(0.005)
