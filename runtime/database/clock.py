"""From the database's clock to the scan's.

The scan knows only the monotonic clock; rows carry the time of the database's wall clock. The
difference of the two is measured with every read. A small change of it is drift or a late answer
and is followed slowly; a large one is a step of the database's clock, taken at once and counted.
"""

from __future__ import annotations

STEP_S = 0.5  # change of the difference, beyond what the read's duration explains, that is a step
FOLLOW = 0.1  # share of a small change that is followed with each read


class DatabaseClock:
    """The difference between the database's wall clock and this machine's monotonic clock, in s."""

    def __init__(self) -> None:
        self.steps = 0
        self.difference: float | None = None

    def observe(self, before: float, wall: float, after: float) -> bool:
        """Take one read: the database said `wall` between the two monotonic times. True: a step."""
        seen = wall - (before + after) / 2
        if self.difference is None:
            self.difference = seen
            return False
        change = seen - self.difference
        if abs(change) > STEP_S + (after - before) / 2:
            self.difference = seen
            self.steps += 1
            return True
        self.difference += FOLLOW * change
        return False
