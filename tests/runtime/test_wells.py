"""Warnings of watchdogs and starts that ask more of a well than it gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import wells
from runtime.equipment import Equipment, PumpEntry, StationEntry

LEVELS = {
    "DryRunLevel": 0.5,
    "RestartLevel": 1.0,
    "StartLevel": 2.5,
    "HardMinLevel": 0.75,
    "HardMaxLevel": 4.0,
    "StopLevel": 0.75,
    "AllRunLevel": 3.75,
    "MaxStartsPerHour": 6.0,
}
PATIENT = 60.0  # s, a watchdog that no well minds


def plant(*pumps: dict[str, float], filling: bool = False, **station: float) -> Equipment:
    """A well of 12 m² with two pumps of 300 m³/h, unless said otherwise."""
    usual = {"FlowDirection": float(filling), "WatchdogTimeout": 1200.0, "WellArea": 12.0}
    return Equipment(
        1,
        (StationEntry(0, "North", "", "UTC", 1, 0, True, usual | station),),
        tuple(
            PumpEntry(n, n, "North", "", 1, 100 * n, True, LEVELS | {"HardMaxFlow": 300.0} | own)
            for n, own in enumerate(pumps or ({}, {}), 1)
        ),
    )


def test_a_warning_says_how_long_the_well_takes_and_what_it_bears() -> None:
    # 12 m² · 3 m / 600 m³/h = 216 s; 12 m² · 2 m / 600 m³/h = 144 s
    assert wells.warnings(plant()) == [
        "station North: watchdog_timeout_s 1200 outlasts the well of 12 m²: with pumps at a stale 0"
        " and 600 m³/h coming in it goes from 1 m (restart_level_m) to 4 m (hard_max_level_m) in"
        " 216 s (1200 s bear 108 m³/h); with 600 m³/h pumped and nothing coming in it goes from"
        " 2.5 m (start_level_m) to 0.5 m (dry_run_level_m) in 144 s (1200 s bear 72 m³/h). Until"
        " the watchdog acts, only level guards and trips keep the level; without a good level,"
        " only without_level does"
    ]


def test_a_tank_runs_empty_with_pumps_at_rest_and_over_with_pumps_at_full_speed() -> None:
    levels = {"StopLevel": 3.5, "RestartLevel": 3.0, "StartLevel": 1.5, "AllRunLevel": 1.0}
    (warning,) = wells.warnings(plant(levels, filling=True))
    # 12 m² · 2.25 m / 300 m³/h = 324 s; 12 m² · 2.5 m / 300 m³/h = 360 s
    assert "300 m³/h taken it goes from 3 m (restart_level_m) to 0.75 m" in warning
    assert "(hard_min_level_m) in 324 s (1200 s bear 81 m³/h)" in warning
    assert "nothing taken it goes from 1.5 m (start_level_m) to 4 m" in warning
    assert "(hard_max_level_m) in 360 s (1200 s bear 90 m³/h)" in warning


@pytest.mark.parametrize(
    ("timeout", "courses"), [(144.0, 0), (144.01, 1), (216.0, 1), (216.01, 2), (1e5, 2)]
)
def test_each_course_is_told_only_where_the_watchdog_waits_longer(
    timeout: float, courses: int
) -> None:
    found = wells.warnings(plant(WatchdogTimeout=timeout))
    assert "".join(found).count(" it goes from ") == courses
    assert len(found) == (courses > 0)


def test_of_several_pumps_the_levels_that_leave_least_room_count() -> None:
    other = {"RestartLevel": 1.5, "HardMaxLevel": 3.5, "StartLevel": 2.0, "DryRunLevel": 0.25}
    (warning,) = wells.warnings(plant({}, other))
    assert "from 1.5 m (restart_level_m) to 3.5 m (hard_max_level_m) in 144 s" in warning
    assert "from 2 m (start_level_m) to 0.5 m (dry_run_level_m) in 108 s" in warning


def test_levels_of_pumps_that_leave_no_room_at_all_take_no_time() -> None:
    (warning,) = wells.warnings(plant({}, {"RestartLevel": 5.0, "HardMaxLevel": 9.0}))
    assert "to 4 m (hard_max_level_m) in 0 s (1200 s bear 0 m³/h)" in warning


@pytest.mark.parametrize(
    "quiet",
    [
        plant(WellArea=0.0),
        plant(WatchdogTimeout=60.0),
        replace(plant(), pumps=()),
        replace(plant(), pumps=tuple(replace(pump, active=False) for pump in plant().pumps)),
        replace(plant(), stations=(replace(plant().stations[0], active=False),)),
        Equipment(),
    ],
)
def test_there_is_nothing_to_warn_of(quiet: Equipment) -> None:
    assert wells.warnings(quiet) == []


@pytest.mark.parametrize("name", ["StopLevel", "MaxStartsPerHour", "HardMaxFlow"])
def test_a_pump_that_an_earlier_program_left_without_a_parameter_is_passed_over(name: str) -> None:
    old = plant()
    for pump in old.pumps:
        del pump.parameters[name]
    assert wells.warnings(old) == []


def test_a_pump_whose_starts_its_well_has_no_room_for_is_told_with_the_figures() -> None:
    # All but one of three pumps add 600 m³/h: 600 / (4 · 6) = 25 m³; 12 m² · 2 m = 24 m³.
    little = {"AllRunLevel": 2.75}
    assert wells.warnings(plant({}, little, {}, WatchdogTimeout=PATIENT)) == [
        "station North, pump 2: all_run_level_m 2.75 and stop_level_m 0.75 leave too little room"
        " for max_starts_per_hour 6: found 24.0 m³ in the well of 12 m², allowed at least 25.0 m³"
        " where 600 m³/h start and stop together. A storm may use up its starts, and the well"
        " overflow while it stands: set these levels further apart, or allow more starts"
    ]


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"AllRunLevel": 2.84}, False),
        ({"AllRunLevel": 2.83}, True),
        ({"StopLevel": 1.66}, False),
        ({"StopLevel": 1.67}, True),
        ({"MaxStartsPerHour": 4.2}, False),
        ({"MaxStartsPerHour": 4.1}, True),
    ],
)
def test_room_is_what_lies_between_all_run_and_stop_level_for_the_starts_that_are_allowed(
    own: dict[str, float], told: bool
) -> None:
    """Of 300 m³/h, as one of two pumps runs already."""
    usual = {"MaxStartsPerHour": 3.0} if "MaxStartsPerHour" not in own else {"AllRunLevel": 2.25}
    spare = {"MaxStartsPerHour": 20.0}
    found = wells.warnings(plant(usual | own, spare, WatchdogTimeout=PATIENT))
    assert len(found) == told


def test_the_only_pump_of_a_station_needs_its_room_below_the_start_level() -> None:
    # 300 / (4 · 4) = 18.75 m³
    for start, told in ((2.32, False), (2.31, True)):
        only = {"StartLevel": start, "MaxStartsPerHour": 4.0}
        found = wells.warnings(plant(only, WatchdogTimeout=PATIENT))
        assert len(found) == told
    assert "pump 1: start_level_m 2.31 and stop_level_m 0.75" in found[0]


def test_a_tank_needs_the_same_room_upside_down() -> None:
    levels = {"StopLevel": 3.0, "RestartLevel": 2.8, "StartLevel": 2.0, "AllRunLevel": 1.5}
    levels["MaxStartsPerHour"] = 4.0
    found = wells.warnings(plant(levels, levels, filling=True, WatchdogTimeout=PATIENT))
    assert [text[:21] for text in found] == ["station North, pump 1", "station North, pump 2"]
    assert "found 18.0 m³" in found[0]
