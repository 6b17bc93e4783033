"""Simple controls, to compare the real one with: setpoints that stand still; on/off by level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tools.simulate.swmm.plant import Reading
from tools.simulate.swmm.station import PUMPS

FULL = 50.0  # Hz
START = (1.6, 1.85, 2.1)  # m, of the first pump, the second, the third
STOP = (0.7, 0.9, 1.1)


class Fixed:
    """The same setpoints whatever happens, but for a dry-run cut-out if there is one."""

    def __init__(self, *setpoints: float, cut_out: float = -1.0, restart: float = 0.9) -> None:
        self._setpoints = setpoints
        self._cut_out, self._restart = cut_out, restart
        self._cut = False

    def step(self, reading: Reading, time: float) -> Sequence[float]:
        level = float(np.median(reading.level))
        self._cut = level < self._cut_out or (self._cut and level < self._restart)
        return [0.0] * PUMPS if self._cut else self._setpoints

    def authority(self) -> Sequence[float]:
        return [0.0] * PUMPS


class OnOff:
    """Lead, lag and second lag at full speed; the lead alternates."""

    def __init__(self) -> None:
        self._running = 0
        self._order = list(range(PUMPS))

    def step(self, reading: Reading, time: float) -> Sequence[float]:
        level = float(np.median(reading.level))
        while self._running < PUMPS and level > START[self._running]:
            self._running += 1
        while self._running > 0 and level < STOP[self._running - 1]:
            self._running -= 1
            if not self._running:
                self._order.append(self._order.pop(0))
        return [FULL if pump in self._order[: self._running] else 0.0 for pump in range(PUMPS)]

    def authority(self) -> Sequence[float]:
        return [0.0] * PUMPS
