"""Speeds: the limits of a speed, and how it moves between them. 0 is stop and no speed."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, larger, smaller
from runtime.compiled import compiled


@compiled
def highest_speed(max_speed: float, hard_max_speed: float) -> float:
    """The highest speed in force. Where a limit is no number it is 0: such a pump stands."""
    if not math.isfinite(max_speed + hard_max_speed):
        return 0.0
    return larger(smaller(max_speed, hard_max_speed), 0.0)


@compiled
def lowest_speed(min_speed: float, hard_min_speed: float, high: float) -> float:
    """The lowest running speed in force, at most the highest: that, where a limit is no number."""
    if not math.isfinite(min_speed + hard_min_speed):
        return high
    return clamp(larger(min_speed, hard_min_speed), 0.0, high)


@compiled
def running_speed(speed: float, low: float, high: float) -> float:
    """A speed inside its limits. What is not above 0 is stop, never a speed to clamp up."""
    return clamp(speed, low, high) if speed > 0.0 else 0.0


@compiled
def ramped(wanted: float, in_force: float, low: float, step: float, at_once: bool) -> float:
    """The wanted speed as far as one scan may go. Only what is less may be had at once."""
    if wanted > in_force:
        if in_force > 0.0:
            return smaller(wanted, larger(in_force + step, low))
        return smaller(wanted, low if low > 0.0 else step)
    if at_once:
        return wanted
    slower = in_force - step
    return larger(wanted, slower if slower >= low else 0.0)
