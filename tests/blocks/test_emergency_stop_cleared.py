"""Emergency stops overlap, and are cleared only by name and when their cause is gone."""

from __future__ import annotations

import pytest

from runtime.requests import Result
from runtime.tag import Tag
from runtime.tags import Pump
from tests.blocks.stoppable import DEFAULT, OF_PUMP, OF_STATION, OF_SYSTEM, stoppable
from tests.plc import Plc


@pytest.fixture
def plc() -> Plc:
    return stoppable()


def test_clearing_names_the_stop_in_force(plc: Plc) -> None:
    first = plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step(2)
    wrong = plc.ask(Pump.EmergencyStop, 0, 0, reference=first + 1)
    none = plc.ask(Pump.EmergencyStop, 1, 0, reference=0)
    plc.step()
    assert plc.result(wrong) is Result.UNKNOWN_STOP
    assert plc.result(none) is Result.UNKNOWN_STOP
    assert plc[Pump.EmergencyStop][0]
    right = plc.ask(Pump.EmergencyStop, 0, 0, reference=first)
    plc.step()
    assert plc.result(right) is Result.EXECUTED
    assert not plc[Pump.EmergencyStop][0]


def test_a_stop_that_replaces_another_in_one_scan_is_not_cleared_in_its_name(plc: Plc) -> None:
    first = plc.ask(OF_PUMP, 0, 1)
    plc.step(2)
    cleared = plc.ask(OF_PUMP, 0, 0, reference=first)
    second = plc.ask(OF_PUMP, 0, 1)
    again = plc.ask(OF_PUMP, 0, 1)
    late = plc.ask(OF_PUMP, 0, 0, reference=first)
    plc.step()
    assert [plc.result(asked) for asked in (cleared, second, again)] == [Result.EXECUTED] * 3
    assert plc.result(late) is Result.UNKNOWN_STOP
    assert plc[Pump.EmergencyStop][0]
    assert plc[Pump.EmergencyStopId][0] == second


def test_a_stop_set_and_cleared_in_one_scan_is_cleared(plc: Plc) -> None:
    stop = plc.ask(OF_PUMP, 0, 1)
    plc[Pump.EmergencyAction][:] = DEFAULT
    cleared = plc.ask(OF_PUMP, 0, 0, reference=stop)
    plc.step()
    assert plc.result(cleared) is Result.EXECUTED
    assert not plc[Pump.EmergencyStop][0]


def test_the_stop_of_a_retired_pump_can_be_cleared_but_none_can_be_set(plc: Plc) -> None:
    stop = plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step(2)
    plc[Pump.Configured][:2] = False
    cleared = plc.ask(Pump.EmergencyStop, 0, 0, reference=stop)
    refused = plc.ask(Pump.EmergencyStop, 1, 1)
    plc.step()
    assert plc.result(cleared) is Result.EXECUTED
    assert plc.result(refused) is Result.UNKNOWN_SLOT
    assert not plc[Pump.EmergencyStop].any()


def test_overlapping_stops_are_cleared_each_for_itself(plc: Plc) -> None:
    stops = {latch: plc.ask(latch, 0, 1) for latch in (OF_PUMP, OF_STATION, OF_SYSTEM)}
    plc.step(2)
    for latch, identity in stops.items():
        assert plc[Pump.Stopped][0], f"still stopped before {latch} is cleared"
        plc.ask(latch, 0, 0, reference=identity)
        plc.step()
    assert not plc[Pump.Stopped].any()


def test_clearing_starts_with_the_lowest_speed_and_ramps(plc: Plc) -> None:
    identity = plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step(2)
    plc.ask(Pump.EmergencyStop, 0, 0, reference=identity)
    plc.step()
    assert plc[Pump.Setpoint][0] == 25.0
    plc.run_for(1.0)
    assert plc[Pump.Setpoint][0] == pytest.approx(27.0)


@pytest.mark.parametrize("scope", [OF_PUMP, OF_STATION, OF_SYSTEM])
def test_a_stop_is_not_cleared_while_a_pump_in_its_scope_runs_on(plc: Plc, scope: Tag) -> None:
    stop = plc.ask(scope, 0, 1)
    plc.step(2)
    plc.before_scan = None
    plc[Pump.MeasuredRunning][0] = True
    plc.step()
    refused = plc.ask(scope, 0, 0, reference=stop)
    plc.step()
    assert plc.result(refused) is Result.CAUSE_REMAINS
    assert plc[scope][0]
    plc[Pump.MeasuredRunning][0] = False
    plc.step()
    cleared = plc.ask(scope, 0, 0, reference=stop)
    plc.step()
    assert plc.result(cleared) is Result.EXECUTED
    assert not plc[scope][0]


@pytest.mark.parametrize(
    ("tag", "slot", "value", "scope"),
    [
        (Pump.MeasuredLocal, 0, True, OF_SYSTEM),
        (Pump.MeasuredTime, 0, 0.0, OF_SYSTEM),
        (Pump.EmergencyAction, 0, DEFAULT, OF_SYSTEM),
        (Pump.Configured, 0, False, OF_SYSTEM),
        (Pump.MeasuredRunning, 1, True, OF_PUMP),
        (Pump.MeasuredRunning, 2, True, OF_STATION),
    ],
)
def test_a_stop_is_cleared_though_a_pump_runs_that_it_does_not_stop(
    plc: Plc, tag: Tag, slot: int, value: float, scope: Tag
) -> None:
    stop = plc.ask(scope, 0, 1)
    plc.step(2)

    def run_on(plc: Plc) -> None:
        plc[Pump.MeasuredRunning][0] = tag is not Pump.MeasuredRunning
        plc[tag][slot] = value

    plc.before_scan = run_on
    plc.step()
    cleared = plc.ask(scope, 0, 0, reference=stop)
    plc.step()
    assert plc.result(cleared) is Result.EXECUTED
