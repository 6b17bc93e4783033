"""A course of setpoints told in few words: from where to where, when, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tools.cause_and_effect.snapshot import Snapshot

NOTICEABLE = 0.5  # Hz; slow controllers and noise move less
REST = 5  # scans that make a stay
LATE = 5  # scans after which an effect is called delayed
MANY = 6  # values that are told of a course


def told(trace: Sequence[Snapshot]) -> str:
    """The course of the first pump; the last value also by its name, if it has one."""
    values = [scan.setpoint for scan in trace]
    points = _points(values)
    names = [name for name in (_name(trace[-1]),) if name]
    if len(points) == 1:
        return " ".join([f"stays {_number(values[-1])}", *names])
    shown = [values[place] for place in points]
    if len(shown) > MANY:
        shown = [*shown[: MANY - 2], shown[-1]]
    parts = [" → ".join(_number(value) for value in shown), *names]
    if points[1] and _first_change(values) > LATE:
        parts.append(f"after {_first_change(values)} s")
    if any(_tripped(was, now) for was, now in pairwise(trace)):
        parts.append("at once")
    return " ".join(parts)


def second(trace: Sequence[Snapshot]) -> str:
    """The course of the second pump, and why, unless it just stays at rest."""
    values = [scan.second for scan in trace]
    if not any(values):
        return ""
    points = _points(values)
    why = sorted(frozenset().union(*(scan.second_guarded for scan in trace)))
    shown = " → ".join(_number(values[place]) for place in points[:MANY])
    return "; ".join([shown, *why])


def _points(values: Sequence[float]) -> list[int]:
    """The places of the first value, of the turns and stays after it, and of the last."""
    points = [0]
    for place in range(1, len(values) - 1):
        last = values[points[-1]]
        value, following = values[place], values[place + 1 : place + 1 + REST]
        if abs(value - last) < NOTICEABLE:
            continue
        stays = len(following) == REST and all(abs(v - value) < NOTICEABLE / 4 for v in following)
        turns = (value - last) * (values[place + 1] - value) < 0.0
        if stays or turns:
            points.append(place)
    if abs(values[-1] - values[points[-1]]) >= NOTICEABLE:
        points.append(len(values) - 1)
    return points


def _first_change(values: Sequence[float]) -> int:
    return next(n for n, value in enumerate(values) if abs(value - values[0]) >= NOTICEABLE / 4)


def _tripped(was: Snapshot, now: Snapshot) -> bool:
    """Fell faster than the rate of change allows, or to rest from above the lowest speed."""
    return now.setpoint < was.setpoint - now.step - 1e-9 and was.setpoint > now.low + now.step


def _name(scan: Snapshot) -> str:
    """The tag whose value the setpoint has."""
    if scan.setpoint == 0.0:
        return ""
    return next((tag.name for tag, value in scan.names.items() if value == scan.setpoint), "")


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
