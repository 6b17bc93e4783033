"""What holds in every scan of a trace because of the level, known or not."""

from __future__ import annotations

import numpy as np

from tests.blocks.invariants import (
    MANUAL,
    ON_LOSS_DEFAULT,
    ON_LOSS_STOP,
    Invariant,
    adopted,
    implies,
    local,
    over,
)
from tests.blocks.trace import GOOD, Array, Trace


def trip_level(trace: Trace) -> Array:
    pump = trace.pump
    emptying = np.maximum(np.maximum(pump.HardMinLevel, pump.EmergencyStopLevel), pump.DryRunLevel)
    filling = np.minimum(pump.HardMaxLevel, pump.EmergencyStopLevel)
    return np.where(trace.filling, filling, emptying)


def a_level_at_its_limit_trips_in_the_same_scan_and_until_it_is_restored(trace: Trace) -> Array:
    pump = trace.pump
    known = trace.level_good & pump.Configured
    reached = known & trace.short_of(trip_level(trace))
    restored = known & trace.beyond(pump.RestartLevel)
    trips = pump.LevelTrip == (reached | (trace.was.LevelTrip & ~restored))
    return trips & implies(pump.LevelTrip, pump.Setpoint == 0.0)


def left_to_the_default(trace: Trace) -> Array:
    """The level has been lost for long, and the engineer decided for the default setpoint."""
    station = trace.station
    decided = (station.LevelLostTime > station.LevelHold) & (
        station.WithoutLevel == ON_LOSS_DEFAULT
    )
    return ~trace.level_good & decided


def at_its_stop_level_a_pump_goes_down_in_every_mode(trace: Trace) -> Array:
    pump = trace.pump
    known = trace.level_good & pump.Configured
    reached = known & trace.short_of(pump.StopLevel)
    restored = known & trace.beyond(pump.RestartLevel)
    released = restored | (pump.Configured & left_to_the_default(trace))
    latched = pump.LevelStop == (reached | (trace.was.LevelStop & ~released))
    slower = trace.was.Setpoint - trace.step
    highest = np.where(slower < trace.low, 0.0, np.minimum(slower, trace.high))
    goes_down = pump.LevelStop & trace.level_good & ~pump.Stopped & ~local(trace)
    goes_down &= ~adopted(trace)
    return latched & implies(goes_down, pump.Setpoint <= highest)


def at_its_all_run_level_no_speed_falls_and_all_rise(trace: Trace) -> Array:
    """Unless something else than the level holds the pump."""
    pump = trace.pump
    must = trace.level_good & pump.Configured & trace.beyond(pump.AllRunLevel)
    must &= ~pump.LevelTrip & ~pump.LevelStop & ~pump.Stopped & ~local(trace) & ~over(trace)
    runs = trace.was.Setpoint > 0.0
    rises = np.minimum(np.maximum(trace.was.Setpoint + trace.step, trace.low), trace.high)
    return implies(must, pump.AllRun & (pump.Command == trace.high)) & implies(
        must & runs, pump.Setpoint >= rises
    )


def after_its_all_run_level_a_pump_that_runs_may_run_on_until_its_stop_level(
    trace: Trace,
) -> Array:
    """A pump that does not turn, or that the level stops, does not."""
    pump = trace.pump
    goes_on = trace.was.RunsOn & pump.Turning & pump.LevelStart
    held = pump.LevelTrip | pump.LevelStop | pump.Stopped | ~pump.Configured
    return implies(pump.RunsOn, (pump.AllRun | goes_on) & ~held)


def at_its_start_level_a_station_has_a_pump_that_runs(trace: Trace) -> Array:
    """Or none of its pumps can."""
    pump = trace.pump
    demanded = trace.level_good & pump.Configured & trace.beyond(pump.StartLevel)
    demanded &= ~trace.short_of(pump.StopLevel) & ~trace.short_of(trip_level(trace))
    runs = pump.Turning | (pump.Command > 0.0)
    by_hand = pump.LocalControl & (pump.RunningQuality == GOOD)
    can = pump.Configured & ~pump.Stopped & ~pump.LevelTrip & ~pump.LevelStop & ~by_hand
    return implies(demanded & trace.any_of_station(can), trace.any_of_station(runs))


def without_a_level_nothing_rises_but_as_the_engineer_decided(trace: Trace) -> Array:
    pump, station = trace.pump, trace.station
    held = ~trace.level_good & (
        (station.LevelLostTime <= station.LevelHold) | (station.WithoutLevel != ON_LOSS_DEFAULT)
    )
    released = ~trace.level_good & ~held
    free = ~local(trace) & ~adopted(trace)
    return implies(held & free, pump.Setpoint <= trace.before) & implies(
        released & free, pump.Setpoint <= np.maximum(trace.before, trace.default)
    )


def without_a_level_a_pump_goes_where_the_engineer_decided(trace: Trace) -> Array:
    pump, station = trace.pump, trace.station
    decided = ~trace.level_good & (station.LevelLostTime > station.LevelHold) & ~local(trace)
    decided &= ~adopted(trace)
    slower = np.minimum(np.maximum(trace.was.Setpoint - trace.step, trace.low), trace.high)
    stops = implies(
        decided & (station.WithoutLevel == ON_LOSS_STOP) & (trace.was.Setpoint > 0.0),
        pump.Setpoint <= slower,
    )
    default = decided & (station.WithoutLevel == ON_LOSS_DEFAULT) & pump.Configured
    default &= ~pump.Stopped & ~pump.LevelTrip & ~over(trace) & (trace.was.Setpoint > 0.0)
    default &= pump.Authority != MANUAL
    return stops & implies(default, pump.Setpoint >= np.minimum(trace.before, trace.default))


def a_level_is_lost_for_as_long_as_it_is_not_good(trace: Trace) -> Array:
    lost = trace.station.LevelLostTime
    counted = np.minimum(trace.station_was.LevelLostTime + trace.elapsed, 1e9)
    return np.where(trace.level_good, lost == 0.0, lost == counted)


def a_good_level_lies_between_the_good_levels_of_the_pumps(trace: Trace) -> Array:
    pump, of = trace.pump, np.array(trace.course.station_of)
    good = pump.LevelQuality == GOOD
    found = np.ones(good.shape, bool)
    for station in set(trace.course.station_of):
        mine = of == station
        lowest = np.where(good, pump.Level, np.inf)[:, mine].min(axis=1, keepdims=True)
        highest = np.where(good, pump.Level, -np.inf)[:, mine].max(axis=1, keepdims=True)
        level = trace.station.Level[:, mine]
        between = (lowest <= level) & (level <= highest)
        found[:, mine] = trace.level_good[:, mine] == good[:, mine].any(axis=1, keepdims=True)
        found[:, mine] &= implies(trace.level_good[:, mine], between)
    return found


OF_LEVEL: tuple[Invariant, ...] = (
    a_level_at_its_limit_trips_in_the_same_scan_and_until_it_is_restored,
    at_its_stop_level_a_pump_goes_down_in_every_mode,
    at_its_all_run_level_no_speed_falls_and_all_rise,
    after_its_all_run_level_a_pump_that_runs_may_run_on_until_its_stop_level,
    at_its_start_level_a_station_has_a_pump_that_runs,
    without_a_level_nothing_rises_but_as_the_engineer_decided,
    without_a_level_a_pump_goes_where_the_engineer_decided,
    a_level_is_lost_for_as_long_as_it_is_not_good,
    a_good_level_lies_between_the_good_levels_of_the_pumps,
)
