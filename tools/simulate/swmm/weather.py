"""What flows to the station: dry weather that goes with the day, and storms. All drawn from a seed.

Flows are in l/s, as SWMM takes them; times in h since the beginning, which is midnight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EVERY = 1.0 / 12.0  # h between points; SWMM interpolates
# Share of the daily mean, hour by hour: the night, breakfast, supper.
DAY = (
    *(0.52, 0.43, 0.38, 0.36, 0.40, 0.62, 1.08, 1.52, 1.60, 1.42, 1.25, 1.18),
    *(1.20, 1.15, 1.05, 1.00, 1.02, 1.15, 1.35, 1.45, 1.32, 1.10, 0.82, 0.63),
)
WAVER = 0.04  # relative; of the dry weather, from one point to the next
MEMORY = 0.8  # of that from point to point


@dataclass(frozen=True)
class Storm:
    """A hydrograph that rises to `peak` l/s in `rise` h and falls; the sharper, the faster."""

    peak: float = 85.0
    begin: float = 14.0
    rise: float = 1.5
    sharpness: float = 1.0

    def flow(self, time: Floats) -> Floats:
        """l/s: (t/rise · exp(1 − t/rise))^sharpness, which is 1 at `rise`."""
        since = np.maximum(0.0, time - self.begin) / self.rise
        return np.asarray(self.peak * (since * np.exp(1.0 - since)) ** self.sharpness)


@dataclass(frozen=True)
class Weather:
    """The daily mean of the dry weather in l/s, storms, and the seed of what no model explains."""

    dry: float = 20.0
    storms: tuple[Storm, ...] = (Storm(),)
    seed: int = 1

    def inflow(self, hours: float) -> tuple[Floats, Floats]:
        """Times and flows of points that reach beyond `hours`."""
        time: Floats = np.arange(math.ceil(hours / EVERY) + 2, dtype=np.float64) * EVERY
        hour = np.arange(len(DAY) + 1)
        flow = self.dry * np.interp(time % 24.0, hour, (*DAY, DAY[0]))
        dice = np.random.default_rng([self.seed, 3])
        waver = 0.0
        for point, push in enumerate(dice.standard_normal(len(time))):
            waver = MEMORY * waver + WAVER * math.sqrt(1.0 - MEMORY**2) * push
            flow[point] *= 1.0 + waver
        for storm in self.storms:
            flow += storm.flow(time)
        return time, np.maximum(0.0, flow)
