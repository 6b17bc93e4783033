"""Starts as commanded and observed, each once, and how many an hour may have."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from runtime.tags import STARTS_KEPT, Pump, Start, System
from tests.blocks.starting import run_locally, standing
from tests.plc import Plc, obey


@pytest.fixture
def plc() -> Plc:
    return standing()


def test_a_commanded_start_counts_at_once_and_not_again_when_it_is_observed(plc: Plc) -> None:
    plc.before_scan = None
    plc.plan(0, speed=45.0)
    plc.step()
    commanded = plc[System.ControlTime][0]
    plc.step()
    assert plc[Pump.Starts][0] == plc[Pump.StartsLastHour][0] == 1
    assert plc[Start.At][0] == pytest.approx(commanded)
    plc.run_for(5.0)
    plc[Pump.MeasuredRunning][0] = True
    plc.step()
    assert plc[Pump.Starts][0] == plc[Pump.StartsLastHour][0] == 1
    assert plc[Start.At][0] == plc[System.ControlTime][0], "it has really started only now"
    plc.step(10)
    plc[Pump.MeasuredRunning][0] = False
    plc.step()
    plc[Pump.MeasuredRunning][0] = True
    plc.step()
    assert plc[Pump.Starts][0] == 2, "a motor that falls out and comes back starts again"


def test_a_start_that_is_given_up_still_counts(plc: Plc) -> None:
    plc.before_scan = None
    for count in (1, 2):
        plc.plan(0, speed=45.0)
        plc.step(2)
        plc.plan(0, speed=0.0)
        plc.step(2)
        assert plc[Pump.Starts][0] == count


def test_local_starts_count(plc: Plc) -> None:
    for count in range(1, 4):
        run_locally(plc, True)
        run_locally(plc, False)
        assert plc[Pump.Starts][0] == plc[Pump.StartsLastHour][0] == count


def test_a_setpoint_given_to_a_turning_motor_is_no_start(plc: Plc) -> None:
    run_locally(plc, True)
    plc[Pump.MeasuredLocal][0] = False
    plc.plan(0, speed=45.0)
    plc.step(3)
    assert plc[Pump.Setpoint][0] > 0.0
    assert plc[Pump.Starts][0] == 1


def test_a_sixth_start_is_refused_until_the_first_is_an_hour_ago() -> None:
    """A well of 9.6 m³ and a pump of 60 L/s, at half of it as inflow: a cycle takes 640 s."""
    plc = Plc(period=1.0)
    plc.before_scan = obey
    plc[Pump.DefaultSetpoint][:] = 0.0
    plc[Pump.MaxSpeedChange][:] = 100.0
    plc[Pump.MaxStartsPerHour][:] = 5.0
    plc[Pump.MeasuredLevel][:] = 1.8
    plc.plan(0, speed=0.0)
    plc.step()
    full, inflow, capacity = 9.6, 0.03, 0.06
    volume, starts, refusals = full, [], []
    begin = plc.clock.now()
    for _ in range(3650):
        before = plc[Pump.Setpoint][0]
        if volume >= full or volume <= 0.0:
            plc.plan(0, speed=45.0 if volume >= full else 0.0)
        plc.renew()
        plc[Pump.MeasuredLevel][:] = 1.0 + volume / 12.0
        plc.step()
        runs = plc[Pump.Setpoint][0] > 0.0
        volume += inflow - (capacity if runs else 0.0)
        if runs and before == 0.0:
            starts.append(plc.clock.now() - begin)
        elif plc[Pump.Limited][0]:
            refusals.append(plc.clock.now() - begin)
    assert starts[:5] == pytest.approx([0.0, 640.0, 1280.0, 1920.0, 2560.0], abs=12.0)
    assert refusals[0] == pytest.approx(3200.0, abs=12.0)
    assert len(starts) == 6
    assert 3600.0 <= starts[5] - starts[0] <= 3602.0


def test_a_start_exactly_an_hour_ago_no_longer_counts(plc: Plc) -> None:
    now = float(plc[System.ControlTime][0]) + 3700.0
    plc[System.ControlTime][0] = now - 0.1
    plc[Start.At][:3] = [now - 3600.0, now - 3599.9, now - 1.0]
    plc[Pump.Starts][0] = 3
    plc.step()
    assert plc[Pump.StartsLastHour][0] == 2


def test_starts_are_kept_in_turn_and_for_each_pump(plc: Plc) -> None:
    for _ in range(STARTS_KEPT + 3):
        run_locally(plc, True)
        run_locally(plc, False)
    kept = plc[Start.At][:STARTS_KEPT].tolist()
    turn = kept[3:] + kept[:3]
    assert all(earlier < later for earlier, later in pairwise(turn))
    assert plc[Pump.Starts][0] == STARTS_KEPT + 3
    assert not plc[Start.At][STARTS_KEPT:].any()


@pytest.mark.parametrize(
    ("most", "starts", "held"),
    [(2.0, 1, 0), (2.0, 2, 1), (2.0, 3, 1), (99.0, 20, 1), (math.nan, 0, 1)],
)
def test_a_pump_with_its_starts_used_is_held_back(
    plc: Plc, most: float, starts: int, held: int
) -> None:
    plc[Pump.MaxStartsPerHour][0] = most
    plc[Start.At][:starts] = plc[System.ControlTime][0]
    plc[Pump.Starts][0] = starts
    plc.step()
    assert plc[Pump.StartHeld][0] == held


@pytest.mark.parametrize(("comes_back", "starts"), [(True, 2), (False, 1)])
def test_a_start_while_feedback_is_lost_counts_once_feedback_shows_it(
    plc: Plc, comes_back: bool, starts: int
) -> None:
    plc.before_scan = None
    plc.plan(0, speed=45.0)
    plc.step(2)
    plc[Pump.MeasuredRunning][0] = True
    plc.step(2)
    plc[Pump.MeasuredRunning][0] = False  # it falls out, and is still commanded
    plc.step(2)
    plc.fresh = False
    plc[Pump.MeasuredTime][:] = 0.0
    plc.step(3)
    assert plc[Pump.Turning][0], "as it is told"
    plc.fresh = True
    plc[Pump.MeasuredRunning][0] = comes_back
    plc.step(3)
    assert plc[Pump.Starts][0] == plc[Pump.StartsLastHour][0] == starts
