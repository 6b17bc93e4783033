"""Sample stations as rows of the database: the same number and seed make the same rows.

Each station is drawn with dice of its own, so it is the same in a set of any size.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.random import Generator

from runtime.tags import Pump
from tools.simulate import names
from tools.simulate.hydraulics import DENSITY_GRAVITY, DRIVE_EFFICIENCY, dead_head_speed
from tools.simulate.sizing import (
    EFFICIENCY,
    FLOW_MARGIN,
    HOUR,
    POWER_MARGIN,
    Machine,
    Site,
    duty,
    size,
)

Row: TypeAlias = dict[str, object]

DEMO_PUMPS = (3, 3, 2, 2)  # of the sample set; larger ones repeat it
CONTROL_TYPES = ("DIRECT_SPEED", "LEVEL_CONTROLLED", "POWER_CONTROLLED")
KINDS = 4  # of four stations the second is run by level alone, the last is a tank
BY_LEVEL, TANK = 1, 3
LEAST_FOR_STANDBY = 3  # pumps of a station run by level, of which the last stands by
TIMEZONES = ("Europe/Berlin", "Europe/Berlin", "Europe/Vienna", "Europe/Zurich")
WATCHDOG = 240.0  # s: four plans of the sample optimiser, and no longer than the wells bear
LEVEL_RESPONSE = 600.0  # s: time constant of the closed level loop
MIN_SPEED_MARGIN = 1.08  # above the dead-head speed at the least favourable level
POWER_RESPONSE = 20.0  # s


class Levels(NamedTuple):
    """Levels of the pumps of a station, in m."""

    emergency_stop: float
    dry_run: float
    lowest: float
    stop: float
    restart: float
    start: float
    all_run: float
    highest: float


WELL_LEVELS = Levels(0.4, 0.5, 0.6, 0.7, 0.9, 2.4, 2.7, 3.0)
TANK_LEVELS = Levels(4.7, 0.3, 0.8, 4.5, 4.3, 1.5, 1.1, 4.6)


@dataclass
class Rows:
    """Rows of the tables, in the order in which they have to be entered."""

    stations: list[Row] = field(default_factory=list)
    pumps: list[Row] = field(default_factory=list)
    limits: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Make:
    """What the pumps of a station are: rated flow in m³/s, head in m, power in kW; Hz."""

    flow: float
    head: float
    power: float
    max_speed: float
    min_speed: float
    area: float


def generate(stations: int, pumps: int | Sequence[int] = DEMO_PUMPS, seed: int = 1) -> Rows:
    """Rows for so many stations; `pumps` is how many each has, a sequence being repeated."""
    counts = [pumps] if isinstance(pumps, int) else list(pumps)
    rows = Rows()
    for index in range(stations):
        _add_station(rows, index, counts[index % len(counts)], seed)
    return rows


def _add_station(rows: Rows, index: int, count: int, seed: int) -> None:
    dice = np.random.default_rng([seed, index])
    filling = index % KINDS == TANK
    station_id, name = names.station(index, filling=filling)
    levels = TANK_LEVELS if filling else WELL_LEVELS
    make = _make(dice, count, levels, filling=filling)
    rows.stations.append(
        {
            "station_id": station_id,
            "name": name,
            "timezone": TIMEZONES[index % len(TIMEZONES)],
            "flow_direction": "filling" if filling else "emptying",
            "well_area_m2": make.area,
            "watchdog_timeout_s": WATCHDOG,
            "without_level": "stop" if filling else None,  # a tank fed blindly overflows
            "level_hold_s": 30.0 if filling else None,
        }
    )
    for number in range(count):
        pump_id = len(rows.pumps) + 1
        control = _control(index, number, count, make)
        rows.pumps.append(_pump(pump_id, station_id, number, make) | control)
        rows.limits.append(_limits(pump_id, levels, make, dice))


def _make(dice: Generator, count: int, levels: Levels, *, filling: bool) -> Make:
    flow = float(dice.integers(4, 25)) * 0.005
    head = round(float(dice.uniform(9.0, 25.0)), 1)
    power = DENSITY_GRAVITY * flow * head / (EFFICIENCY * DRIVE_EFFICIENCY)
    area = round(flow * duty(count) * float(dice.uniform(450.0, 650.0)), 1)
    fastest = float(dice.choice((50.0, 50.0, 50.0, 48.0)))
    machine = Machine(0, "", 0.0, fastest, flow * HOUR * FLOW_MARGIN, power * POWER_MARGIN)
    site = Site("", filling, area, levels.lowest, levels.highest, (machine,) * max(1, count))
    least_favourable = levels.highest if filling else levels.lowest
    dead = float(dead_head_speed(size([site]).plant, np.array([least_favourable]))[0])
    slowest = min(0.8 * fastest, math.ceil(2.0 * MIN_SPEED_MARGIN * dead) / 2.0)
    return Make(flow, head, power, fastest, slowest, area)


def _pump(pump_id: int, station_id: str, number: int, make: Make) -> Row:
    return {
        "pump_id": pump_id,
        "station_id": station_id,
        "name": f"Pumpe {number + 1}",
        "min_speed_hz": make.min_speed,
        "max_speed_hz": make.max_speed,
        "default_setpoint_hz": max(make.min_speed, round(0.8 * make.max_speed, 1)),
        "emergency_action": "stop" if number == 0 else "default",
    }


def _control(index: int, number: int, count: int, make: Make) -> Row:
    control_type = CONTROL_TYPES[(index + number) % len(CONTROL_TYPES)]
    role: dict[str, float | str] = {}
    if index % KINDS == BY_LEVEL:
        control_type = "LEVEL_CONTROLLED"
        stands_by = count >= LEAST_FOR_STANDBY and number == count - 1
        role = {Pump.LevelRole.column: "standby" if stands_by else "duty"}
    parameters = role | _parameters(control_type, make)
    return {"control_type": control_type, "control_parameters": json.dumps(parameters)}


def _parameters(control_type: str, make: Make) -> dict[str, float | str]:
    """Tunings by the SIMC rules: for a level, an integrator, gain 1 / (k·T), reset time 4·T."""
    if control_type == "LEVEL_CONTROLLED":
        per_hertz = make.flow / (make.max_speed - make.min_speed) / make.area  # m/s for 1 Hz
        gain = 1.0 / (per_hertz * LEVEL_RESPONSE)
        return {
            Pump.LevelGain.column: round(min(gain, 100.0), 1),
            Pump.LevelResetTime.column: 4.0 * LEVEL_RESPONSE,
            Pump.LevelDeadband.column: 0.02,
            Pump.LevelStartBand.column: 0.2,
            Pump.LevelStopBand.column: 0.25,
        }
    if control_type == "POWER_CONTROLLED":
        per_hertz = 3.0 * make.power / make.max_speed  # kW for 1 Hz, about the cube law
        return {
            Pump.PowerGain.column: round(0.2 / per_hertz, 3),
            Pump.PowerResetTime.column: POWER_RESPONSE,
        }
    return {}


def _limits(pump_id: int, levels: Levels, make: Make, dice: Generator) -> Row:
    return {
        "pump_id": pump_id,
        "hard_min_speed_hz": make.min_speed,
        "hard_max_speed_hz": make.max_speed,
        "hard_min_level_m": levels.lowest,
        "hard_max_level_m": levels.highest,
        "emergency_stop_level_m": levels.emergency_stop,
        "dry_run_level_m": levels.dry_run,
        "stop_level_m": levels.stop,
        "restart_level_m": levels.restart,
        "start_level_m": levels.start,
        "all_run_level_m": levels.all_run,
        "hard_max_power_kw": round(make.power * POWER_MARGIN, 1),
        "hard_max_flow_m3h": round(make.flow * HOUR * FLOW_MARGIN),
        "max_speed_change_hz_per_s": float(dice.choice((2.0, 2.5, 3.0))),
        "max_starts_per_hour": 10.0 if make.power < 15.0 else 6.0,
        "min_run_s": 60.0,
        "min_off_s": 120.0,
        "max_run_s": 259_200.0,
    }
