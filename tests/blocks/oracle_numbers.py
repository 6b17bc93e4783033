"""The numbers that the parts of the oracle share: words of states, and arithmetic without NaN."""

from __future__ import annotations

import math
from types import SimpleNamespace as Row

from runtime.tags import FOREVER

BAD, UNCERTAIN, GOOD = range(3)
DIRECT, LEVEL, POWER = range(3)  # Pump.ControlType
DEFAULT, PLAN, MANUAL, FAILSAFE, EMERGENCY_STOP, LOCAL = range(6)  # Pump.Authority
FILLING = 1  # Station.FlowDirection
HOUR = 3600.0  # s


def clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def speed_limits(pump: Row) -> tuple[float, float]:
    """The lowest running speed and the highest one in force."""
    high = max(min(pump.MaxSpeed, pump.HardMaxSpeed), 0.0)
    return clamp(max(pump.MinSpeed, pump.HardMinSpeed), 0.0, high), high


def age(now: float, time: float) -> float:
    since = now - time
    return FOREVER if math.isnan(since) else clamp(since, 0.0, FOREVER)


def counted(time: float, elapsed: float) -> float:
    return min(time + elapsed, FOREVER)


def share(elapsed: float, time: float) -> float:
    """The part of a time constant that a scan is: at most all of it."""
    return elapsed / max(time, elapsed)
