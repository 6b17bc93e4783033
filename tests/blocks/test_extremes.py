"""What a violation comes to: the worst of each limit while it acts."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.blocks.enforcer import leaping, run_at
from tests.plc import Plc


@pytest.fixture
def plc() -> Plc:
    plc = leaping()
    run_at(plc, 45.0)
    return plc


def ask_by_hand(plc: Plc, speed: float) -> None:
    plc[Pump.Mode][0] = 1
    plc[Pump.ManualSetpoint][0] = speed
    plc.step()


def test_of_commands_the_one_furthest_outside_the_limits_is_kept(plc: Plc) -> None:
    for speed, extreme in ((55.0, 55.0), (70.0, 70.0), (60.0, 70.0), (1.0, 1.0), (10.0, 1.0)):
        ask_by_hand(plc, speed)
        assert plc[Pump.SpeedExtreme][0] == extreme
    ask_by_hand(plc, 40.0)
    assert plc[Pump.SpeedExtreme][0] == 1.0, "it stays to be read"
    ask_by_hand(plc, 52.0)
    assert plc[Pump.SpeedExtreme][0] == 52.0, "until the limit acts again"


def test_a_command_that_is_no_number_counts_as_the_default_in_its_place(plc: Plc) -> None:
    plc[Pump.DefaultSetpoint][0] = 77.0
    ask_by_hand(plc, math.nan)
    assert plc[Pump.SpeedExtreme][0] == 77.0


def test_the_most_that_the_rate_held_back_is_kept(plc: Plc) -> None:
    ask_by_hand(plc, 30.0)
    assert plc[Pump.RateExtreme][0] == pytest.approx(14.8)
    ask_by_hand(plc, 28.0)
    plc.run_for(2.0)
    assert plc[Pump.RateExtreme][0] == pytest.approx(16.6)
    plc.settle()
    assert plc[Pump.RateExtreme][0] == pytest.approx(16.6)
    ask_by_hand(plc, 29.0)
    assert plc[Pump.RateExtreme][0] == pytest.approx(0.8)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_level_furthest_beyond_its_limit_is_kept(plc: Plc, sign: float) -> None:
    if sign < 0:
        plc[Station.FlowDirection][:] = 1
        plc[Pump.EmergencyStopLevel][:] = plc[Pump.StopLevel][:] = 2.5
        plc[Pump.RestartLevel][:] = 2.1
        plc[Pump.StartLevel][:] = plc[Pump.AllRunLevel][:] = 0.1
    middle = 1.5
    for away, extreme in ((1.1, 1.1), (1.2, 1.2), (0.9, 1.2), (math.nan, 1.2), (0.0, 1.2)):
        plc[Pump.MeasuredLevel][:] = middle - sign * away
        plc.step()
        assert plc[Pump.LevelExtreme][0] == pytest.approx(middle - sign * extreme)
    plc[Pump.MeasuredLevel][:] = middle - sign * 1.05
    plc.step()
    assert plc[Pump.LevelExtreme][0] == pytest.approx(middle - sign * 1.05)


def test_a_trip_that_outlived_a_restart_went_at_least_to_its_limit() -> None:
    plc = Plc()
    plc[Pump.LevelTrip][0] = True
    plc[Pump.MeasuredLevel][:] = 0.7
    plc.fresh = False
    plc.step()
    assert plc[Pump.LevelExtreme][0] == 0.5
    plc.fresh = True
    plc.step()
    assert plc[Pump.LevelExtreme][0] == 0.5


def test_a_level_limit_that_is_no_number_makes_no_extreme_of_itself() -> None:
    plc = Plc()
    plc[Pump.LevelTrip][0] = True
    plc[Pump.HardMinLevel][0] = math.nan
    plc.fresh = False
    plc.step()
    assert plc[Pump.LevelExtreme][0] == 0.0


@pytest.mark.parametrize(
    ("measured", "extreme"),
    [(Pump.MeasuredPower, Pump.PowerExtreme), (Pump.MeasuredFlow, Pump.FlowExtreme)],
)
def test_the_highest_power_and_flow_are_kept(plc: Plc, measured: Tag, extreme: Tag) -> None:
    for value, highest in ((500.0, 500.0), (700.0, 700.0), (600.0, 700.0), (1.0, 700.0)):
        plc[measured][0] = value
        plc.step()
        assert plc[extreme][0] == highest
    plc[measured][0] = 450.0
    plc.step()
    assert plc[extreme][0] == 450.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_level_furthest_beyond_its_guard_is_kept(sign: float) -> None:
    plc = leaping()
    middle = 1.5
    levels = {Pump.EmergencyStopLevel: 1.3, Pump.StopLevel: 1.0, Pump.RestartLevel: 0.5}
    levels |= {Pump.StartLevel: -1.0, Pump.AllRunLevel: -1.2}
    for tag, away in levels.items():
        plc[tag][:] = middle - sign * away
    if sign < 0:
        plc[Station.FlowDirection][:] = 1
        plc[Pump.HardMaxLevel][:] = 3.5
    run_at(plc, 45.0)
    stop_level = ((1.05, 1.05), (1.1, 1.1), (0.9, 1.1), (math.nan, 1.1), (0.4, 1.1))
    all_run_level = ((-1.25, -1.25), (-1.3, -1.3), (-1.1, -1.3), (math.nan, -1.3))
    for away, extreme in (*stop_level, *all_run_level):
        plc[Pump.MeasuredLevel][:] = middle - sign * away
        plc.step()
        assert plc[Pump.GuardExtreme][0] == pytest.approx(middle - sign * extreme)


def test_the_level_of_a_guard_that_acts_without_one_is_the_last_that_was_known() -> None:
    plc = leaping()
    plc[Pump.LevelStop][0] = True
    plc[Pump.MeasuredLevel][:] = 0.7
    plc.step()
    assert plc[Pump.GuardExtreme][0] == 0.7
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.step()
    assert plc[Pump.GuardExtreme][0] == 0.7


def test_how_long_the_level_was_lost_is_kept(plc: Plc) -> None:
    plc.plan(0, speed=50.0)
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.step(20)
    assert plc[Pump.LostExtreme][0] == pytest.approx(2.0)
    plc[Pump.MeasuredLevel][:] = 1.5
    plc.step(10)
    assert plc[Pump.LostExtreme][0] == pytest.approx(2.0), "it stays to be read"
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.step()
    assert plc[Pump.LostExtreme][0] == pytest.approx(0.1)
