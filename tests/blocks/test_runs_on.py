"""After the all-run level a pump runs on for as long as it may not be started again."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.blocks.three_pumps import at_rest, raise_to, running
from tests.plc import Plc, obey

ALL_RUN_LEVEL = 4  # Pump.Guarded
LOW, HIGH = 25.0, 50.0
MINUTE = 60.0  # s
HOLD = 2  # Station.WithoutLevel


@pytest.fixture
def plc() -> Plc:
    """Three pumps, each to be started four times an hour, whose level was at 3 m, for 20 s."""
    plc = at_rest(period=1.0)
    plc[Pump.MaxStartsPerHour][:] = 4.0
    raise_to(plc, 3.0)
    assert running(plc) == [0, 1, 2]
    return plc


def test_it_runs_on_at_its_lowest_speed_until_a_quarter_of_an_hour_after_its_start(
    plc: Plc,
) -> None:
    raise_to(plc, 2.5)
    assert not plc[Pump.AllRun].any()
    assert plc[Pump.Setpoint].tolist() == [LOW, LOW, LOW, 0.0]
    assert plc[Pump.Guarded].tolist() == [ALL_RUN_LEVEL] * 3 + [0]
    plc.run_for(15 * MINUTE - 2 * 20.0 - 1.0)
    assert running(plc) == [0, 1, 2]
    plc.settle()
    assert len(running(plc)) == 1, "as the start level has it"
    assert not plc[Pump.RunsOn].any()


def test_a_pump_that_used_up_its_starts_at_once_runs_on_however_long_it_ran(plc: Plc) -> None:
    plc[Pump.MaxStartsPerHour][:] = 20.0
    plc[Pump.MaxSpeedChange][:] = 1000.0
    for _ in range(19):
        for level in (0.8, 3.0):
            plc[Pump.MeasuredLevel][:3] = level
            plc.step(3)
    assert plc[Pump.StartsLastHour].tolist() == [20, 20, 20, 0]
    plc.run_for(4 * MINUTE)
    raise_to(plc, 2.4)
    assert running(plc) == [0, 1, 2]


@pytest.mark.parametrize("speed", [30.0, 10.0])
def test_a_pump_that_is_asked_for_more_than_its_lowest_speed_runs_as_asked(
    plc: Plc, speed: float
) -> None:
    plc[Pump.DefaultSetpoint][0] = speed
    raise_to(plc, 2.4)
    assert plc[Pump.Setpoint][0] == max(speed, LOW)
    assert plc[Pump.Guarded][0] == (ALL_RUN_LEVEL if speed < LOW else 0)


def test_a_pump_without_a_lowest_speed_runs_on_at_its_highest(plc: Plc) -> None:
    plc[Pump.MinSpeed][:] = plc[Pump.HardMinSpeed][:] = 0.0
    raise_to(plc, 2.4)
    assert plc[Pump.Setpoint][:3].tolist() == [HIGH] * 3


def test_the_stop_level_ends_it(plc: Plc) -> None:
    raise_to(plc, 0.81)
    assert running(plc) == [0, 1, 2]
    raise_to(plc, 0.8)
    assert running(plc) == []
    assert not plc[Pump.RunsOn].any()
    raise_to(plc, 2.4)
    assert running(plc) == []


def test_a_pump_that_ran_for_long_enough_stops_at_the_start_level(plc: Plc) -> None:
    plc.run_for(15 * MINUTE)
    raise_to(plc, 2.5)
    assert len(running(plc)) == 1


@pytest.mark.parametrize("most", [1.0, math.nan])
def test_a_pump_whose_starts_are_used_up_runs_on_until_one_is_an_hour_old(
    plc: Plc, most: float
) -> None:
    plc[Pump.MaxStartsPerHour][:] = most
    raise_to(plc, 2.4)
    plc.run_for(59 * MINUTE)
    assert running(plc) == [0, 1, 2]
    plc.run_for(MINUTE)
    assert len(running(plc)) == (1 if most == 1.0 else 3), "a limit that is no number never ends"


def test_a_pump_that_did_not_start_at_the_all_run_level_does_not_start_later(plc: Plc) -> None:
    raise_to(plc, 0.8)
    plc[Pump.MinOff][0] = 60.0
    raise_to(plc, 3.0)
    assert running(plc) == [1, 2]
    raise_to(plc, 2.4)
    plc.run_for(60.0)
    assert running(plc) == [1, 2]


@pytest.mark.parametrize("tag", [Pump.EmergencyStop, Pump.MeasuredLocal])
def test_an_emergency_stop_and_local_control_end_it_for_good(plc: Plc, tag: Tag) -> None:
    raise_to(plc, 2.4)

    def others_obey(plc: Plc) -> None:
        obey(plc)
        plc[Pump.MeasuredRunning][0] = plc[Pump.MeasuredSpeed][0] = 0.0

    if tag is Pump.EmergencyStop:
        plc[Pump.EmergencyAction][:] = 1
        plc.ask(tag, 0, 1.0)
    else:
        plc.before_scan = others_obey
        plc[tag][0] = True
    plc.settle()
    assert running(plc) == [1, 2]
    assert plc[Pump.RunsOn].tolist() == [False, True, True, False]


def test_without_a_level_it_does_not_end_as_nothing_could_start_then(plc: Plc) -> None:
    plc[Station.WithoutLevel][:] = HOLD
    raise_to(plc, 2.4)
    raise_to(plc, math.nan)
    plc.run_for(20 * MINUTE)
    assert running(plc) == [0, 1, 2]
    raise_to(plc, 2.4)
    assert len(running(plc)) == 1


def test_a_storm_that_comes_and_goes_never_finds_a_pump_without_a_start(plc: Plc) -> None:
    """Every two minutes between all-run and start level, for two hours."""
    for _ in range(60):
        raise_to(plc, 2.5)
        plc.run_for(40.0)
        raise_to(plc, 3.0)
        assert running(plc) == [0, 1, 2]
        plc.run_for(40.0)
    assert plc[Pump.StartsLastHour].max() <= 4
