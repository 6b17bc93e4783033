"""Equipment rows that can't be used are named, with field, finding and remedy; the others run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config import Config
from runtime.database.assembly import KEPT, assemble
from runtime.equipment import Equipment
from tests.runtime.database.equipment_rows import FILLING, PUMP_ROW, STATION_ROW, TANK, assembled
from tests.runtime.database.rows import LIMITS, Row


@pytest.mark.parametrize("column", [*sorted(LIMITS.keys() - {"pump_id"}), "default_setpoint_hz"])
def test_a_missing_limit_is_named(configuration: Config, column: str) -> None:
    found = assembled(configuration, {column: None})
    assert found.pumps == ()
    assert found.problems[0].startswith(f"station North, pump 1: {column}: found nothing, allowed")


@pytest.mark.parametrize(
    ("change", "station", "problem"),
    [
        ({"max_speed_hz": 400.0}, {}, "max_speed_hz: found 400.0, allowed 0 to 100 Hz"),
        (
            {"min_speed_hz": 10.0, "max_speed_hz": 15.0, "default_setpoint_hz": 0.0},
            {},
            "speeds: min_speed_hz and hard_min_speed_hz demand at least 20 Hz,"
            " max_speed_hz and hard_max_speed_hz at most 15 Hz; they must meet",
        ),
        (
            {"hard_min_speed_hz": 35.0},
            {},
            "default_setpoint_hz: found 30, allowed 0 (stop) or 35 to 50 Hz",
        ),
        (
            {"hard_min_speed_hz": 40.1, "hard_max_speed_hz": 40.1, "default_setpoint_hz": 0.0},
            {},
            "speeds: 40.1 to 40.1 Hz holds no 32-bit number,",
        ),
        (
            {"restart_level_m": 0.8},
            {},
            "restart_level_m: found 0.8, allowed on an emptying station above 0.8 m (the highest of"
            " hard_min_level_m, emergency_stop_level_m and dry_run_level_m) and below 4 m"
            " (hard_max_level_m)",
        ),
        ({"restart_level_m": 4.1}, {}, "restart_level_m: found 4.1, allowed on an emptying"),
        ({"restart_level_m": 4.0}, {}, "restart_level_m: found 4, allowed on an emptying"),
        ({"dry_run_level_m": 1.0}, {}, "restart_level_m: found 1, allowed on an emptying"),
        ({"emergency_stop_level_m": 4.5}, {}, "restart_level_m: found 1, allowed on an emptying"),
        (
            {"stop_level_m": 0.7},
            {},
            "stop_level_m: found 0.7, allowed on an emptying station at or above 0.8 m",
        ),
        (
            {"stop_level_m": 1.0},
            {},
            "restart_level_m: found 1, allowed on an emptying station above 1 m (stop_level_m) and"
            " below 4 m (hard_max_level_m)",
        ),
        (
            {"start_level_m": 1.0},
            {},
            "start_level_m: found 1, allowed on an emptying station above 1 m (restart_level_m)",
        ),
        (
            {"start_level_m": 4.0},
            {},
            "start_level_m: found 4, allowed on an emptying station above 1 m (restart_level_m)",
        ),
        (
            {"start_level_m": 2.0, "all_run_level_m": 2.0},
            {},
            "all_run_level_m: found 2, allowed on an emptying station above 2 m (start_level_m) and"
            " at or below 4 m (hard_max_level_m)",
        ),
        (
            {"all_run_level_m": 1.0},
            {},
            "all_run_level_m: found 1, allowed on an emptying station above 1 m (restart_level_m)",
        ),
        ({"all_run_level_m": 4.1}, {}, "all_run_level_m: found 4.1, allowed on an emptying"),
        ({"start_level_m": 31.0}, {}, "start_level_m: found 31.0, allowed -20 to 30 m"),
        (
            FILLING | {"restart_level_m": 3.9},
            TANK,
            "restart_level_m: found 3.9, allowed on a filling station below 3.9 m (the lower of"
            " hard_max_level_m and emergency_stop_level_m) and above 0.8 m (hard_min_level_m)",
        ),
        (
            FILLING | {"stop_level_m": 4.0},
            TANK,
            "stop_level_m: found 4, allowed on a filling station at or below 3.9 m",
        ),
        (
            FILLING | {"start_level_m": 3.5},
            TANK,
            "start_level_m: found 3.5, allowed on a filling station below 3 m (restart_level_m)",
        ),
        (
            FILLING | {"all_run_level_m": 0.7},
            TANK,
            "all_run_level_m: found 0.7, allowed on a filling station below 3 m (restart_level_m)"
            " and at or above 0.8 m (hard_min_level_m)",
        ),
        (
            {"max_starts_per_hour": 21},
            {},
            "max_starts_per_hour: found 21, allowed 1 to 20",
        ),
        (
            {"max_run_s": 60.0},
            {},
            "max_run_s: found 60, allowed more than 60 s (min_run_s)",
        ),
        (
            {"control_parameters": {"level_role": "captain"}},
            {},
            "control_parameters.level_role: found 'captain', allowed duty, standby",
        ),
        (
            {"control_parameters": {"level_feed_forward": 1.5}},
            {},
            "control_parameters.level_feed_forward: found 1.5, allowed 0 to 1",
        ),
        (
            {"control_parameters": {"level_gain_hz_per_m": None}},
            {},
            "control_parameters.level_gain_hz_per_m: found nothing, allowed 0 to 10000 Hz/m",
        ),
        (
            {"control_parameters": {"gain": 1}},
            {},
            "control_parameters.gain: found an unknown name, allowed direct_ramp_hz_per_s,",
        ),
        (
            {"control_parameters": {"level_gain_hz_per_m": "much"}},
            {},
            "control_parameters.level_gain_hz_per_m: found 'much', allowed 0 to 10000 Hz/m",
        ),
        (
            {"control_parameters": {"level_gain_hz_per_m": True}},
            {},
            "control_parameters.level_gain_hz_per_m: found True, allowed 0 to 10000 Hz/m",
        ),
        ({"slot": 1000}, {}, "found slot 1000, allowed 0 to 999; raise capacity.pumps in scan"),
    ],
)
def test_a_pump_that_can_not_be_used_is_named_with_the_field_at_fault(
    configuration: Config, change: Row, station: Row, problem: str
) -> None:
    found = assembled(configuration, change, station)
    assert found.pumps == ()
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"station North, pump 1: {problem}")


def test_all_that_is_wrong_with_a_pump_is_named_at_once(configuration: Config) -> None:
    found = assembled(configuration, {"min_run_s": None, "max_run_s": None})
    assert len(found.problems) == 2


def test_levels_of_a_filling_station_have_the_other_direction(configuration: Config) -> None:
    found = assembled(configuration, FILLING, {"flow_direction": "filling"})
    assert found.problems == ()
    assert len(found.pumps) == 1


def test_a_station_that_can_not_be_used_is_named_and_so_are_its_pumps(
    configuration: Config,
) -> None:
    found = assembled(configuration, {}, {"watchdog_timeout_s": 0.5})
    assert (found.stations, found.pumps) == ((), ())
    assert found.problems == (
        "station North: watchdog_timeout_s: found 0.5, allowed 1 to 604800 s",
        "station North, pump 1: its station can not be used",
    )


def test_a_station_that_holds_a_lost_level_for_no_time_known_is_named(
    configuration: Config,
) -> None:
    found = assembled(configuration, {}, {"level_hold_s": -1.0})
    assert found.problems[0] == "station North: level_hold_s: found -1.0, allowed 0 to 1e+09 s"


def test_a_retired_station_may_be_as_wrong_as_it_likes(configuration: Config) -> None:
    found = assembled(configuration, {}, {"watchdog_timeout_s": 0.5, "active": False})
    assert found.problems == ()
    assert not found.pumps[0].active


def test_a_pump_in_use_keeps_what_was_valid_when_its_row_goes_bad(configuration: Config) -> None:
    known = assembled(configuration, {})
    found = assembled(configuration, {"hard_max_speed_hz": None}, known=known)
    assert found.pumps == known.pumps
    assert found.problems[0].endswith(KEPT)


def test_a_bad_row_of_a_pump_in_use_can_still_be_retired(configuration: Config) -> None:
    known = assembled(configuration, {})
    found = assembled(configuration, {"hard_max_speed_hz": None, "active": False}, known=known)
    assert found.pumps == (replace(known.pumps[0], active=False),)
    assert found.problems == ()


def test_the_pumps_of_a_retired_station_are_retired(configuration: Config) -> None:
    assert not assembled(configuration, {}, {"active": False}).pumps[0].active


def test_only_chosen_stations_are_taken_and_an_unknown_one_is_named(configuration: Config) -> None:
    chosen = configuration.model_copy(update={"stations": ("South", "West")})
    south = STATION_ROW | {"station_id": "South", "slot": 1}
    found = assemble([STATION_ROW, south], [PUMP_ROW], chosen, Equipment())
    assert [station.station_id for station in found.stations] == ["South"]
    assert found.pumps == ()
    assert found.problems == (
        "stations: found 'West' in the configuration, allowed are the station_id of pump_stations",
    )
