"""A pump that lifts against static head: what it takes and moves follows no cube law.

Affinity laws H = s²·H0 − a·Q² and efficiency by Q / s, a parabola; system H = Hs + r·Q². Scaled to
full speed, and shaped like the station of which is known that half the power, by the cube law, is
55.1 %: dead head at 0.543 of full speed, 24.5 % of the power at 0.6 and 56.2 % at 0.8.
"""

from __future__ import annotations

import math

NOMINAL = 50.0  # Hz
FULL_POWER = 40.0  # kW
FULL_FLOW = 250.0  # m³/h
DEAD_HEAD = 0.543  # of full speed: √(Hs / H0)
BENT = 0.55  # a / H0 at full flow
BEST = 0.865  # flow of best efficiency, of full flow at full speed


def _flow(speed: float) -> float:
    return math.sqrt(max(0.0, speed**2 - DEAD_HEAD**2) / (1.0 - DEAD_HEAD**2))


def _power(speed: float) -> float:
    """Flow · head / efficiency; efficiency is (Q / s) · (2 · BEST − Q / s)."""
    flow = _flow(speed)
    return speed * (speed**2 - BENT * flow**2) / (2.0 - flow / (speed * BEST))


def flow(speed: float) -> float:
    """m³/h at a speed in Hz."""
    return FULL_FLOW * _flow(speed / NOMINAL)


def power(speed: float) -> float:
    """kW at a speed in Hz; below the dead head what the pump takes with nothing to move."""
    return FULL_POWER * _power(speed / NOMINAL) / _power(1.0) if speed > 0.0 else 0.0


def speed_for(wanted: float) -> float:
    """Hz at which the pump takes this power."""
    low, high = 0.0, NOMINAL
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if power(middle) < wanted else (low, middle)
    return low
