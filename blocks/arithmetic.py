"""Arithmetic that is the same compiled and interpreted, bit for bit, also for zeros and NaN."""

from __future__ import annotations

from runtime.compiled import compiled


@compiled
def smaller(a: float, b: float) -> float:
    """The smaller of two numbers; the first if they are equal or one is NaN."""
    return b if b < a else a


@compiled
def larger(a: float, b: float) -> float:
    """The larger of two numbers; the first if they are equal or one is NaN."""
    return b if b > a else a


@compiled
def clamp(value: float, low: float, high: float) -> float:
    """`value` held between `low` and `high`; where these cross, `low` counts. NaN stays NaN."""
    if value < low:
        return low
    return larger(low, high) if value > high else value


@compiled
def distance(a: float, b: float) -> float:
    """How far two numbers are apart."""
    return a - b if a > b else b - a


@compiled
def row(index: int, count: int) -> int:
    """`index` held inside a table of `count` rows."""
    if index < 0:
        return 0
    return count - 1 if index >= count else index


@compiled
def part(elapsed: float, time: float) -> float:
    """The part of a time constant that a scan is, at most all of it."""
    return elapsed / time if time > elapsed else 1.0
