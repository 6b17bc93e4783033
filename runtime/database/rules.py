"""Which equipment rows can be used, and what is wrong with the others.

Every problem names the station or pump, the field, what was found, and what is allowed. The
columns, ranges and states come from the declaration of the tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import numpy as np

from config import Config
from runtime.tag import Area, Tag
from runtime.tags import Pump, Station

Row = Mapping[str, object]
Values = dict[str, float]

_PUMP_PARAMETERS = [tag for tag in Pump.tags() if tag.area is Area.PARAMETER]
_TUNING = re.compile(r"(Level|Power)(?=Gain|ResetTime|Derivative|Filter|Deadband|StartB|StopB)")
TUNING = {tag.column: tag for tag in _PUMP_PARAMETERS if _TUNING.match(tag.name)}
"""What `control_parameters` may hold; `scan.yaml` has the defaults, in the block's settings."""

_IN_ROW = [
    tag
    for tag in _PUMP_PARAMETERS
    if tag.column not in TUNING and tag not in (Pump.Configured, Pump.Station)
]


PUMP_COLUMNS = [tag.column for tag in _IN_ROW]
"""The columns of pumps and pump_safety_limits that hold parameters."""


def station_values(row: Row, config: Config) -> tuple[Values, list[str]]:
    """The parameters of a station, and the problems that forbid its use."""
    given = dict(row)
    if given["watchdog_timeout_s"] is None:
        given["watchdog_timeout_s"] = config.program.watchdog.timeout
    if given["without_level"] is None:
        given["without_level"] = config.program.limits.without_level
    values: Values = {}
    problems: list[str] = []
    for tag in (Station.FlowDirection, Station.WatchdogTimeout, Station.WithoutLevel):
        _take(tag, given[tag.column], values, problems)
    return values, [f"station {row['station_id']}: {problem}" for problem in problems]


def pump_values(row: Row, station: Values, config: Config) -> tuple[Values, list[str]]:
    """The parameters of a pump, and the problems that forbid its use."""
    values: Values = {}
    problems: list[str] = []
    for tag in _IN_ROW:
        _take(tag, row[tag.column], values, problems)
    tuning = row["control_parameters"]
    assert isinstance(tuning, dict)
    problems += [
        f"control_parameters.{key}: found an unknown name, allowed {', '.join(TUNING)}"
        for key in sorted(tuning.keys() - TUNING.keys())
    ]
    for key, tag in TUNING.items():
        given = tuning.get(key, _default(tag, config))
        _take(tag, given, values, problems, "control_parameters.")
    if not problems:
        problems = [*_speeds(values), *_levels(values, station)]
    name = f"station {row['station_id']}, pump {row['pump_id']}"
    return values, [f"{name}: {problem}" for problem in problems]


def _take(tag: Tag, found: object, values: Values, problems: list[str], prefix: str = "") -> None:
    """Put a value into `values`, or say what is wrong with it."""
    if tag.states is not None:
        numbers = {state: number for number, state in tag.states.items()}
        if isinstance(found, str) and found in numbers:
            values[tag.name] = numbers[found]
            return
        allowed = ", ".join(numbers)
    else:
        if type(found) in (int, float) and tag.low <= cast(float, found) <= tag.high:
            values[tag.name] = float(cast(float, found))
            return
        allowed = f"{tag.low:g} to {tag.high:g} {tag.unit.symbol}".strip()
    problems.append(f"{prefix}{tag.column}: found {_shown(found)}, allowed {allowed}")


def _default(tag: Tag, config: Config) -> float:
    """LevelResetTime of a pump without its own: the setting reset_time of block level_control."""
    match = _TUNING.match(tag.name)
    assert match is not None
    block = getattr(config.program, f"{match[1].lower()}_control")
    setting = tag.column.removesuffix(tag.unit.suffix).removeprefix(f"{match[1].lower()}_")
    return float(getattr(block, setting))


def _speeds(values: Values) -> list[str]:
    low = max(values["MinSpeed"], values["HardMinSpeed"])
    high = min(values["MaxSpeed"], values["HardMaxSpeed"])
    if low > high:
        return [
            f"speeds: min_speed_hz and hard_min_speed_hz demand at least {low:g} Hz,"
            f" max_speed_hz and hard_max_speed_hz at most {high:g} Hz; they must meet"
        ]
    if not _has_float32(low, high):
        return [
            f"speeds: {low!r} to {high!r} Hz holds no 32-bit number, which is what drives and"
            " SCADA get; allowed is a wider range"
        ]
    default = values["DefaultSetpoint"]
    if default != 0 and not low <= default <= high:
        return [
            f"default_setpoint_hz: found {default:g}, allowed 0 (stop) or {low:g} to {high:g} Hz"
        ]
    return []


def _has_float32(low: float, high: float) -> bool:
    nearest = np.float32(low)
    if float(nearest) < low:
        nearest = np.nextafter(nearest, np.float32(np.inf))
    return float(nearest) <= high


def _levels(values: Values, station: Values) -> list[str]:
    """The level that releases a stop must lie on the safe side of every level that causes one."""
    restart = values["RestartLevel"]
    low, high = values["HardMinLevel"], values["HardMaxLevel"]
    if station["FlowDirection"] == 0:
        stop = max(low, values["EmergencyStopLevel"], values["DryRunLevel"])
        if stop < restart <= high:
            return []
        return [
            f"restart_level_m: found {restart:g}, allowed on an emptying station above {stop:g}"
            " (the highest of hard_min_level_m, emergency_stop_level_m and dry_run_level_m)"
            f" and up to {high:g} m (hard_max_level_m)"
        ]
    stop = min(high, values["EmergencyStopLevel"])
    if low <= restart < stop:
        return []
    return [
        f"restart_level_m: found {restart:g}, allowed on a filling station from {low:g}"
        f" (hard_min_level_m) to below {stop:g} m (the lower of hard_max_level_m and"
        " emergency_stop_level_m)"
    ]


def _shown(found: object) -> str:
    return "nothing" if found is None else repr(found)
