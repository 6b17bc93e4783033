"""What holds of starts and run times over a whole trace, as one who watches would count them.

Nothing here reads a counter of the program: starts are what was commanded of a standing motor, and
what was reported of one that nobody commanded, at the times of System.ControlTime.
"""

from __future__ import annotations

import numpy as np

from tests.blocks.invariants import (
    ON_LOSS_STOP,
    Invariant,
    adopted,
    local,
    over,
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


def starts_of(trace: Trace, all_commanded: Array, slot: int, as_seen: bool) -> list[float]:
    """When the motor of a pump was started, whoever did it; of one that was commanded, when that
    was, or, `as_seen`, when the motor was seen to turn.

    A command that the next restart forgets at once is none, nor is one whom control finds running.
    """
    forgotten = np.append(trace.begins[1:], False)[:, None]
    commanded = (all_commanded & ~forgotten)[:, slot].tolist()
    pump, was = trace.pump, trace.was
    reported = pump.Running & ~was.Running & was.Adopted & pump.Configured
    if as_seen:  # a motor that was not heard of and turns now may have stood meanwhile
        turns = turning(trace)
        stood = ~np.vstack([np.zeros_like(turns[:1]), turns[:-1]])
        reported |= turns & stood & (pump.RunningQuality == GOOD) & was.Adopted & pump.Configured
    times = trace.system.ControlTime[:, 0].tolist()
    asked = False  # and not yet reported
    starts: list[float] = []
    rows = zip(times, commanded, reported[:, slot].tolist(), was.Setpoint[:, slot], strict=True)
    for time, is_commanded, is_reported, before in rows:
        if is_reported and asked and as_seen:
            starts[-1] = time
        if is_commanded or (is_reported and not asked):
            starts.append(time)
        asked = is_commanded or (asked and before > 0.0 and not is_reported)
    return starts


def _latest(trace: Trace, commanded: Array, slot: int, scans: Array, as_seen: bool) -> Array:
    """How many starts of a pump are younger than an hour in each of some scans."""
    starts = np.array(starts_of(trace, commanded, slot, as_seen) if len(scans) else [])
    since = trace.system.ControlTime[scans] - starts
    return ((since > 0.0) & (since < HOUR - ROUNDING)).sum(axis=1)


def no_more_starts_in_an_hour_than_allowed(trace: Trace) -> Array:
    found = np.ones(trace.pump.Setpoint.shape, bool)
    commanded = commanded_starts(trace)
    for slot in range(found.shape[1]):
        scans = commanded[:, slot].nonzero()[0]
        latest = _latest(trace, commanded, slot, scans, as_seen=False)
        found[scans, slot] = latest < trace.pump.MaxStartsPerHour[scans, slot]
    return found


def no_start_is_held_back_without_a_reason(trace: Trace) -> Array:
    """Until the first restart: then a pump has a past that the trace doesn't show."""
    pump, found = trace.pump, np.ones(trace.pump.Setpoint.shape, bool)
    held = (pump.Command > 0.0) & (pump.Setpoint == 0.0) & pump.Configured & ~turning(trace)
    held &= trace.level_good & ~pump.LevelTrip & ~over(trace) & ~local(trace) & (trace.low > 0.0)
    held &= (np.cumsum(trace.begins) == 1)[:, None]
    times, commanded = trace.system.ControlTime[:, 0], commanded_starts(trace)
    for slot in range(found.shape[1]):
        scans = held[:, slot].nonzero()[0]
        latest = _latest(trace, commanded, slot, scans, as_seen=True)
        too_many = latest >= pump.MaxStartsPerHour[scans, slot]
        since = _rest_since(trace, slot)
        for scan, by_starts in zip(scans, too_many, strict=True):
            rested = times[scan] - since[scan]
            found[scan, slot] = by_starts or rested < pump.MinOff[scan, slot]
    return found


def _rest_since(trace: Trace, slot: int) -> list[float]:
    """Since when the motor rests, in each scan: since it was first known to, after it last turned.

    It is not known while feedback is lost and the setpoint is not the scan's own.
    """
    pump, was = trace.pump, trace.was
    known = (pump.RunningQuality == GOOD) | was.Adopted | ~pump.Configured
    since, turned, found = -np.inf, False, []
    times = trace.system.ControlTime[:, 0]
    for time, turns, is_known in zip(times, turning(trace)[:, slot], known[:, slot], strict=True):
        turned = turned or turns
        if turned and not turns and is_known:
            since, turned = time, False
        found.append(np.inf if turned else since)
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
    no_start_is_held_back_without_a_reason,
    no_start_before_the_pump_has_rested,
    no_stop_before_the_pump_has_run_its_time_but_by_a_trip,
    a_run_lasts_no_longer_than_the_motor_turned_and_a_rest_than_it_stood,
)
