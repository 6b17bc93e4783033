"""The cycle: time as an input, faults with safe outputs, statistics, requests answered."""

from __future__ import annotations

import math

import numpy as np
import pytest

from runtime.alarm import AlarmState
from runtime.layout import REQUESTS
from runtime.requests import PER_SCAN, Ask, Result, new_id
from runtime.scan import Fault
from runtime.tag import Tag
from runtime.tags import NUMBER, Bucket, Pump, Request, Station, System
from tests.plc import Plc


def test_time_passes_as_the_clock_says_and_the_first_scan_says_so() -> None:
    plc = Plc(period=0.25)
    plc.step()
    assert plc[System.FirstScan][0]
    assert plc[System.Elapsed][0] == 0.25
    plc.run_for(1.0)
    assert not plc[System.FirstScan][0]
    assert plc[System.Scan][0] == 5
    assert plc[System.Now][0] == plc.clock.now()


@pytest.mark.parametrize(("gap", "elapsed"), [(0.0, 0.1), (-5.0, 0.1), (0.5, 0.6), (3600.0, 1.0)])
def test_elapsed_time_is_never_zero_negative_or_long(gap: float, elapsed: float) -> None:
    plc = Plc()
    plc.step()
    plc.clock.advance(gap - (0.1 if gap <= 0 else 0.0))
    plc.step()
    assert plc[System.Elapsed][0] == pytest.approx(elapsed)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, -1e9])
def test_a_step_of_the_wall_clock_changes_no_output(jump: float) -> None:
    steady, stepped = Plc(), Plc()
    for plc in (steady, stepped):
        plc.plan(0, speed=45.0)
        plc.run_for(5.0)
    stepped.clock.step_utc(jump)
    for plc in (steady, stepped):
        plc.run_for(5.0)
    for tag in Pump.tags():
        if not tag.name.endswith("Since"):
            np.testing.assert_array_equal(steady[tag], stepped[tag], repr(tag))


def test_failsafe_comes_after_the_timeout_and_ends_with_the_next_plan() -> None:
    plc = Plc(period=1.0)
    plc.plan(0, speed=45.0)
    plc.run_for(1199.0)
    assert not plc[Station.Failsafe].any()
    assert plc[Pump.Setpoint][0] == 45.0
    plc.step()
    assert plc[Station.Failsafe].all()
    plc.run_for(10.0)
    assert plc[Pump.Setpoint][0] == 35.0
    before = plc[Pump.Setpoint][0]
    plc.renew()
    plc.step()
    assert not plc[Station.Failsafe].any()
    assert abs(plc[Pump.Setpoint][0] - before) <= 2.0, "the way back is bumpless"


def test_failsafe_is_judged_for_each_station_by_its_own_timeout() -> None:
    plc = Plc(period=1.0)
    plc[Station.WatchdogTimeout][1] = 60.0
    plc.run_for(60.0)
    assert plc[Station.Failsafe].tolist() == [False, True]


def test_a_station_that_never_had_a_plan_is_in_failsafe_from_the_first_scan() -> None:
    plc = Plc()
    plc[Station.PlanTime][0] = 0.0
    plc.step()
    assert plc[Station.Failsafe].tolist() == [True, False]


def test_the_next_interval_of_the_plan_comes_into_force_in_the_scan_that_it_is_due() -> None:
    plc = Plc()
    plc.plan(0, seconds=10.0, speed=40.0)
    plc[Pump.NextStart][0] = plc[Pump.PlanEnd][0]
    plc[Pump.NextEnd][0] = plc[Pump.PlanEnd][0] + 10.0
    plc[Pump.NextSpeed][0] = 44.0
    plc.run_for(9.9)
    assert plc[Pump.TargetSpeed][0] == 40.0
    plc.step()
    assert plc[Pump.TargetSpeed][0] == 44.0
    plc.run_for(10.0)
    assert not plc[Pump.PlanActive][0]
    assert plc[Pump.Authority][0] == 0


def break_block(name: str, plc: Plc, monkeypatch: pytest.MonkeyPatch) -> int:
    """Have a block raise from now on; its place in the program."""

    def break_down() -> None:
        raise ZeroDivisionError("made for the test")

    place = plc.scan.program.names.index(name)
    executes = list(plc.scan._execute)
    executes[place] = break_down
    monkeypatch.setattr(plc.scan, "_execute", tuple(executes))
    return place


def test_a_block_that_raises_leaves_the_safe_outputs_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plc = Plc()
    plc.plan(0, speed=45.0)
    plc.settle()
    place = break_block("supervision", plc, monkeypatch)
    with pytest.raises(Fault, match="supervision: ZeroDivisionError: made for the test"):
        plc.step()
    assert plc.last_setpoints.tolist() == [0.0] * 4
    assert plc[System.Fault][0]
    assert plc[System.FaultBlock][0] == place + 1
    assert plc[System.tag(System.Fault.state)][0] == AlarmState.UNACKNOWLEDGED


def test_an_output_that_is_no_number_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    plc = Plc()
    executes = list(plc.scan._execute)

    def poison() -> None:
        plc[Pump.Setpoint][2] = math.nan

    monkeypatch.setattr(plc.scan, "_execute", (*executes[:-1], poison))
    with pytest.raises(Fault, match=r"limits: Pump\.Setpoint is not a number"):
        plc.step()
    assert plc.last_setpoints.tolist() == [0.0] * 4
    assert plc[System.FaultBlock][0] == plc.scan.program.names.index("limits") + 1


@pytest.mark.parametrize(
    ("failing", "stopped", "manual"),
    [
        ("feedback", Result.PENDING, Result.PENDING),
        ("direct_speed", Result.EXECUTED, Result.PENDING),
        ("alarms", Result.EXECUTED, Result.EXECUTED),
    ],
)
def test_a_scan_that_fails_calls_nothing_executed_that_it_did_not_come_to(
    failing: str, stopped: Result, manual: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    plc = Plc()
    plc.step()
    break_block(failing, plc, monkeypatch)
    stop = plc.ask(Pump.EmergencyStop, 1, 1)
    mode = plc.ask(Pump.Mode, 2, 1)
    refused = plc.ask(Pump.Mode, 2, 7)
    with pytest.raises(Fault):
        plc.step()
    assert [plc.result(asked) for asked in (stop, mode)] == [stopped, manual]
    assert plc.result(refused) is Result.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("tag", "slot", "value", "result"),
    [
        (Pump.Mode, 0, 1.0, Result.EXECUTED),
        (Pump.Mode, 0, 0.5, Result.OUT_OF_RANGE),
        (Pump.Mode, 0, 2.0, Result.OUT_OF_RANGE),
        (Pump.Mode, 9, 1.0, Result.UNKNOWN_SLOT),
        (Pump.Mode, 3, 1.0, Result.UNKNOWN_SLOT),
        (Pump.ManualSetpoint, 0, 30.0, Result.EXECUTED),
        (Pump.ManualSetpoint, 0, 0.0, Result.EXECUTED),
        (Pump.ManualSetpoint, 0, 10.0, Result.OUT_OF_RANGE),
        (Pump.ManualSetpoint, 0, 50.5, Result.OUT_OF_RANGE),
        (Pump.ManualSetpoint, 0, math.nan, Result.OUT_OF_RANGE),
        (Pump.ManualSetpoint, 0, math.inf, Result.OUT_OF_RANGE),
        (Pump.Setpoint, 0, 30.0, Result.NOT_WRITABLE),
        (Pump.HardMaxSpeed, 0, 90.0, Result.NOT_WRITABLE),
    ],
)
def test_a_request_is_answered_in_the_image(
    tag: Tag, slot: int, value: float, result: Result
) -> None:
    plc = Plc()
    plc[Pump.Configured][3] = False
    identity = plc.ask(tag, slot, value)
    plc.step()
    assert plc.result(identity) is result


@pytest.mark.parametrize(
    ("speed", "first", "second", "mode"),
    [
        (30.0, Result.EXECUTED, Result.EXECUTED, 1),
        (99.0, Result.NOT_TOGETHER, Result.OUT_OF_RANGE, 0),
    ],
)
def test_of_requests_that_belong_together_all_are_executed_or_none(
    speed: float, first: Result, second: Result, mode: int
) -> None:
    plc = Plc()
    identities = plc.ask_together((Pump.Mode, 0, 1.0), (Pump.ManualSetpoint, 0, speed))
    stop = plc.ask(Pump.EmergencyStop, 1, 1.0)
    plc.step()
    assert [plc.result(identity) for identity in identities] == [first, second]
    assert plc.result(stop) is Result.EXECUTED
    assert plc[Pump.Mode][0] == mode


def test_what_was_made_from_another_value_than_the_present_is_refused() -> None:
    plc = Plc()
    plc.ask(Pump.Mode, 0, 1.0)
    plc.step()

    def ask(value: float, expected: float) -> int:
        identity = new_id()
        number = NUMBER[Pump.ManualSetpoint]
        plc.put(Ask(identity, number, 0, value, expected=expected))
        return identity

    present = plc[Pump.ManualSetpoint][0]
    asked = [ask(30.0, present + 1.0), ask(31.0, present), ask(32.0, present), ask(33.0, 31.0)]
    plc.step()
    assert [plc.result(identity) for identity in asked] == [
        Result.WRONG_STATE,
        Result.EXECUTED,
        Result.WRONG_STATE,
        Result.WRONG_STATE,
    ]
    assert plc[Pump.ManualSetpoint][0] == 31.0


def test_of_stops_together_with_what_is_refused_none_can_be_cleared_by_name() -> None:
    plc = Plc()
    (stop, _) = plc.ask_together((Pump.EmergencyStop, 0, 1.0), (Pump.Mode, 0, 7.0))
    cleared = plc.ask(Pump.EmergencyStop, 0, 0.0, stop)
    plc.step()
    assert plc.result(stop) is Result.NOT_TOGETHER
    assert plc.result(cleared) is Result.UNKNOWN_STOP
    assert not plc[Pump.EmergencyStop][0]


def test_changing_to_manual_is_bumpless_and_manual_stays_within_the_limits() -> None:
    plc = Plc()
    plc.plan(0, speed=42.0)
    plc.settle()
    plc.ask(Pump.Mode, 0, 1)
    plc.step()
    assert plc[Pump.Setpoint][0] == 42.0
    plc.ask(Pump.ManualSetpoint, 0, 48.0)
    plc[Pump.HardMaxSpeed][0] = 46.0
    plc.settle()
    assert plc[Pump.Setpoint][0] == 46.0
    plc.ask(Pump.Mode, 0, 0)
    plc.settle()
    assert plc[Pump.Setpoint][0] == 42.0


def test_answers_outlive_many_scans_of_many_requests() -> None:
    plc = Plc()
    asked = [plc.ask(Pump.Mode, 0, k % 2) for k in range(PER_SCAN)]
    plc.step()
    later = plc.ask(Pump.Mode, 1, 1)
    plc.step()
    assert {plc.result(identity) for identity in (*asked, later)} == {Result.EXECUTED}
    assert plc[System.Requests][0] == PER_SCAN + 1
    for _ in range(REQUESTS // PER_SCAN + 1):
        for _ in range(PER_SCAN):
            plc.ask(Pump.Mode, 0, 0)
        plc.step()
    assert asked[0] not in plc[Request.Id]


def test_statistics_count_every_scan_and_are_reset_by_request() -> None:
    plc = Plc()
    plc.run_for(10.0)
    assert plc[System.Samples][0] == 99
    assert plc[Bucket.Execution].sum() == 99
    assert plc[Bucket.Interval][0] + plc[Bucket.Interval][1] == 99
    assert plc[System.IntervalMean][0] == pytest.approx(0.1)
    plc.scan.cycle(0.002, 3)
    assert plc[System.Skipped][0] == 3
    assert plc[System.LatenessMax][0] == 0.002
    plc.ask(System.StatisticsReset, 0, 1)
    plc.step()
    assert plc[System.Samples][0] == 0
    assert plc[System.Skipped][0] == 0


def test_an_execution_longer_than_the_period_is_an_overrun() -> None:
    plc = Plc()

    def dawdle(plc: Plc) -> None:
        plc.clock.advance(0.15)

    plc.before_scan = dawdle
    plc.step(2)
    assert plc[System.Overruns][0] == 1
