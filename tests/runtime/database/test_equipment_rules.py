"""Equipment rows that can't be used are named, with field, finding and remedy; the others run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config import Config
from runtime.database.assembly import KEPT, assemble
from runtime.database.rules import TUNING
from runtime.equipment import Equipment
from tests.runtime.database.rows import LIMITS, PUMP, STATION, Row

ADDRESS: Row = {"active": True, "slot": 0, "modbus_unit": 1, "modbus_base": 0}
STATION_ROW: Row = STATION | ADDRESS | {"watchdog_timeout_s": None, "without_level": None}
PUMP_ROW: Row = LIMITS | PUMP | ADDRESS | {"control_parameters": {}, "modbus_base": 100}
FILLING: Row = {"emergency_stop_level_m": 3.9, "restart_level_m": 3.0}


def assembled(
    config: Config, change: Row, station: Row | None = None, known: Equipment | None = None
) -> Equipment:
    return assemble(
        [STATION_ROW | (station or {})], [PUMP_ROW | change], config, known or Equipment()
    )


def test_good_rows_become_equipment_with_defaults_of_the_program(configuration: Config) -> None:
    found = assembled(configuration, {"control_parameters": {"level_gain_hz_per_m": 7}})
    assert found.problems == ()
    assert found.stations[0].parameters == {
        "FlowDirection": 0,
        "WatchdogTimeout": 1200.0,
        "WithoutLevel": 1,
    }
    parameters = found.pumps[0].parameters
    assert parameters["HardMaxSpeed"] == 50.0
    assert parameters["EmergencyAction"] == 1
    assert parameters["LevelGain"] == 7.0
    assert parameters["LevelResetTime"] == 300.0
    assert parameters["PowerGain"] == 0.2


def test_every_tuning_parameter_has_its_default_in_the_program(configuration: Config) -> None:
    parameters = assembled(configuration, {}).pumps[0].parameters
    assert {tag.name for tag in TUNING.values()} <= parameters.keys()


@pytest.mark.parametrize("column", [*LIMITS.keys() - {"pump_id"}, "default_setpoint_hz"])
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
        ({"restart_level_m": 0.8}, {}, "restart_level_m: found 0.8, allowed on an emptying"),
        ({"restart_level_m": 4.1}, {}, "restart_level_m: found 4.1, allowed on an emptying"),
        ({"dry_run_level_m": 1.0}, {}, "restart_level_m: found 1, allowed on an emptying"),
        ({"emergency_stop_level_m": 4.5}, {}, "restart_level_m: found 1, allowed on an emptying"),
        (
            FILLING | {"restart_level_m": 3.9},
            {"flow_direction": "filling"},
            "restart_level_m: found 3.9, allowed on a filling station from 0.8",
        ),
        (
            {"control_parameters": {"gain": 1}},
            {},
            "control_parameters.gain: found an unknown name, allowed level_gain_hz_per_m,",
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
