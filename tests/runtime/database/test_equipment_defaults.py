"""What equipment rows leave open is taken from scan.yaml or follows from other columns."""

from __future__ import annotations

import pytest

import config
from config import Config
from runtime.database.rules import TUNING
from runtime.tag import Area
from runtime.tags import Pump, Station
from tests.runtime.database.conftest import SCAN_YAML
from tests.runtime.database.equipment_rows import FILLING, TANK, assembled
from tests.runtime.database.rows import Row


def test_good_rows_become_equipment_with_defaults_of_the_program(configuration: Config) -> None:
    found = assembled(configuration, {"control_parameters": {"level_gain_hz_per_m": 7}})
    assert found.problems == ()
    assert found.stations[0].parameters == {
        "FlowDirection": 0,
        "WatchdogTimeout": 1200.0,
        "WithoutLevel": 1,
        "LevelHold": 60.0,
        "WellArea": 12.0,
    }
    parameters = found.pumps[0].parameters
    assert parameters["HardMaxSpeed"] == 50.0
    assert parameters["EmergencyAction"] == 1
    assert parameters["LevelGain"] == 7.0
    assert parameters["LevelResetTime"] == 300.0
    assert parameters["PowerGain"] == 0.2


def test_every_parameter_of_a_station_and_a_pump_gets_a_value(configuration: Config) -> None:
    found = assembled(configuration, {})
    for table, entry in ((Station, found.stations[0]), (Pump, found.pumps[0])):
        wanted = {tag.name for tag in table.tags() if tag.area is Area.PARAMETER}
        assert entry.parameters.keys() == wanted - {"Configured", "Station"}


def test_tuning_is_what_has_a_setting_and_its_key_is_the_name_in_sql(
    configuration: Config,
) -> None:
    assert {"level_gain_hz_per_m", "level_setpoint_weight", "level_role"} < TUNING.keys()
    assert {"direct_ramp_hz_per_s", "power_feed_forward"} < TUNING.keys()
    given = {"level_role": "standby", "level_setpoint_weight": 0.5, "direct_ramp_hz_per_s": 0.25}
    parameters = assembled(configuration, {"control_parameters": given}).pumps[0].parameters
    assert parameters["LevelRole"] == 1
    assert parameters["LevelSetpointWeight"] == 0.5
    assert parameters["DirectRamp"] == 0.25


def test_a_change_of_scan_yaml_reaches_pumps_and_stations_without_their_own() -> None:
    program = {
        "CALEJO_PROGRAM_STAGING_ROLE": "standby",
        "CALEJO_PROGRAM_LIMITS_LEVEL_HOLD": "5 s",
        "CALEJO_PROGRAM_POWER_CONTROL_FEED_FORWARD": "25 %",
    }
    changed = config.load(SCAN_YAML, program)
    found = assembled(changed, {})
    assert found.pumps[0].parameters["LevelRole"] == 1
    assert found.pumps[0].parameters["PowerFeedForward"] == 0.25
    assert found.stations[0].parameters["LevelHold"] == 5.0
    own = assembled(changed, {"control_parameters": {"level_role": "duty"}}, {"level_hold_s": 90.0})
    assert own.pumps[0].parameters["LevelRole"] == 0
    assert own.stations[0].parameters["LevelHold"] == 90.0


def test_a_well_without_an_area_has_none_that_is_known(configuration: Config) -> None:
    found = assembled(configuration, {}, {"well_area_m2": None})
    assert found.stations[0].parameters["WellArea"] == 0.0


@pytest.mark.parametrize(
    ("change", "station", "levels"),
    [
        ({}, {}, (0.8, 2.5, 4.0)),
        ({"emergency_stop_level_m": 0.9}, {}, (0.9, 2.5, 4.0)),
        ({"all_run_level_m": 3.0}, {}, (0.8, 2.0, 3.0)),
        ({"stop_level_m": 0.9, "start_level_m": 1.5, "all_run_level_m": 4.0}, {}, (0.9, 1.5, 4.0)),
        ({"stop_level_m": 0.8}, {}, (0.8, 2.5, 4.0)),
        (FILLING, TANK, (3.9, 1.9, 0.8)),
        (FILLING | {"all_run_level_m": 1.0}, TANK, (3.9, 2.0, 1.0)),
        (FILLING | {"hard_max_level_m": 3.5, "stop_level_m": 3.25}, TANK, (3.25, 1.9, 0.8)),
    ],
)
def test_levels_that_are_not_given_follow_from_the_others(
    configuration: Config, change: Row, station: Row, levels: tuple[float, float, float]
) -> None:
    found = assembled(configuration, change, station)
    assert found.problems == ()
    parameters = found.pumps[0].parameters
    names = ("StopLevel", "StartLevel", "AllRunLevel")
    assert tuple(parameters[name] for name in names) == pytest.approx(levels)


def test_zero_is_a_level_like_any_other(configuration: Config) -> None:
    levels: Row = {
        "hard_min_level_m": -2.0,
        "emergency_stop_level_m": -3.0,
        "dry_run_level_m": -2.5,
        "restart_level_m": -1.0,
        "start_level_m": 0.0,
    }
    found = assembled(configuration, levels)
    assert found.problems == ()
    assert found.pumps[0].parameters["StartLevel"] == 0.0
