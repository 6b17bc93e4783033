"""Supervision: a pump that does something else than it is told is noticed, and not too soon."""

from __future__ import annotations

import math

import pytest

from runtime.tags import Pump
from tests.plc import Plc


@pytest.fixture
def plc() -> Plc:
    """Pump 0 follows its plan of 45 Hz."""
    plc = Plc(period=1.0, supervision={"tolerance": 2.0, "delay": 15.0})
    plc.plan(0, speed=45.0)
    plc.before_scan = follow
    plc.run_for(60.0)
    assert not plc[Pump.NotFollowing][0]
    return plc


def follow(plc: Plc) -> None:
    plc[Pump.MeasuredSpeed][:] = plc[Pump.Setpoint]


def deviate(plc: Plc, speed: float) -> None:
    plc.before_scan = None
    plc[Pump.MeasuredSpeed][0] = speed


@pytest.mark.parametrize("speed", [42.9, 47.1, 0.0])
def test_a_pump_that_differs_for_longer_than_the_delay_does_not_follow(
    plc: Plc, speed: float
) -> None:
    deviate(plc, speed)
    plc.step(15)
    assert not plc[Pump.NotFollowing][0]
    plc.step()
    assert plc[Pump.NotFollowing][0]
    plc.before_scan = follow
    plc.step()
    assert not plc[Pump.NotFollowing][0]
    assert plc[Pump.DeviationTime][0] == 0.0


@pytest.mark.parametrize("speed", [43.0, 47.0])
def test_a_difference_within_the_tolerance_is_following(plc: Plc, speed: float) -> None:
    deviate(plc, speed)
    plc.run_for(60.0)
    assert not plc[Pump.NotFollowing][0]


def test_each_time_it_follows_the_delay_begins_anew(plc: Plc) -> None:
    for _ in range(5):
        deviate(plc, 0.0)
        plc.step(15)
        plc.before_scan = follow
        plc.step()
    assert not plc[Pump.NotFollowing][0]


def test_a_stopped_pump_that_turns_does_not_follow(plc: Plc) -> None:
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc[Pump.EmergencyAction][:] = 1
    deviate(plc, 30.0)
    plc.run_for(20.0)
    assert plc[Pump.NotFollowing][0]


@pytest.mark.parametrize("reason", ["no good speed", "local control", "retired"])
def test_a_pump_that_has_no_reason_to_follow_is_not_blamed(plc: Plc, reason: str) -> None:
    deviate(plc, 0.0)
    if reason == "no good speed":
        plc[Pump.MeasuredSpeed][0] = math.nan
    elif reason == "local control":
        plc[Pump.MeasuredLocal][0] = True
    else:
        plc[Pump.Configured][0] = False
    plc.run_for(60.0)
    assert not plc[Pump.NotFollowing][0]
    assert plc[Pump.DeviationTime][0] == 0.0


def test_a_gap_in_the_scans_does_not_count_as_a_long_deviation(plc: Plc) -> None:
    deviate(plc, 0.0)
    plc.step()
    plc.clock.advance(3600.0)
    plc.step()
    assert not plc[Pump.NotFollowing][0]
