"""How good a control was: what a course says of overflow, level, starts, energy and smoothness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.simulate.swmm.plant import HOUR, LITRE

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DRY = 0.2  # m; a running pump sucks air below
MINIMUM_FLOW = 21.3  # l/s that a pump alone moves at its minimum speed (60 %) and the target level


@dataclass(frozen=True)
class Course:
    """What was true after each scan: columns over time, some with a row for each pump.

    `setpoint` and what follows is what the controller said; the rest is the plant's own truth.
    """

    scan: float  # s
    target: float  # m
    time: Floats  # h
    level: Floats  # m
    inflow: Floats  # l/s
    spill: Floats  # l/s
    speed: Floats  # Hz
    flow: Floats  # l/s
    power: Floats  # kW
    setpoint: Floats  # Hz
    authority: Floats
    refused: int  # setpoints that no drive takes

    def during(self, begin: float, end: float) -> Bools:
        """The scans from `begin` to `end` h."""
        return np.asarray((self.time >= begin) & (self.time < end))


@dataclass(frozen=True)
class Scores:
    """The figures of a course.

    `rmse_high` is of the times in which more comes in than a pump moves at its minimum speed: only
    then can the level be held. `variation` is Σ|ΔQ| of the means of minutes, over the mean flow.
    """

    hours: float
    peak: float  # l/s, highest inflow
    overflow: float  # m³
    dry: float  # s in which a pump ran with too little above it
    lowest: float  # m
    highest: float
    rmse: float
    rmse_high: float
    share_high: float
    starts: int
    starts_per_hour: int  # the most of any pump
    energy: float  # Wh/m³
    variation: float
    balance: float  # m³ in, less m³ out and kept, over m³ in


def score(course: Course) -> Scores:
    """The figures of a course."""
    volume = course.scan * LITRE
    running = course.speed > 0.0
    began = running & ~np.vstack([running[:1], running[:-1]])
    pumped = float(course.flow.sum()) * volume
    arrived, spilled = float(course.inflow.sum()) * volume, float(course.spill.sum()) * volume
    error, high = course.level - course.target, course.inflow > MINIMUM_FLOW
    return Scores(
        hours=len(course.time) * course.scan / HOUR,
        peak=float(course.inflow.max()),
        overflow=spilled,
        dry=float((running.any(axis=1) & (course.level < DRY)).sum()) * course.scan,
        lowest=float(course.level.min()),
        highest=float(course.level.max()),
        rmse=_rms(error),
        rmse_high=_rms(error[high]),
        share_high=float(high.mean()),
        starts=int(began.sum()),
        starts_per_hour=max(most_in_an_hour(column, course.scan) for column in began.T),
        energy=float(course.power.sum()) * course.scan / HOUR * 1000.0 / max(pumped, 1e-9),
        variation=_variation(course.flow.sum(axis=1), course.scan),
        balance=(arrived - pumped - spilled) / arrived,
    )


def _rms(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2))) if len(error) else 0.0


def most_in_an_hour(began: Bools, scan: float) -> int:
    """The most starts in any sliding hour."""
    times = np.flatnonzero(began) * scan
    return max((int(((times >= at) & (times < at + HOUR)).sum()) for at in times), default=0)


def _variation(flow: Floats, scan: float) -> float:
    each = round(60.0 / scan)
    minutes = flow[: len(flow) // each * each].reshape(-1, each).mean(axis=1)
    return float(np.abs(np.diff(minutes)).sum() / max(minutes.mean(), 1e-9))
