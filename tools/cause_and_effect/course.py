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
    parts = [_path([values[place] for place in points]), *names]
    if points[1] and _first_change(values) > LATE:
        parts.append(f"after {_first_change(values)} s")
    if any(_tripped(was, now) for was, now in pairwise(trace)):
        parts.append("at once")
    return " ".join(parts)


def told_of_second(trace: Sequence[Snapshot]) -> str:
    """The course of the second pump, unless it just stays at rest."""
    values = [scan.second for scan in trace]
    return _path([values[place] for place in _points(values)]) if any(values) else ""


def _path(values: Sequence[float]) -> str:
    """Each value once; of a course that goes up and down for ever, between which two."""
    if len(values) > MANY:
        swings = values[2:]
        return f"{_number(values[0])} → swings, {_number(min(swings))} to {_number(max(swings))}"
    return " → ".join(_number(value) for value in values)


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
