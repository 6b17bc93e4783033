"""What holds in every scan of a trace, whatever comes in: the promises that safety rests on.

Each promise is a formula: true for every scan and every pump of which it holds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.blocks.trace import GOOD, Array, Trace

DIRECT, LEVEL, POWER = range(3)  # Pump.ControlType
PLAN, MANUAL, FAILSAFE, EMERGENCY_STOP, LOCAL = range(1, 6)  # Pump.Authority
STOP = 1  # Pump.EmergencyAction
MAX_RUN = 1 << 3  # Pump.Guarded
ON_LOSS_STOP, ON_LOSS_DEFAULT = 0, 1  # Station.WithoutLevel

Invariant = Callable[[Trace], Array]


def implies(condition: Array, consequence: Array) -> Array:
    return ~condition | consequence


def local(trace: Trace) -> Array:
    return trace.pump.Authority == LOCAL


def found_running(trace: Trace) -> Array:
    """When control began, before there was any setpoint of ours."""
    pump, was = trace.pump, trace.was
    return (pump.RunningQuality == GOOD) & pump.Running & ~was.Adopted & (was.Setpoint == 0.0)


def adopted(trace: Trace) -> Array:
    """A pump that is found running, whose speed is taken over."""
    return found_running(trace) & (trace.pump.SpeedQuality == GOOD)


def over(trace: Trace) -> Array:
    """More power or flow is measured than is allowed."""
    pump = trace.pump
    power = (pump.PowerQuality == GOOD) & (pump.Power > pump.HardMaxPower)
    return power | ((pump.FlowQuality == GOOD) & (pump.Flow > pump.HardMaxFlow))


def takes_over(trace: Trace) -> Array:
    """The pump runs in place of another, or did so until another takes over in this scan."""
    found = np.zeros(trace.pump.Setpoint.shape, bool)
    for relieved_by in (trace.pump.RelievedBy, trace.was.RelievedBy):
        scans, slots = relieved_by.nonzero()
        found[scans, relieved_by[scans, slots].astype(int) - 1] = True
    return found


def guarded(trace: Trace) -> Array:
    """The level, or another pump's run time, asks the pump to run."""
    return trace.pump.AllRun | trace.pump.RunsOn | trace.pump.GuardRun | takes_over(trace)


def level_lost(trace: Trace) -> Array:
    return ~trace.level_good


def nothing_shown_is_infinite_or_no_number(trace: Trace) -> Array:
    """In any table, of whichever pump."""
    finite = np.isfinite(trace.numbers).all(axis=1)
    return np.broadcast_to(finite[:, None], trace.pump.Setpoint.shape)


def the_setpoint_is_stop_or_within_all_speed_limits(trace: Trace) -> Array:
    pump, speed = trace.pump, trace.pump.Setpoint
    inside = (pump.HardMinSpeed <= speed) & (speed <= pump.HardMaxSpeed)
    inside &= (pump.MinSpeed <= speed) & (speed <= pump.MaxSpeed)
    shown = (pump.LowLimit == trace.low) & (pump.HighLimit == trace.high)
    return ((speed == 0.0) | inside) & shown


def a_pump_that_is_not_configured_stands(trace: Trace) -> Array:
    return implies(~trace.pump.Configured, trace.pump.Setpoint == 0.0)


def a_start_begins_at_the_lowest_speed(trace: Trace) -> Array:
    speed = trace.pump.Setpoint
    starts = (trace.was.Setpoint == 0.0) & (speed > 0.0) & ~local(trace) & ~adopted(trace)
    return implies(starts, (speed == trace.low) | ((trace.low == 0.0) & (speed <= trace.step)))


def speed_rises_no_faster_than_allowed(trace: Trace) -> Array:
    before, speed = trace.was.Setpoint, trace.pump.Setpoint
    rises = (before > 0.0) & (before < speed) & ~local(trace)
    return implies(rises, speed <= np.maximum(before + trace.step, trace.low))


def only_a_trip_makes_speed_fall_faster_than_allowed(trace: Trace) -> Array:
    pump, speed = trace.pump, trace.pump.Setpoint
    slower = trace.was.Setpoint - trace.step
    falls = (speed < slower) & pump.Configured & ~pump.Stopped & ~pump.LevelTrip & ~local(trace)
    return implies(falls, (speed == trace.high) | ((speed == 0.0) & (slower < trace.low)))


def a_stop_is_carried_out(trace: Trace) -> Array:
    """Unless the pump has run too short a time."""
    pump = trace.pump
    stops = (pump.Command <= 0.0) & (trace.was.Setpoint - trace.step < trace.low)
    too_short = pump.Turning & (pump.RunTime < pump.MinRun)
    stops &= ~too_short & trace.level_good & ~adopted(trace)
    return implies(stops, pump.Setpoint == 0.0)


def an_emergency_stop_beats_everything_and_starts_nothing(trace: Trace) -> Array:
    pump = trace.pump
    highest = np.where(pump.EmergencyAction == STOP, 0.0, trace.default)
    highest = np.where(trace.was.Setpoint == 0.0, 0.0, highest)
    beats = (pump.Authority == EMERGENCY_STOP) == pump.Stopped
    return beats & implies(pump.Stopped & ~found_running(trace), pump.Setpoint <= highest)


def failsafe_beats_the_plan_and_moves_only_towards_the_default(trace: Trace) -> Array:
    pump = trace.pump
    failsafe = trace.station.Failsafe & ~pump.Stopped & ~local(trace)
    freely = failsafe & ~guarded(trace) & ~adopted(trace)
    rises_to = np.maximum(trace.before, trace.default)
    obeys = implies(freely, pump.Setpoint <= rises_to) & implies(
        failsafe, pump.Authority == FAILSAFE
    )
    held = pump.LevelTrip | pump.LevelStop | over(trace) | ~trace.level_good | ~pump.Configured
    held = held | (pump.Guarded > 0) | (trace.was.Setpoint == 0.0)
    return obeys & implies(freely & ~held, pump.Setpoint >= np.minimum(trace.before, trace.default))


def a_station_is_in_failsafe_by_the_age_of_its_plans_or_the_silence_of_scada(trace: Trace) -> Array:
    station = trace.station
    in_time = trace.system.Now - station.PlanTime < station.WatchdogTimeout
    in_time &= station.PlanTime != 0.0
    return station.Failsafe == (station.Configured & (trace.abandoned | ~in_time))


def at_high_level_a_pump_that_must_rest_waits_until_another_turns(trace: Trace) -> Array:
    pump = trace.pump
    rests = (pump.Guarded & MAX_RUN > 0) & (pump.Command <= 0.0)
    others = trace.any_of_station(pump.Turning)
    return implies(rests & pump.LevelStart, others) & implies(rests, ~pump.AllRun)


def a_plan_of_nothing_starts_nothing(trace: Trace) -> Array:
    pump = trace.pump
    target: Array = np.where(pump.ControlType == POWER, pump.TargetPower, pump.TargetSpeed)
    asks_none = (target <= 0.0) & (pump.ControlType != LEVEL) & (pump.Authority == PLAN)
    asks_none &= ~guarded(trace) & trace.level_good & ~adopted(trace)
    too_short = pump.Turning & (pump.RunTime < pump.MinRun)
    return implies(asks_none & ~too_short, pump.Setpoint <= trace.before)


def too_much_power_or_flow_never_raises_the_speed(trace: Trace) -> Array:
    return implies(
        over(trace) & ~local(trace) & ~adopted(trace), trace.pump.Setpoint <= trace.before
    )


def a_bad_power_never_raises_the_speed(trace: Trace) -> Array:
    pump = trace.pump
    blind = (pump.ControlType == POWER) & (pump.Authority == PLAN) & (pump.PowerQuality != GOOD)
    blind &= ~guarded(trace) & trace.level_good & ~adopted(trace)
    highest = np.where(trace.before > 0.0, trace.before, trace.low)
    return implies(blind, pump.Setpoint <= highest)


def local_control_is_tracked(trace: Trace) -> Array:
    """What runs under local control goes by what it does, so that it comes back without a bump."""
    pump = trace.pump
    by_hand = pump.LocalControl & (pump.RunningQuality == GOOD) & ~pump.Stopped & pump.Configured
    tracks: Array = np.where(pump.SpeedQuality == GOOD, trace.within(pump.Speed), trace.before)
    tracks = np.where(pump.Running & ~pump.LevelTrip, tracks, 0.0)
    return (by_hand == (local(trace) & pump.Configured)) & implies(
        by_hand & trace.level_good & ~over(trace), pump.Setpoint == tracks
    )


GENERAL: tuple[Invariant, ...] = (
    nothing_shown_is_infinite_or_no_number,
    the_setpoint_is_stop_or_within_all_speed_limits,
    a_pump_that_is_not_configured_stands,
    a_start_begins_at_the_lowest_speed,
    speed_rises_no_faster_than_allowed,
    only_a_trip_makes_speed_fall_faster_than_allowed,
    a_stop_is_carried_out,
    an_emergency_stop_beats_everything_and_starts_nothing,
    failsafe_beats_the_plan_and_moves_only_towards_the_default,
    a_station_is_in_failsafe_by_the_age_of_its_plans_or_the_silence_of_scada,
    at_high_level_a_pump_that_must_rest_waits_until_another_turns,
    a_plan_of_nothing_starts_nothing,
    too_much_power_or_flow_never_raises_the_speed,
    a_bad_power_never_raises_the_speed,
    local_control_is_tracked,
)
