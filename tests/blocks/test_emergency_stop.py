"""Emergency stops latch in three scopes, act at once, and outlive everything but being cleared."""

from __future__ import annotations

import pytest

from runtime.requests import Result, Role
from runtime.tag import Tag
from runtime.tags import Pump, Station, System
from tests.blocks.restarted import restarted
from tests.blocks.stoppable import DEFAULT, OF_PUMP, OF_STATION, OF_SYSTEM, STOP, stoppable
from tests.plc import Plc, obey


@pytest.fixture
def plc() -> Plc:
    return stoppable()


@pytest.mark.parametrize(
    ("latch", "slot", "stopped"),
    [
        (OF_PUMP, 2, [False, False, True, False]),
        (OF_STATION, 0, [True, True, False, False]),
        (OF_SYSTEM, 0, [True, True, True, True]),
    ],
)
def test_a_stop_is_in_the_outputs_of_the_next_scan(
    plc: Plc, latch: Tag, slot: int, stopped: list[bool]
) -> None:
    identity = plc.ask(latch, slot, 1)
    plc.step()
    assert plc.result(identity) is Result.EXECUTED
    assert plc[Pump.Stopped].tolist() == stopped
    assert plc[Pump.Setpoint].tolist() == [0.0 if stop else 45.0 for stop in stopped]


def test_a_stop_goes_to_the_default_setpoint_where_so_configured(plc: Plc) -> None:
    plc[Pump.EmergencyAction][0] = DEFAULT
    plc.ask(System.EmergencyStop, 0, 1)
    plc.step()
    assert plc[Pump.Setpoint].tolist() == [35.0, 0.0, 0.0, 0.0]


def test_a_stop_to_a_higher_default_setpoint_raises_the_speed_only_at_the_rate_of_change() -> None:
    plc = Plc()
    plc.plan(0, speed=30.0)
    plc.settle()
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step()
    assert plc[Pump.Setpoint][0] == pytest.approx(30.2)


def test_a_stop_stays_while_nobody_clears_it(plc: Plc) -> None:
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc.run_for(60.0)
    assert plc[Pump.Setpoint][0] == 0.0


def test_a_second_stop_keeps_the_identity_of_the_first(plc: Plc) -> None:
    first = plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step()
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step()
    assert plc[Pump.EmergencyStopId][0] == first


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMINISTRATOR])
def test_only_those_who_control_may_stop(plc: Plc, role: Role) -> None:
    identity = plc.ask(System.EmergencyStop, 0, 1, role=role)
    plc.step()
    assert plc.result(identity) is Result.NOT_WRITABLE
    assert not plc[System.EmergencyStop][0]


def test_a_request_that_comes_too_late_is_refused(plc: Plc) -> None:
    identity = plc.ask(System.EmergencyStop, 0, 1, deadline=plc.clock.now())
    plc.step()
    assert plc.result(identity) is Result.TOO_LATE
    assert not plc[System.EmergencyStop][0]


def test_stop_beats_failsafe_manual_and_plan(plc: Plc) -> None:
    plc.ask(Pump.Mode, 0, 1)
    plc[Station.PlanTime][:] = -5000.0
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step()
    assert plc[Station.Failsafe][0]
    assert plc[Pump.Authority][0] == 4
    assert plc[Pump.Setpoint][0] == 0.0


def test_a_stop_starts_no_pump_whose_default_setpoint_would_have_it_run() -> None:
    plc = Plc()
    plc.plan(0, speed=0.0)
    plc.settle()
    plc.ask(OF_SYSTEM, 0, 1)
    plc.settle()
    assert plc[Pump.Authority][0] == 4
    assert plc[Pump.Setpoint][0] == 0.0


def test_a_pump_found_running_under_a_latched_stop_goes_to_its_default_setpoint() -> None:
    plc = Plc()
    plc[Pump.EmergencyStop][:2] = True
    plc[Pump.EmergencyAction][1] = STOP
    plc[Pump.MeasuredRunning][:] = True
    plc[Pump.MeasuredSpeed][:] = 45.0
    plc.step()
    assert plc[Pump.Setpoint].tolist()[:2] == [35.0, 0.0]


def test_a_latched_stop_is_in_the_outputs_of_the_first_scan_without_any_database() -> None:
    plc = Plc()
    plc[Pump.EmergencyStop][0] = True
    plc[Pump.EmergencyAction][:] = STOP
    plc.fresh = False
    for slot in range(4):
        plc.plan(slot, speed=45.0)
    plc.step(10)
    assert plc[Pump.Stopped].tolist() == [True, False, False, False]
    assert plc[Pump.Setpoint][0] == 0.0


@pytest.mark.parametrize("scope", [OF_PUMP, OF_STATION, OF_SYSTEM])
def test_a_stop_and_its_identity_outlive_a_restart_of_the_machine(plc: Plc, scope: Tag) -> None:
    stop = plc.ask(scope, 0, 1)
    plc.step(2)
    other = restarted(plc)
    other.before_scan = obey
    other[Pump.EmergencyAction][:] = STOP
    other.plan(0, speed=45.0)
    other.settle()
    assert other[Pump.Stopped][0]
    assert other[Pump.Setpoint][0] == 0.0
    other.ask(scope, 0, 0, reference=stop)
    other.settle()
    assert other[Pump.Setpoint][0] == 45.0


@pytest.mark.parametrize(("slot", "station"), [(-1, 0), (2**40, 1)])
def test_a_pump_of_no_station_at_all_is_stopped_with_the_nearest(
    plc: Plc, slot: int, station: int
) -> None:
    plc[Pump.Station][0] = slot
    plc.ask(OF_STATION, station, 1)
    plc.step()
    assert plc[Pump.Stopped][0]
