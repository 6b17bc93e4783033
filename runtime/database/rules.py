"""Which equipment rows can be used, and what is wrong with the others.

Every problem names the station or pump, the field, what was found, and what is allowed. The
columns, ranges and states come from the declaration of the tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import cast

import numpy as np

from config import Config
from runtime import levels
from runtime.tag import Area, Tag
from runtime.tags import Pump, Station

Row = Mapping[str, object]
Values = dict[str, float]

_OF_STATION = [
    tag for tag in Station.tags() if tag.area is Area.PARAMETER and tag is not Station.Configured
]
_OF_PUMP = [
    tag
    for tag in Pump.tags()
    if tag.area is Area.PARAMETER and tag not in (Pump.Configured, Pump.Station)
]
_IN_ROW = [tag for tag in _OF_PUMP if tag.setting is None]

TUNING = {tag.column: tag for tag in _OF_PUMP if tag.setting is not None}
"""What `control_parameters` may hold; without, the setting of `scan.yaml` that the tag names."""

PUMP_COLUMNS = [tag.column for tag in _IN_ROW]
"""The columns of pumps and pump_safety_limits that hold parameters."""


def station_values(row: Row, config: Config) -> tuple[Values, list[str]]:
    """The parameters of a station, and the problems that forbid its use."""
    values: Values = {}
    problems: list[str] = []
    for tag in _OF_STATION:
        if row[tag.column] is not None:
            _take(tag, row[tag.column], values, problems)
    if not problems:
        values = completed_station(values, config)
    return values, [f"station {row['station_id']}: {problem}" for problem in problems]


def completed_station(values: Values, config: Config) -> Values:
    """With what stands for the parameters that are not given."""
    area = {Station.WellArea.name: 0.0}  # not known
    return _with_settings(_OF_STATION, area | values, config)


def pump_values(row: Row, station: Values, config: Config) -> tuple[Values, list[str]]:
    """The parameters of a pump, and the problems that forbid its use."""
    values: Values = {}
    problems: list[str] = []
    for tag in _IN_ROW:
        if row[tag.column] is not None or tag not in levels.GUARDS:
            _take(tag, row[tag.column], values, problems)
    tuning = row["control_parameters"]
    assert isinstance(tuning, dict)
    problems += [
        f"control_parameters.{key}: found an unknown name, allowed {', '.join(TUNING)}"
        for key in sorted(tuning.keys() - TUNING.keys())
    ]
    for key, tag in TUNING.items():
        if key in tuning:
            _take(tag, tuning[key], values, problems, "control_parameters.")
    if not problems:
        problems = [*_speeds(values), *_levels(values, station), *_times(values)]
    if not problems:
        values = completed_pump(values, station, config)
    name = f"station {row['station_id']}, pump {row['pump_id']}"
    return values, [f"{name}: {problem}" for problem in problems]


def completed_pump(values: Values, station: Values, config: Config) -> Values:
    """With what stands for the parameters that are not given."""
    values = _with_settings(_OF_PUMP, values, config)
    levels.complete(values, _axis(station))
    return values


def _with_settings(tags: Iterable[Tag], values: Values, config: Config) -> Values:
    """With the settings of `scan.yaml` where there are no values."""
    values = dict(values)
    for tag in tags:
        if tag.setting is not None and tag.name not in values:
            _take(tag, attrgetter(tag.setting)(config.program), values, [])
    return values


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
    found = levels.disorder(values, _axis(station))
    return [] if found is None else [found]


def _axis(station: Values) -> levels.Axis:
    """A retired station may have no parameters, and then its pumps are out of use."""
    return levels.axis(station.get("FlowDirection", 0.0))


def _times(values: Values) -> list[str]:
    longest, shortest = values["MaxRun"], values["MinRun"]
    if longest > shortest:
        return []
    return [f"max_run_s: found {longest:g}, allowed more than {shortest:g} s (min_run_s)"]


def _shown(found: object) -> str:
    return "nothing" if found is None else repr(found)
