"""What frequency converters do with the setpoints that they are sent, and without any.

- A setpoint that is no number, negative, or above the drive's maximum is refused and counted; the
  drive stays at the last good one.
- When it has heard nothing for HOLD s it takes the communication as lost and ramps down to
  standstill, as converters commonly are set. Wells then fill: that is what an operator would see.
- After a restart the plant takes over the speeds it had and waits as long for a first setpoint.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tools.simulate.hydraulics import Bools, Floats

HOLD = 60.0  # s
ABOVE_MAXIMUM = 1.001  # a 32-bit float may come out a little above its limit


class Drives:
    """The converters of all pumps. `now` is any clock in s that only moves forward."""

    def __init__(self, maximum: Floats, speed: Floats, now: float) -> None:
        self.setpoint = np.array(speed, np.float64)
        self.refused = 0
        self._maximum = maximum * ABOVE_MAXIMUM
        self._heard = np.full(len(maximum), now)

    def hear(self, values: Sequence[float | None], now: float) -> None:
        """Take what the control says; None is no answer."""
        said = np.array([np.nan if value is None else value for value in values])
        answered = np.array([value is not None for value in values], np.bool_)
        valid = np.isfinite(said) & (said >= 0.0) & (said <= self._maximum)
        self.refused += int((answered & ~valid).sum())
        self.setpoint[valid] = said[valid]
        self._heard[valid] = now

    def lost(self, now: float) -> Bools:
        """Which drives miss their control."""
        return now - self._heard > HOLD

    def commanded(self, now: float) -> Floats:
        """The speeds to go to, in Hz."""
        return np.where(self.lost(now), 0.0, self.setpoint)

    def take_over(self, other: Drives, pairs: Sequence[tuple[int, int]]) -> None:
        """Go on from another set of drives: pairs of place here and place there."""
        for here, there in pairs:
            self.setpoint[here] = other.setpoint[there]
            self._heard[here] = other._heard[there]
        self.refused = other.refused
