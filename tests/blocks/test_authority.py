"""Who commands a pump, and that a change of command is no jump of the speed."""

from __future__ import annotations

import itertools
import math

import pytest

from runtime.tags import Pump, Station
from tests.plc import Plc, obey

DEFAULT, PLAN, MANUAL, FAILSAFE, EMERGENCY_STOP, LOCAL = range(6)
AUTO, BY_HAND = range(2)
NOT_A_NUMBER = 1 << 6


@pytest.fixture
def plc() -> Plc:
    plc = Plc()
    plc.before_scan = obey
    return plc


@pytest.mark.parametrize(
    ("stopped", "local", "failsafe", "by_hand", "planned"),
    [*itertools.product([False, True], repeat=5)],
)
def test_the_highest_authority_that_has_something_to_say_commands(
    plc: Plc, stopped: bool, local: bool, failsafe: bool, by_hand: bool, planned: bool
) -> None:
    plc.settle()
    plc.before_scan = None
    plc[Pump.MeasuredSpeed][0] = 41.0
    plc[Pump.MeasuredLocal][0] = local
    if by_hand:
        plc.ask(Pump.Mode, 0, BY_HAND)
        plc.ask(Pump.ManualSetpoint, 0, 30.0)
    if planned:
        plc.plan(0, speed=45.0)
    if failsafe:
        plc[Station.PlanTime][:] = 0.0
    if stopped:
        plc[Pump.EmergencyAction][:] = 1
        plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step()
    expected = (
        (EMERGENCY_STOP, 0.0)
        if stopped
        else (LOCAL, 41.0)
        if local
        else (FAILSAFE, 35.0)
        if failsafe
        else (MANUAL, 30.0)
        if by_hand
        else (PLAN, plc[Pump.DirectDemand][0])
        if planned
        else (DEFAULT, 35.0)
    )
    assert (plc[Pump.Authority][0], plc[Pump.Demand][0]) == expected


@pytest.mark.parametrize(
    ("control_type", "target"), [(0, {"speed": 44.0}), (1, {"level": 1.2}), (2, {"power": 20.0})]
)
def test_taking_over_by_hand_and_giving_back_are_bumpless(
    plc: Plc, control_type: int, target: dict[str, float]
) -> None:
    plc[Pump.ControlType][:] = control_type
    plc[Pump.MeasuredPower][:] = 15.0
    plc.plan(0, **target)
    plc.run_for(5.0)
    before = plc[Pump.Setpoint][0]
    plc.ask(Pump.Mode, 0, BY_HAND)
    plc.run_for(5.0)
    assert plc[Pump.Authority][0] == MANUAL
    assert plc[Pump.ManualSetpoint][0] == plc[Pump.Setpoint][0] == before
    plc.ask(Pump.Mode, 0, AUTO)
    plc.step()
    assert plc[Pump.Authority][0] == PLAN
    for _ in range(10):
        last = plc[Pump.Setpoint][0]
        plc.step()
        assert abs(plc[Pump.Setpoint][0] - last) <= 0.2 + 1e-9


@pytest.mark.parametrize(("control_type", "target"), [(1, {"level": 1.2}), (2, {"power": 20.0})])
def test_a_controller_goes_on_from_the_speed_that_failsafe_leaves(
    plc: Plc, control_type: int, target: dict[str, float]
) -> None:
    plc[Pump.ControlType][:] = control_type
    plc[Pump.MeasuredPower][:] = 15.0
    plc.plan(0, **target)
    plc.run_for(60.0)
    plc[Station.PlanTime][:] = 0.0
    plc.settle()
    assert plc[Pump.Setpoint][0] == 35.0
    plc.renew()
    plc.step(2)
    assert plc[Pump.Authority][0] == PLAN
    assert plc[Pump.Setpoint][0] == pytest.approx(35.0, abs=1e-9)


def test_a_pump_stopped_by_hand_stays_so_until_it_is_given_back(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    plc.settle()
    plc.ask(Pump.Mode, 0, BY_HAND)
    plc.ask(Pump.ManualSetpoint, 0, 0.0)
    plc.settle()
    assert plc[Pump.Setpoint][0] == 0.0
    plc.ask(Pump.Mode, 0, AUTO)
    plc.step()
    assert plc[Pump.Setpoint][0] == 25.0


def test_asking_for_manual_again_does_not_take_over_again(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    plc.settle()
    plc.ask(Pump.Mode, 0, BY_HAND)
    plc.ask(Pump.ManualSetpoint, 0, 30.0)
    plc.run_for(1.0)
    plc.ask(Pump.Mode, 0, BY_HAND)
    plc.settle()
    assert plc[Pump.ManualSetpoint][0] == plc[Pump.Setpoint][0] == 30.0


def test_a_manual_setpoint_lets_the_plan_alone_until_the_mode_is_manual(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    plc.settle()
    plc.ask(Pump.ManualSetpoint, 0, 30.0)
    plc.settle()
    assert plc[Pump.Setpoint][0] == 45.0


def test_manual_outlives_failsafe_and_emergency_stop(plc: Plc) -> None:
    plc.ask(Pump.Mode, 0, BY_HAND)
    plc.ask(Pump.ManualSetpoint, 0, 30.0)
    stop = plc.ask(Pump.EmergencyStop, 0, 1)
    plc[Station.PlanTime][:] = 0.0
    plc.settle()
    plc.renew()
    plc.ask(Pump.EmergencyStop, 0, 0, reference=stop)
    plc.settle()
    assert plc[Pump.Authority][0] == MANUAL
    assert plc[Pump.Setpoint][0] == 30.0


@pytest.mark.parametrize("restored", [math.nan, math.inf, -math.inf])
def test_a_demand_that_is_no_number_becomes_the_default_and_says_so(
    plc: Plc, restored: float
) -> None:
    plc[Pump.Mode][0] = BY_HAND
    plc[Pump.ManualSetpoint][0] = restored
    plc.settle()
    assert plc[Pump.Setpoint][0] == 35.0
    assert plc[Pump.Limited][0] & NOT_A_NUMBER


def test_pumps_are_commanded_each_for_itself(plc: Plc) -> None:
    for slot, speed in enumerate([30.0, 35.0, 40.0, 45.0]):
        plc.plan(slot, speed=speed)
    plc.ask(Pump.Mode, 2, BY_HAND)
    plc.ask(Pump.ManualSetpoint, 2, 50.0)
    plc.settle()
    assert plc[Pump.Setpoint].tolist() == [30.0, 35.0, 50.0, 45.0]


def test_under_local_control_the_setpoint_follows_the_measured_speed(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    plc.settle()
    plc.before_scan = None
    plc[Pump.MeasuredLocal][0] = True
    for speed in (44.0, 31.0, 49.5):
        plc[Pump.MeasuredSpeed][0] = speed
        plc.run_for(1.0)
        assert plc[Pump.Authority][0] == LOCAL
        assert plc[Pump.Setpoint][0] == speed
        assert plc[Pump.Limited][0] == 0
    plc[Pump.MeasuredLocal][0] = False
    plc.step()
    assert plc[Pump.Authority][0] == PLAN
    assert plc[Pump.Setpoint][0] == pytest.approx(49.3), "taken back without a bump"


def test_under_local_control_a_pump_at_rest_has_no_setpoint(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    plc.settle()
    plc.before_scan = None
    plc[Pump.MeasuredLocal][0] = True
    plc[Pump.MeasuredRunning][0] = False
    plc.step()
    assert plc[Pump.Setpoint][0] == 0.0


def test_local_control_without_a_good_speed_leaves_the_setpoint_as_it_is(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    plc.settle()
    plc.before_scan = None
    plc[Pump.MeasuredLocal][0] = True
    plc[Pump.MeasuredSpeed][0] = math.nan
    plc.plan(0, speed=30.0)
    plc.settle()
    assert plc[Pump.Setpoint][0] == 45.0


def test_local_control_that_is_not_reported_in_time_is_none(plc: Plc) -> None:
    plc.plan(0, speed=45.0)
    plc[Pump.MeasuredLocal][0] = True
    plc.step()
    plc.fresh = False
    plc.run_for(29.0)
    assert plc[Pump.Authority][0] == LOCAL
    plc.run_for(2.0)
    assert plc[Pump.Authority][0] == PLAN
