"""The station as an engineer would enter it: rows of the database, and the program's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import config
from config import Config
from runtime.database.assembly import assemble
from runtime.equipment import Equipment
from runtime.tags import Pump
from tools.simulate.swmm.station import PUMPS, Station

Row: TypeAlias = dict[str, object]

SCAN_YAML = Path(__file__).parents[3] / "scan.yaml"
STATION_ID = "SWMM"
TARGET = 1.2  # m
MINIMUM = 30.0  # Hz: 60 %, above the dead-head speed of 54 %
SPEEDS = (35.0, 0.0, 0.0)  # Hz: the defaults, and of a plan that stands still
POWERS = (3.5, 0.0, 0.0)  # kW that about these speeds take

# By the SIMC rules for an integrating process: a pump changes its flow by 115 l/s for the whole
# speed (at 80 %), so the level of a well of 12 m² by 0.192 mm/s for 1 Hz. Closed loop in 60 s after
# 10 s of delays: gain 1 / (0.000192 · 70), reset time 4 · 70 s.
TUNING: Mapping[str, object] = {
    Pump.LevelGain.column: 74.5,
    Pump.LevelResetTime.column: 280.0,
    Pump.LevelDeadband.column: 0.0,
    Pump.LevelStartBand.column: 0.3,
    Pump.LevelStopBand.column: 0.6,
}


@dataclass(frozen=True)
class Duty:
    """What may differ between two stations of the same build."""

    control_type: str = "LEVEL_CONTROLLED"
    without_level: str = "default"
    emergency_action: str = "stop"
    tuning: Mapping[str, object] = field(default_factory=dict)
    limits: Mapping[str, object] = field(default_factory=dict)


def station_row(station: Station, duty: Duty) -> Row:
    return {
        "station_id": STATION_ID,
        "name": "Three pumps on EPA SWMM",
        "timezone": "UTC",
        "flow_direction": "emptying",
        "well_area_m2": station.area,
        "without_level": duty.without_level,
    }


def pump_row(number: int, duty: Duty) -> Row:
    return {
        "pump_id": 1 + number,
        "station_id": STATION_ID,
        "name": f"Pump {1 + number}",
        "control_type": duty.control_type,
        "min_speed_hz": MINIMUM,
        "max_speed_hz": 50.0,
        "default_setpoint_hz": SPEEDS[number],
        "emergency_action": duty.emergency_action,
        "control_parameters": dict(TUNING) | dict(duty.tuning),
    }


def limits_row(number: int) -> Row:
    """The levels rise from the trip levels to the crest of the overflow at 3.5 m.

    From start to all-run level there is room for 17 m³: cycling between them with setpoints that
    stand still, two more pumps (104 l/s) start at most every 4·V/Q = 646 s, so 6 starts an hour
    never hold one back while the well is full.
    """
    return {
        "pump_id": 1 + number,
        "hard_min_speed_hz": MINIMUM,
        "hard_max_speed_hz": 50.0,
        "emergency_stop_level_m": 0.3,
        "hard_min_level_m": 0.32,
        "dry_run_level_m": 0.35,
        "stop_level_m": 0.45,
        "restart_level_m": 0.9,
        "start_level_m": 1.6,
        "all_run_level_m": 3.0,
        "hard_max_level_m": 3.4,
        "hard_max_power_kw": 12.0,
        "hard_max_flow_m3h": 320.0,
        "max_speed_change_hz_per_s": 2.0,
        "max_starts_per_hour": 6.0,
        "min_run_s": 60.0,
        "min_off_s": 60.0,
        "max_run_s": 43_200.0,
    }


def equipment(station: Station, duty: Duty, settings: Config) -> Equipment:
    """The rows as discovery would find them."""
    usual: Row = {"active": True, "watchdog_timeout_s": None, "level_hold_s": None}
    pumps = [
        limits_row(n) | dict(duty.limits) | pump_row(n, duty) | usual | _address(n, 100 * (1 + n))
        for n in range(PUMPS)
    ]
    found = assemble(
        [usual | station_row(station, duty) | _address(0, 0)], pumps, settings, Equipment(version=1)
    )
    if found.problems:
        raise ValueError(f"the station is refused: {'; '.join(found.problems)}")
    return found


def environment(scan: float, **more: str) -> dict[str, str]:
    """What differs from scan.yaml."""
    return {
        "CALEJO_PERIOD": f"{scan:g} s",
        "CALEJO_CAPACITY_STATIONS": "1",
        "CALEJO_CAPACITY_PUMPS": str(PUMPS),
        **more,
    }


def settings(scan: float) -> Config:
    """The program of scan.yaml at another period."""
    return config.load(SCAN_YAML, environment(scan))


def _address(slot: int, base: int) -> Row:
    return {"slot": slot, "modbus_unit": 1, "modbus_base": base}
