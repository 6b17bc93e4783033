"""Warnings of watchdogs that tolerate more than their wells."""

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
}


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
    levels = {"RestartLevel": 3.0, "StartLevel": 1.5}
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
