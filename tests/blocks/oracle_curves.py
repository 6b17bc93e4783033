"""The oracle on learned curves: reading them forwards and backwards, and learning them."""

from __future__ import annotations

from types import SimpleNamespace as Row

from runtime.tag import Tag
from runtime.tags import Pump
from tests.blocks.oracle_numbers import GOOD, clamp, counted, share

Curve = list[float]
NODES = 5


def of(pump: Row, name: str) -> Curve:
    return [getattr(pump, f"{name}Curve{node + 1}") for node in range(NODES)]


def _steps(speed: float, low: float, high: float) -> float | None:
    """Where a speed lies, in quarters of the way from the lowest to the highest."""
    if not low < high:
        return None
    steps = (speed - low) / (high - low) * 4.0
    return clamp(steps, 0.0, 4.0) if -0.1 <= steps <= 4.1 else None


def value_at(curve: Curve, speed: float, low: float, high: float) -> float:
    """0 if it is not known."""
    steps = _steps(speed, low, high)
    if steps is None:
        return 0.0
    left = 0
    while left < NODES - 2 and steps > left + 1:
        left += 1
    part = steps - left
    needed = [curve[left + side] for side in (0, 1) if part != 1 - side]
    if not all(node > 0.0 for node in needed):
        return 0.0
    return curve[left] + (curve[left + 1] - curve[left]) * part


def speed_for(curve: Curve, value: float, low: float, high: float) -> float:
    """The lowest speed at which the curve, as it rises, has this value; 0 if it is not known."""
    if not (low < high and value > 0.0):
        return 0.0
    if value <= curve[0]:
        return low
    for left, right, node in zip(curve, curve[1:], range(NODES), strict=False):
        if 0.0 < left <= value <= right:
            part = (value - left) / (right - left) if left < right else 0.0
            return min(high, low + (high - low) / 4.0 * (node + part))
    return high if 0.0 < curve[-1] < value else 0.0


def adapt(pump: Row, elapsed: float, learning_time: float) -> None:
    low, high, speed = pump.LowLimit, pump.HighLimit, pump.Speed
    curves = {name: of(pump, name) for name in ("Power", "Flow")}
    if low < high and (low, high) != (pump.CurveLow, pump.CurveHigh):
        step = (high - low) / 4.0
        speeds = [low, low + step, low + step * 2.0, low + step * 3.0, high]
        for name, curve in curves.items():
            curves[name] = [value_at(curve, s, pump.CurveLow, pump.CurveHigh) for s in speeds]
        pump.CurveLow, pump.CurveHigh = low, high

    known = pump.Turning and pump.SpeedQuality == GOOD
    for name, curve in curves.items():
        setattr(pump, f"Expected{name}", value_at(curve, speed, low, high) if known else 0.0)

    steps = _steps(speed, low, high)
    steady = known and pump.RunningQuality == GOOD and speed > 0.5 and steps is not None
    steady = steady and abs(speed - pump.Setpoint) <= 0.5 and abs(speed - pump.SteadySpeed) <= 0.5
    if steady:
        pump.SteadyTime = counted(pump.SteadyTime, elapsed)
    else:
        pump.SteadyTime, pump.SteadySpeed = 0.0, speed
    for tag in (Pump.Power, Pump.Flow):
        if steps is not None and pump.SteadyTime >= 30.0:
            curves[tag.name] = _taught(pump, tag, curves[tag.name], steps, elapsed, learning_time)
        for node, value in enumerate(curves[tag.name]):
            setattr(pump, f"{tag.name}Curve{node + 1}", value)


def _taught(
    pump: Row, tag: Tag, curve: Curve, steps: float, elapsed: float, learning_time: float
) -> Curve:
    measured, expected = getattr(pump, tag.name), getattr(pump, f"Expected{tag.name}")
    if getattr(pump, f"{tag.name}Quality") != GOOD or not measured > 0.0:
        return curve
    highest = getattr(Pump, f"Expected{tag.name}").high
    most = min(getattr(pump, f"HardMax{tag.name}"), highest / 1.5)
    pace = share(elapsed, learning_time)
    if pump.PowerDeviates or pump.NoFlow:
        pace *= 0.1
    part = steps - int(steps)
    pace /= part * part + (1.0 - part) * (1.0 - part)
    surprise = clamp(measured - expected, -0.1 * most, 0.1 * most) if expected > 0.0 else 0.0
    step = (pump.HighLimit - pump.LowLimit) / 4.0 / pump.Speed
    lesson = pace * surprise
    taught = []
    for node, value in enumerate(curve):
        ahead = node - steps
        near = 1.0 - abs(ahead)
        if near > 0.0:
            if value > 0.0:
                value += lesson * near
            else:
                value = measured
                for _ in range(3 if tag is Pump.Power else 1):
                    value *= 1.0 + ahead * step
            value = clamp(value, 0.0, 1.5 * most)
        taught.append(value)
    return taught
