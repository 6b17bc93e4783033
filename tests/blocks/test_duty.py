"""Level guards in every mode: stop, start and all-run levels over whatever was asked."""

from __future__ import annotations

import pytest

from runtime.tags import Pump, Station
from tests.blocks.three_pumps import at_rest, raise_to, running
from tests.plc import Plc

STOP_LEVEL, START_LEVEL, ALL_RUN_LEVEL = 1, 2, 4  # Pump.Guarded
DEFAULT, PLAN, MANUAL, FAILSAFE = range(4)  # Pump.Authority


@pytest.fixture
def plc() -> Plc:
    return at_rest()


def take_over(plc: Plc, authority: int, speed: float) -> None:
    """Have all pumps commanded like this."""
    plc[Pump.DefaultSetpoint][:] = speed
    for slot in range(4):
        if authority == PLAN:
            plc.plan(slot, speed=speed)
        elif authority == MANUAL:
            plc.ask(Pump.Mode, slot, 1)
            plc.ask(Pump.ManualSetpoint, slot, speed)
    if authority == FAILSAFE:
        plc[Station.PlanTime][:] = 0.0
    plc.settle()
    assert plc[Pump.Authority][0] == authority


MODES = pytest.mark.parametrize("authority", [DEFAULT, PLAN, MANUAL, FAILSAFE])


@MODES
def test_at_the_stop_level_no_mode_runs_a_pump(plc: Plc, authority: int) -> None:
    take_over(plc, authority, 40.0)
    assert running(plc) == [0, 1, 2]
    raise_to(plc, 0.75)
    assert running(plc) == []
    assert plc[Pump.Guarded].tolist() == [STOP_LEVEL, STOP_LEVEL, STOP_LEVEL, 0]
    assert not plc[Pump.LevelTrip].any()
    raise_to(plc, 0.9)
    assert running(plc) == [0, 1, 2]


@MODES
def test_at_the_start_level_one_pump_runs_in_every_mode(plc: Plc, authority: int) -> None:
    take_over(plc, authority, 0.0)
    raise_to(plc, 2.49)
    assert running(plc) == []
    raise_to(plc, 2.5)
    assert running(plc) == [1], "the least used"
    assert plc[Pump.Setpoint][1] == 25.0
    assert plc[Pump.Guarded].tolist() == [0, START_LEVEL, 0, 0]
    raise_to(plc, 0.81)
    assert running(plc) == [1], "down to the stop level"
    raise_to(plc, 0.8)
    assert running(plc) == []
    assert not plc[Pump.GuardRun].any()


@MODES
def test_at_the_all_run_level_all_pumps_run_at_full_speed_in_every_mode(
    plc: Plc, authority: int
) -> None:
    take_over(plc, authority, 0.0)
    plc[Pump.HardMaxSpeed][1] = 48.0
    raise_to(plc, 3.0)
    assert plc[Pump.Setpoint].tolist() == [50.0, 48.0, 50.0, 0.0]
    assert plc[Pump.Guarded].tolist() == [ALL_RUN_LEVEL] * 3 + [0]
    raise_to(plc, 2.51)
    assert running(plc) == [0, 1, 2]
    raise_to(plc, 2.5)
    assert running(plc) == [0, 1, 2], "until they may be started again: 20 times an hour"
    plc.run_for(180.0)
    assert len(running(plc)) == 1, "below it is the start level's turn"


def test_a_guard_that_changes_nothing_is_not_named(plc: Plc) -> None:
    take_over(plc, PLAN, 50.0)
    raise_to(plc, 3.0)
    assert not plc[Pump.Guarded].any()
    take_over(plc, PLAN, 0.0)
    raise_to(plc, 0.8)
    assert not plc[Pump.Guarded].any()


@pytest.mark.parametrize("stopped", [True, False])
def test_stopped_and_local_pumps_keep_their_demand_at_every_level(plc: Plc, stopped: bool) -> None:
    plc.plan(1, speed=40.0)
    plc.settle()
    plc.before_scan = None
    plc[Pump.DefaultSetpoint][1] = 35.0
    if stopped:
        plc.ask(Pump.EmergencyStop, 1, 1)
    else:
        plc[Pump.MeasuredLocal][1] = True
        plc[Pump.MeasuredSpeed][1] = 35.0
    for level in (0.75, 1.5, 3.0):
        raise_to(plc, level)
        assert plc[Pump.Command][1] == 35.0
        assert plc[Pump.Guarded][1] == 0
