"""Figures of a measurement, and how they are told: beside their aim, as a ratio of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Times in s."""

    p50: float
    p99: float
    most: float


def spread(times: Sequence[float]) -> Spread:
    p50, p99 = np.percentile(times, (50, 99))
    return Spread(float(p50), float(p99), float(max(times)))


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:9.3f} ms"


def against(measured: float, aim: float) -> str:
    """A figure against the most that it should be, both in the same unit."""
    verdict = "met" if measured <= aim else "MISSED"
    return f"{measured / aim:6.2f} × aim  {verdict}"
