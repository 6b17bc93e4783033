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


def starts_of(trace: Trace, all_commanded: Array, slot: int) -> Iterator[float]:
    """When the motor of a pump was started, whoever did it.

    A command that the next restart forgets at once is none, nor is one whom control finds running.
    """
    forgotten = np.append(trace.begins[1:], False)[:, None]
    commanded = (all_commanded & ~forgotten)[:, slot].tolist()
    pump, was = trace.pump, trace.was
    reported = pump.Running & ~was.Running & was.Adopted & pump.Configured
    times = trace.system.ControlTime[:, 0].tolist()
    asked = False  # and not yet reported
    rows = zip(times, commanded, reported[:, slot].tolist(), was.Setpoint[:, slot], strict=True)
    for time, is_commanded, is_reported, before in rows:
        if is_commanded or (is_reported and not asked):
            yield time
        asked = is_commanded or (asked and before > 0.0 and not is_reported)


def no_more_starts_in_an_hour_than_allowed(trace: Trace) -> Array:
    found = np.ones(trace.pump.Setpoint.shape, bool)
    times, all_commanded = trace.system.ControlTime[:, 0], commanded_starts(trace)
    for slot in range(found.shape[1]):
        commanded = all_commanded[:, slot].nonzero()[0]
        starts = np.array(list(starts_of(trace, all_commanded, slot)) if len(commanded) else [])
        for scan in commanded:
            since = times[scan] - starts
            latest = int(((since > 0.0) & (since < HOUR - ROUNDING)).sum())
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
    rests, times = ~turning(trace) & pump.Adopted, trace.system.ControlTime[:, 0]
    for scan, slot in zip(*(stops & ~must).nonzero(), strict=True):
        stood = rests[:scan, slot].nonzero()[0]
        if len(stood):
            ran = times[scan] - times[stood[-1]]
            found[scan, slot] = ran >= pump.MinRun[scan, slot] - ROUNDING
    return found


def a_run_lasts_no_longer_than_the_motor_turned_and_a_rest_than_it_stood(trace: Trace) -> Array:
    """RunTime is 0 at rest and OffTime while it runs, and both count up as time does."""
    pump, was = trace.pump, trace.was
    turned = turning(trace)
    goes_on = (pump.RunTime <= was.RunTime + trace.elapsed) & (pump.OffTime == 0.0)
    unknown = (was.RunTime == 0.0) & (was.OffTime == 0.0)
    rests = (pump.OffTime <= was.OffTime + trace.elapsed) | unknown
    return (pump.Turning == turned) & np.where(turned, goes_on & (pump.RunTime > 0.0), rests)


OF_STARTS: tuple[Invariant, ...] = (
    no_more_starts_in_an_hour_than_allowed,
    no_start_before_the_pump_has_rested,
    no_stop_before_the_pump_has_run_its_time_but_by_a_trip,
    a_run_lasts_no_longer_than_the_motor_turned_and_a_rest_than_it_stood,
)
