"""Slowing down who guesses passwords, so that nobody else is locked out.

Failures count for an account at the place that they come from, never for the account alone:
whoever guesses an operator's password delays nobody who signs in from somewhere else. After FREE
failures in a row a place has to wait, twice as long after each further one, LONGEST at most. A
success forgets the failures.
"""

from __future__ import annotations

import time
from collections import OrderedDict

FREE = 5
SHORTEST, LONGEST = 1.0, 30.0  # s
PLACES = 1_000  # remembered: the ones that failed last
FORGOTTEN = 900.0  # s after the last failure


class Throttle:
    """Failed sign-ins by place."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, place: str, now: float | None = None) -> float:
        """For how long, in s, nothing more is taken from a place; 0 if something is."""
        now = time.monotonic() if now is None else now
        count, last = self._failed.get(place, (0, 0.0))
        if count < FREE or now - last > FORGOTTEN:
            return 0.0
        pause = min(LONGEST, SHORTEST * 2.0 ** min(count - FREE, 10))
        return max(0.0, last + pause - now)

    def failed(self, place: str, now: float | None = None) -> None:
        now = time.monotonic() if now is None else now
        count, last = self._failed.pop(place, (0, now))
        self._failed[place] = (1 if now - last > FORGOTTEN else count + 1, now)
        if len(self._failed) > PLACES:
            self._failed.popitem(last=False)

    def succeeded(self, place: str) -> None:
        self._failed.pop(place, None)
