"""A pump's curve: what it takes or moves at five equidistant speeds, with straight lines between.

Node 1 is at the lowest speed, node 5 at the highest. A node that is 0 is not learned yet, and what
needs it is 0: not known.
"""

from __future__ import annotations

from blocks.arithmetic import clamp, smaller
from runtime.compiled import compiled

NODES = 5
STEPS = 4.0  # from the lowest speed to the highest
MARGIN = 0.1  # steps outside the curve at which a measured speed still counts as its end
OUTSIDE = -1.0


@compiled
def place(speed: float, low: float, high: float) -> float:
    """Where a speed lies on the curve, from 0 at node 1 to 4 at node 5; OUTSIDE if it doesn't."""
    if not low < high:
        return OUTSIDE
    steps = (speed - low) / (high - low) * STEPS
    if not -MARGIN <= steps <= STEPS + MARGIN:
        return OUTSIDE
    return clamp(steps, 0.0, STEPS)


@compiled
def _between(left: float, right: float, share: float) -> float:
    """The value at a share of the way from one node to the next; 0 if a needed one is not learned.

    At a node itself, the other isn't needed.
    """
    if (left <= 0.0 and share < 1.0) or (right <= 0.0 and share > 0.0):
        return 0.0
    return left + (right - left) * share


@compiled
def value(steps: float, c1: float, c2: float, c3: float, c4: float, c5: float) -> float:
    """The curve's value at a place on it; 0 if it is not known there."""
    if steps < 0.0:
        return 0.0
    if steps <= 1.0:
        return _between(c1, c2, steps)
    if steps <= 2.0:
        return _between(c2, c3, steps - 1.0)
    if steps <= 3.0:
        return _between(c3, c4, steps - 2.0)
    return _between(c4, c5, steps - 3.0)


@compiled
def at(
    speed: float, low: float, high: float, c1: float, c2: float, c3: float, c4: float, c5: float
) -> float:
    """The curve's value at a speed; 0 if it is not known there."""
    return value(place(speed, low, high), c1, c2, c3, c4, c5)


@compiled
def _crossing(wanted: float, left: float, right: float) -> float:
    """The share of the way between two nodes at which a rising line takes a value, or OUTSIDE."""
    if left <= 0.0 or not left <= wanted <= right:
        return OUTSIDE
    return (wanted - left) / (right - left) if left < right else 0.0


@compiled
def speed_for(
    wanted: float, low: float, high: float, c1: float, c2: float, c3: float, c4: float, c5: float
) -> float:
    """The lowest speed at which the rising curve has a value; 0 if it is not known.

    Below node 1 that is the lowest speed, above node 5 the highest: the pump can do no other.
    """
    if not (low < high and wanted > 0.0):
        return 0.0
    if wanted <= c1:
        return low
    step = (high - low) / STEPS
    share = _crossing(wanted, c1, c2)
    if share >= 0.0:
        return low + step * share
    share = _crossing(wanted, c2, c3)
    if share >= 0.0:
        return low + step * (1.0 + share)
    share = _crossing(wanted, c3, c4)
    if share >= 0.0:
        return low + step * (2.0 + share)
    share = _crossing(wanted, c4, c5)
    if share >= 0.0:
        return smaller(high, low + step * (3.0 + share))
    return high if 0.0 < c5 < wanted else 0.0
