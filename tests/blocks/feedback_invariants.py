"""What must be true of a measurement that is shown as good."""

from __future__ import annotations

import numpy as np

from runtime.tags import Pump
from tests.blocks.invariants import Invariant, implies
from tests.blocks.trace import GOOD, Array, Trace

MEASURED = ("Speed", "Power", "Flow", "Level")
EARLY = 1.0  # s


def fresh(trace: Trace) -> Array:
    pump = trace.pump
    age = trace.system.Now - pump.MeasuredTime
    in_time = (age >= -EARLY) & (age <= trace.max_age) & (pump.MeasuredTime != 0.0)
    return in_time & pump.Configured


def what_is_good_was_measured_lately_and_is_possible(trace: Trace) -> Array:
    found = np.ones(trace.pump.Setpoint.shape, bool)
    for name in MEASURED:
        tag = Pump.tag(name)
        value, measured = getattr(trace.pump, name), getattr(trace.pump, f"Measured{name}")
        good = getattr(trace.pump, f"{name}Quality") == GOOD
        possible = (tag.low <= measured) & (measured <= tag.high) & fresh(trace)
        found &= implies(good, possible & (value == measured))
    return found


def what_is_not_good_stays_as_it_was(trace: Trace) -> Array:
    found = np.ones(trace.pump.Setpoint.shape, bool)
    for name in MEASURED:
        stays = getattr(trace.pump, name) == getattr(trace.was, name)
        found &= (getattr(trace.pump, f"{name}Quality") == GOOD) | stays
    return found


def states_are_good_exactly_when_fresh(trace: Trace) -> Array:
    pump, was = trace.pump, trace.was
    told = (pump.Running == pump.MeasuredRunning) & (pump.LocalControl == pump.MeasuredLocal)
    kept = (pump.Running == was.Running) & (pump.LocalControl == was.LocalControl)
    return np.where(fresh(trace), told, kept) & ((pump.RunningQuality == GOOD) == fresh(trace))


OF_FEEDBACK: tuple[Invariant, ...] = (
    what_is_good_was_measured_lately_and_is_possible,
    what_is_not_good_stays_as_it_was,
    states_are_good_exactly_when_fresh,
)
