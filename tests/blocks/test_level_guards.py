"""Level guards: latches with hysteresis in both flow directions, left alone by a lost level."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tests.plc import Plc

STOP, DEFAULT, HOLD = range(3)  # Station.WithoutLevel
GUARDS = (Pump.LevelTrip, Pump.LevelStop, Pump.LevelStart, Pump.AllRun)
LEVELS = {
    Pump.HardMinLevel: 0.2,
    Pump.DryRunLevel: 0.3,
    Pump.EmergencyStopLevel: 0.4,
    Pump.StopLevel: 0.5,
    Pump.RestartLevel: 0.9,
    Pump.StartLevel: 2.0,
    Pump.AllRunLevel: 2.5,
    Pump.HardMaxLevel: 3.0,
}


@pytest.fixture(params=["emptying", "filling"])
def plc(request: pytest.FixtureRequest) -> Plc:
    """Levels of a well; in a station that is filled, the same upside down."""
    plc = Plc(feedback={"level_rate": 1e9})
    d = 1.0 if request.param == "emptying" else -1.0
    plc[Station.FlowDirection][:] = d < 0
    for tag, level in LEVELS.items():
        plc[tag][:] = d * level
    if d < 0:
        plc[Pump.HardMinLevel][:], plc[Pump.HardMaxLevel][:] = -3.0, -0.2
        plc[Pump.DryRunLevel][:] = 9.9
    return plc


def at_level(plc: Plc, level: float) -> set[Tag]:
    """The guards of pump 0 at a level of the well."""
    plc[Pump.MeasuredLevel][:] = -level if plc[Station.FlowDirection][0] else level
    plc.step()
    return {guard for guard in GUARDS if plc[guard][0]}


def test_each_guard_is_set_at_its_level_and_cleared_at_another(plc: Plc) -> None:
    trip, stop, start, all_run = GUARDS
    course: list[tuple[float, set[Tag]]] = [
        (1.5, set()),
        (1.99, set()),
        (2.0, {start}),
        (2.49, {start}),
        (2.5, {start, all_run}),
        (29.0, {start, all_run}),
        (2.01, {start, all_run}),
        (2.0, {start}),
        (0.51, {start}),
        (0.5, {stop}),
        (0.41, {stop}),
        (0.4, {stop, trip}),
        (-5.0, {stop, trip}),
        (0.89, {stop, trip}),
        (0.9, set()),
        (0.51, set()),
        (2.6, {start, all_run}),
        (0.1, {stop, trip}),
    ]
    for level, guards in course:
        assert at_level(plc, level) == guards, f"at {level} m"


@pytest.mark.parametrize("limit", [Pump.HardMinLevel, Pump.DryRunLevel, Pump.EmergencyStopLevel])
def test_the_first_of_the_limits_that_protect_the_pump_trips_it(limit: Tag) -> None:
    plc = Plc()
    for tag in (Pump.HardMinLevel, Pump.DryRunLevel, Pump.EmergencyStopLevel):
        plc[tag][:] = 0.6 if tag is limit else 0.1
    plc[Pump.StopLevel][:] = 0.0
    plc[Pump.MeasuredLevel][:] = 0.61
    plc.step()
    assert not plc[Pump.LevelTrip][0]
    plc[Pump.MeasuredLevel][:] = 0.6
    plc.step()
    assert plc[Pump.LevelTrip][0]


@pytest.mark.parametrize("limit", [Pump.HardMaxLevel, Pump.EmergencyStopLevel])
def test_the_first_of_the_limits_that_protect_a_tank_trips_its_pumps(limit: Tag) -> None:
    plc = Plc()
    plc[Station.FlowDirection][:] = 1
    for tag in (Pump.HardMaxLevel, Pump.EmergencyStopLevel):
        plc[tag][:] = 2.0 if tag is limit else 3.0
    plc[Pump.StopLevel][:] = 3.0
    plc[Pump.RestartLevel][:] = 1.0
    plc[Pump.MeasuredLevel][:] = 1.99
    plc.step()
    assert not plc[Pump.LevelTrip][0]
    plc[Pump.MeasuredLevel][:] = 2.0
    plc.step()
    assert plc[Pump.LevelTrip][0]


@pytest.mark.parametrize("level", [0.1, 0.45, 2.6])
@pytest.mark.parametrize("without_level", [STOP, HOLD])
def test_a_lost_level_leaves_every_guard_as_it_is(
    plc: Plc, level: float, without_level: int
) -> None:
    plc[Station.WithoutLevel][:] = without_level
    guards = at_level(plc, level)
    assert guards
    assert at_level(plc, math.nan) == guards
    plc.run_for(90.0)
    assert at_level(plc, math.nan) == guards


@pytest.mark.parametrize("level", [0.1, 0.45, 2.6])
def test_a_level_lost_for_long_ends_the_stop_level_but_no_trip_where_the_default_decides(
    plc: Plc, level: float
) -> None:
    plc[Station.WithoutLevel][:] = DEFAULT
    guards = at_level(plc, level)
    at_level(plc, math.nan)
    plc.run_for(59.8)
    assert at_level(plc, math.nan) == guards
    plc.run_for(1.0)
    assert at_level(plc, math.nan) == guards - {Pump.LevelStop}
    assert at_level(plc, level) == guards, "as soon as it is measured again"


def test_a_pump_that_is_not_in_use_keeps_its_stop_level_however_long_the_level_is_lost(
    plc: Plc,
) -> None:
    plc[Station.WithoutLevel][:] = DEFAULT
    guards = at_level(plc, 0.45)
    plc[Pump.Configured][0] = False
    plc[Pump.MeasuredLevel][:] = math.nan
    plc.run_for(90.0)
    assert at_level(plc, math.nan) == guards


@pytest.mark.parametrize("level", [0.1, 2.6])
def test_while_the_level_is_lost_other_limits_set_and_clear_no_guard(
    plc: Plc, level: float
) -> None:
    d = -1.0 if plc[Station.FlowDirection][0] else 1.0
    guards = at_level(plc, level)
    at_level(plc, math.nan)
    for tag in LEVELS:
        plc[tag][:] += d * (5.0 if level > 1.0 else -5.0)
    assert at_level(plc, math.nan) == guards
    assert at_level(plc, level) != guards


def test_a_station_that_never_had_a_level_sets_no_guard(plc: Plc) -> None:
    assert at_level(plc, math.nan) == set()


def test_setting_wins_over_clearing_where_levels_cross(plc: Plc) -> None:
    for tag in (Pump.RestartLevel, Pump.StartLevel, Pump.AllRunLevel):
        plc[tag][:] = plc[Pump.StopLevel][:]
    assert at_level(plc, 0.5) == {Pump.LevelStop}
    plc[Pump.RestartLevel][:] = plc[Pump.EmergencyStopLevel][:]
    assert at_level(plc, 0.4) == {Pump.LevelStop, Pump.LevelTrip}


def test_a_pump_that_is_not_in_use_is_guarded_by_nothing(plc: Plc) -> None:
    plc[Pump.Configured][0] = False
    for level in (0.1, 1.5, 2.6):
        assert at_level(plc, level) == set()
        assert plc[Pump.LevelTrip][1] == (level == 0.1)


def test_each_pump_is_guarded_by_the_level_of_its_own_station() -> None:
    plc = Plc(station_of=(0, 1, 1, 0))
    plc[Pump.MeasuredLevel][:] = [0.1, 1.5, 1.5, 0.1]
    plc.step()
    assert plc[Pump.LevelTrip].tolist() == [True, False, False, True]


def test_each_pump_has_levels_of_its_own(plc: Plc) -> None:
    plc[Pump.AllRunLevel][1] = plc[Pump.StartLevel][1]
    at_level(plc, 2.0)
    assert plc[Pump.AllRun].tolist() == [False, True, False, False]
