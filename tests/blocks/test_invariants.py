"""What holds in every scan, whatever comes in: the promises that safety rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace as Row

from hypothesis import given

from runtime.layout import is_input
from runtime.tag import Tag
from runtime.tags import Pump, Station, System
from tests.blocks.courses import play
from tests.blocks.oracle import rows
from tests.blocks.random_courses import BOUNDED, Course, courses, tried
from tests.plc import Plc

GOOD = 2
DIRECT, LEVEL, POWER = range(3)  # Pump.ControlType
PLAN, FAILSAFE, EMERGENCY_STOP = 1, 3, 4  # Pump.Authority
FILLING = 1  # Station.FlowDirection
STOP, DEFAULT, HOLD = range(3)  # Station.WithoutLevel


@dataclass(frozen=True)
class Case:
    """One pump in one scan: its row before and after, and the limits that its parameters set."""

    was: Row
    pump: Row
    station: Row
    elapsed: float

    @property
    def low(self) -> float:
        return float(max(self.pump.MinSpeed, self.pump.HardMinSpeed))

    @property
    def high(self) -> float:
        return float(min(self.pump.MaxSpeed, self.pump.HardMaxSpeed))

    @property
    def step(self) -> float:
        """The most that the rate of change allows in this scan."""
        return float(self.pump.MaxSpeedChange * self.elapsed)

    @property
    def before(self) -> float:
        """The setpoint before, as the limits of now allow it."""
        return self.within(self.was.Setpoint)

    @property
    def default(self) -> float:
        return self.within(self.pump.DefaultSetpoint)

    def within(self, speed: float) -> float:
        return min(max(speed, self.low), self.high) if speed > 0.0 else 0.0

    @property
    def over(self) -> bool:
        """More power or flow is measured than is allowed."""
        pump = self.pump
        power = pump.PowerQuality == GOOD and pump.Power > pump.HardMaxPower
        return bool(power or (pump.FlowQuality == GOOD and pump.Flow > pump.HardMaxFlow))


def the_setpoint_is_stop_or_within_all_speed_limits(case: Case) -> None:
    pump = case.pump
    assert pump.Setpoint == 0.0 or (
        pump.HardMinSpeed <= pump.Setpoint <= pump.HardMaxSpeed
        and pump.MinSpeed <= pump.Setpoint <= pump.MaxSpeed
    )
    assert (pump.LowLimit, pump.HighLimit) == (case.low, case.high)


def a_pump_that_is_not_configured_stands(case: Case) -> None:
    assert case.pump.Configured or case.pump.Setpoint == 0.0


def a_start_begins_at_the_lowest_speed(case: Case) -> None:
    if case.was.Setpoint == 0.0 and case.pump.Setpoint > 0.0:
        assert case.pump.Setpoint == case.low or (
            case.low == 0.0 and case.pump.Setpoint <= case.step
        )


def speed_rises_no_faster_than_allowed(case: Case) -> None:
    if 0.0 < case.was.Setpoint < case.pump.Setpoint:
        assert case.pump.Setpoint <= max(case.was.Setpoint + case.step, case.low)


def only_a_trip_makes_speed_fall_faster_than_allowed(case: Case) -> None:
    pump = case.pump
    slower = case.was.Setpoint - case.step
    if pump.Setpoint < slower and pump.Configured and not pump.Stopped and not pump.LevelTrip:
        assert pump.Setpoint == case.high or (pump.Setpoint == 0.0 and slower < case.low)


def a_stop_is_carried_out(case: Case) -> None:
    if case.pump.Demand <= 0.0 and case.was.Setpoint - case.step < case.low:
        assert case.pump.Setpoint == 0.0


def an_emergency_stop_beats_everything(case: Case) -> None:
    pump = case.pump
    assert (pump.Authority == EMERGENCY_STOP) == pump.Stopped
    if pump.Stopped:
        assert pump.Setpoint <= (0.0 if pump.EmergencyAction == 1 else case.default)


def failsafe_beats_the_plan_and_moves_only_towards_the_default(case: Case) -> None:
    pump = case.pump
    if not case.station.Failsafe or pump.Stopped:
        return
    assert pump.Authority == FAILSAFE
    assert pump.Setpoint <= max(case.before, case.default)
    free = case.station.LevelQuality == GOOD and not pump.LevelTrip and not case.over
    if free and pump.Configured:
        assert pump.Setpoint >= min(case.before, case.default)


def a_level_at_its_limit_stops_the_pump_in_the_same_scan_and_until_it_is_restored(
    case: Case,
) -> None:
    pump, level = case.pump, case.station.Level
    if case.station.FlowDirection == FILLING:
        reached = level >= pump.HardMaxLevel or level >= pump.EmergencyStopLevel
        restored = level <= pump.RestartLevel
    else:
        lowest = (pump.HardMinLevel, pump.EmergencyStopLevel, pump.DryRunLevel)
        reached = any(level <= limit for limit in lowest)
        restored = level >= pump.RestartLevel
    good = case.station.LevelQuality == GOOD
    assert pump.LevelTrip == (
        (good and reached and pump.Configured) or (case.was.LevelTrip and not (good and restored))
    )
    assert pump.Setpoint == 0.0 or not pump.LevelTrip


def without_a_level_nothing_rises_but_as_the_engineer_decided(case: Case) -> None:
    pump = case.pump
    if case.station.LevelQuality == GOOD:
        return
    by_level = pump.ControlType == LEVEL and pump.Authority == PLAN
    if by_level or case.station.WithoutLevel != DEFAULT:
        assert pump.Setpoint <= case.before
    else:
        assert pump.Setpoint <= max(case.before, case.default)
    if case.station.WithoutLevel == STOP and case.was.Setpoint > 0.0:
        assert pump.Setpoint <= max(min(case.was.Setpoint - case.step, case.high), case.low)


def too_much_power_or_flow_never_raises_the_speed(case: Case) -> None:
    if case.over:
        assert case.pump.Setpoint <= case.before


def a_bad_power_never_raises_the_speed(case: Case) -> None:
    pump = case.pump
    if pump.ControlType == POWER and pump.Authority == PLAN and pump.PowerQuality != GOOD:
        assert pump.Setpoint <= (case.before or case.low)


def a_plan_of_nothing_starts_nothing(case: Case) -> None:
    pump = case.pump
    asked = (pump.TargetSpeed, math.inf, pump.TargetPower)[pump.ControlType]
    if pump.Authority == PLAN and asked <= 0.0:
        assert pump.Setpoint <= case.before


def nothing_shown_is_infinite_or_no_number(case: Case) -> None:
    for tag in (*Pump.tags(), *Station.tags()):
        if tag.is_float and not is_input(tag) and tag is not Pump.ManualSetpoint:
            assert math.isfinite(
                getattr(case.pump if tag.table == "Pump" else case.station, tag.name)
            )


INVARIANTS = (
    the_setpoint_is_stop_or_within_all_speed_limits,
    a_pump_that_is_not_configured_stands,
    a_start_begins_at_the_lowest_speed,
    speed_rises_no_faster_than_allowed,
    only_a_trip_makes_speed_fall_faster_than_allowed,
    a_stop_is_carried_out,
    an_emergency_stop_beats_everything,
    failsafe_beats_the_plan_and_moves_only_towards_the_default,
    a_level_at_its_limit_stops_the_pump_in_the_same_scan_and_until_it_is_restored,
    without_a_level_nothing_rises_but_as_the_engineer_decided,
    too_much_power_or_flow_never_raises_the_speed,
    a_bad_power_never_raises_the_speed,
    a_plan_of_nothing_starts_nothing,
    nothing_shown_is_infinite_or_no_number,
)


@BOUNDED
@tried(300)
@given(courses(consistent=True))
def test_every_scan_keeps_the_invariants(course: Course) -> None:
    plc, events = course
    before = rows(plc.columns, Pump)
    for _ in play(plc, events):
        after, stations = rows(plc.columns, Pump), rows(plc.columns, Station)
        elapsed = plc.columns.value(System.Elapsed)
        for was, pump in zip(before, after, strict=True):
            case = Case(was, pump, stations[pump.Station], elapsed)
            for invariant in INVARIANTS:
                invariant(case)
        before = after


def latches(plc: Plc) -> dict[tuple[Tag, int], bool]:
    tags = (System.EmergencyStop, Station.EmergencyStop, Pump.EmergencyStop)
    return {(tag, slot): bool(set_) for tag in tags for slot, set_ in enumerate(plc[tag])}


@BOUNDED
@tried(200)
@given(courses(consistent=True))
def test_a_stop_stands_from_its_request_until_a_request_names_it(course: Course) -> None:
    plc, events = course
    before, last = latches(plc), None
    for event in play(plc, events):
        after, orders = latches(plc), event.orders if event is not last else []
        for (tag, slot), latched in after.items():
            asked = [o for o in orders if o.tag is tag and o.slot == slot]
            if before[tag, slot] and not latched:
                assert any(o.value == 0.0 and o.right for o in asked)
            configured = tag is System.EmergencyStop or in_use(plc, tag, slot)
            if configured and asked and asked[-1].value == 1.0:
                assert latched
        before, last = after, event
        for slot, station in enumerate(plc[Pump.Station]):
            pump = after[Pump.EmergencyStop, slot] or after[Station.EmergencyStop, station]
            assert plc[Pump.Stopped][slot] == (pump or after[System.EmergencyStop, 0])


def in_use(plc: Plc, tag: Tag, slot: int) -> bool:
    table = Station if tag.table == "Station" else Pump
    return bool(plc[table.Configured][slot])
