"""Clocks: the fixed grid that a scan runs on, and one that is moved by hand."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the scan knows of time. `now` is the scan clock: monotonic, in s."""

    def now(self) -> float: ...

    def utc(self) -> float: ...

    def wait(self) -> tuple[float, int]:
        """Sleep until the next period begins: how late it is in s, and how many were skipped."""
        ...


class GridClock:
    """Periods on a fixed grid of CLOCK_MONOTONIC.

    A period that was missed is counted and skipped, never caught up in a burst. Waking a little
    early or late does not move the grid.
    """

    def __init__(self, period: float) -> None:
        self.period = period
        self.anchor()

    def anchor(self) -> None:
        """Begin the grid now: the next period begins one period from here."""
        self._next = self.now()

    def now(self) -> float:
        return time.monotonic()

    def utc(self) -> float:
        return time.time()

    def wait(self) -> tuple[float, int]:
        self._next += self.period
        behind = self.now() - self._next
        skipped = 0
        if behind >= self.period:
            skipped = int(behind / self.period)
            self._next += skipped * self.period
        while (remaining := self._next - self.now()) > 0:
            time.sleep(remaining)
        return self.now() - self._next, skipped


class ManualClock:
    """Time that moves only when told to: for tests, replay and simulation."""

    def __init__(self, period: float = 0.1, now: float = 1000.0, utc: float = 1.8e9) -> None:
        self.period = period
        self.lateness = 0.0
        self._now = now
        self._utc = utc

    def now(self) -> float:
        return self._now

    def utc(self) -> float:
        return self._utc

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._utc += seconds

    def step_utc(self, seconds: float) -> None:
        """Move the wall clock alone, as an operator or a time server may."""
        self._utc += seconds

    def wait(self) -> tuple[float, int]:
        self.advance(self.period)
        return self.lateness, 0
