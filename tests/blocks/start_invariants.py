"""What holds of starts and run times over a whole trace, as one who watches would count them.

Nothing here reads a counter of the program: starts are what was commanded of a standing motor, and
what was reported of one that nobody commanded, at the times of System.ControlTime.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.blocks.invariants import (
    ON_LOSS_STOP,
    Invariant,
    adopted,
    implies,
    local,
)
from tests.blocks.trace import GOOD, Array, Trace

HOUR = 3600.0
ROUNDING = 1e-6  # s


def turning(trace: Trace) -> Array:
    """The motor turns, as reported, or as commanded where that is not known."""
    pump = trace.pump
    return np.where(pump.RunningQuality == GOOD, pump.Running, trace.was.Setpoint > 0.0)


def commanded_starts(trace: Trace) -> Array:
    """A standing motor is asked to run."""
    starts = (trace.was.Setpoint == 0.0) & (trace.pump.Setpoint > 0.0)
    found: Array = starts & ~turning(trace) & ~local(trace) & ~adopted(trace)
    return found


def starts_of(trace: Trace, slot: int) -> Iterator[float]:
    """When the motor of a pump was started, whoever did it."""
    commanded = commanded_starts(trace)[:, slot].tolist()
    pump, was = trace.pump, trace.was
    reported = pump.Running & ~was.Running & ~trace.begins[:, None] & pump.Configured
    times = trace.system.ControlTime[:, 0].tolist()
    asked = False  # and not yet reported
    rows = zip(times, commanded, reported[:, slot].tolist(), was.Setpoint[:, slot], strict=True)
    for time, is_commanded, is_reported, before in rows:
        asked = asked and before > 0.0
        if is_commanded or (is_reported and not asked):
            yield time
        asked = is_commanded or (asked and not is_reported)


def no_more_starts_in_an_hour_than_allowed(trace: Trace) -> Array:
    found = np.ones(trace.pump.Setpoint.shape, bool)
    times = trace.system.ControlTime[:, 0]
    for slot in range(found.shape[1]):
        commanded = commanded_starts(trace)[:, slot].nonzero()[0]
        starts = np.array(list(starts_of(trace, slot)) if len(commanded) else [])
        for scan in commanded:
            since = times[scan] - starts
            latest = int(((0.0 < since) & (since < HOUR - ROUNDING)).sum())
            found[scan, slot] = latest < trace.pump.MaxStartsPerHour[scan, slot]
    return found


def no_start_before_the_pump_has_rested(trace: Trace) -> Array:
    found = np.ones(trace.pump.Setpoint.shape, bool)
    turned, times = turning(trace), trace.system.ControlTime[:, 0]
    for scan, slot in zip(*commanded_starts(trace).nonzero(), strict=True):
        before = turned[:scan, slot].nonzero()[0]
        if len(before):
            rested = times[scan] - times[before[-1]]
            found[scan, slot] = rested >= trace.pump.MinOff[scan, slot] - ROUNDING
    return found


def no_stop_before_the_pump_has_run_its_time_but_by_a_trip(trace: Trace) -> Array:
    pump = trace.pump
    stops = (trace.was.Setpoint > 0.0) & (pump.Setpoint == 0.0) & turning(trace)
    must = pump.Stopped | pump.LevelTrip | pump.LevelStop | local(trace) | ~pump.Configured
    must |= (trace.was.Setpoint == 0.0) | (trace.high == 0.0)
    must |= ~trace.level_good & (trace.station.WithoutLevel == ON_LOSS_STOP)
    found = np.ones(stops.shape, bool)
    turned, times = turning(trace), trace.system.ControlTime[:, 0]
    for scan, slot in zip(*(stops & ~must).nonzero(), strict=True):
        stood = (~turned[:scan, slot]).nonzero()[0]
        if len(stood):
            ran = times[scan] - times[stood[-1]]
            found[scan, slot] = ran >= pump.MinRun[scan, slot] - ROUNDING
    return found


def run_and_rest_are_counted_as_observed(trace: Trace) -> Array:
    pump, was = trace.pump, trace.was
    turned = turning(trace) & pump.Configured
    ran = np.minimum(was.RunTime + trace.elapsed, 1e9)
    rested = np.minimum(was.OffTime + trace.elapsed, 1e9)
    unknown = (was.RunTime == 0.0) & (was.OffTime == 0.0) & ~turned
    rested = np.where(unknown, 1e9, rested)
    counted = np.where(
        turned,
        (pump.OffTime == 0.0) & (pump.RunTime == ran),
        (pump.RunTime == 0.0) & (pump.OffTime == rested),
    )
    return implies(pump.Configured, counted)


OF_STARTS: tuple[Invariant, ...] = (
    no_more_starts_in_an_hour_than_allowed,
    no_start_before_the_pump_has_rested,
    no_stop_before_the_pump_has_run_its_time_but_by_a_trip,
    run_and_rest_are_counted_as_observed,
)
