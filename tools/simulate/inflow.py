"""What flows to the stations: a daily course, and rain. A pure function of time and seed.

Whoever knows the seed knows the rain of any moment, so a plant that is started anew goes on in the
same weather.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from tools.simulate.hydraulics import Floats

DAY = 86_400.0
HOUR = 3_600.0
RAIN_CHANCE = 0.35  # of a rain event on a day
RAIN_MEMORY = 2  # days after which an event has run off


def daily(time: float) -> float:
    """Dry-weather flow over its daily mean, at `time` s since 1970 (UTC): 0.5 at 2 h, 1.25 at 8 and
    20 h; the mean over a day is exactly 1."""
    hour = (time % DAY) / HOUR
    return (
        1.0
        + 0.25 * math.cos(2 * math.pi * (hour - 14) / 24)
        + 0.25 * math.cos(4 * math.pi * (hour - 8) / 24)
    )


@lru_cache(maxsize=RAIN_MEMORY * 2)
def _events(seed: int, day: int, stations: int) -> tuple[Floats, Floats, Floats]:
    """The rain of a day: start in s after midnight, time to the peak in s, peak (0 is none)."""
    dice = np.random.default_rng([seed, day])
    begins = dice.uniform(0.0, DAY) + dice.uniform(0.0, 0.5 * HOUR, stations)  # a front passes
    rise = dice.uniform(0.4 * HOUR, 1.5 * HOUR, stations)
    size = dice.uniform(0.3, 1.0) * dice.uniform(0.6, 1.0, stations)
    return begins, rise, size if dice.random() < RAIN_CHANCE else np.zeros(stations)


def rain(time: float, stations: int, seed: int) -> Floats:
    """Runoff at `time` as a part of the largest there is: each event rises and drains off."""
    total = np.zeros(stations)
    today = int(time // DAY)
    for day in range(max(0, today - RAIN_MEMORY + 1), today + 1):
        begins, rise, size = _events(seed, day, stations)
        progress = np.maximum(0.0, (time - day * DAY - begins) / rise)
        total += size * progress * np.exp(1.0 - progress)
    return total


def inflow(time: float, dry: Floats, storm: Floats, seed: int) -> Floats:
    """Inflow of each station in m³/s: `dry` is its daily mean, `storm` the most that rain adds."""
    return dry * daily(time) + storm * rain(time, len(dry), seed)
