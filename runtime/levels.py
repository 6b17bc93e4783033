"""The levels of a pump, in the order in which they lie on the side to which its station pumps.

| level   | emptying, from low to high        | filling, from high to low   | without one          |
|---------|-----------------------------------|-----------------------------|----------------------|
| trip    | the highest of HardMinLevel,      | the lower of HardMaxLevel   | refused              |
|         | EmergencyStopLevel, DryRunLevel   | and EmergencyStopLevel      |                      |
| stop    | StopLevel; may be the trip level  | the same                    | the trip level       |
| restart | RestartLevel                      | the same                    | refused              |
| start   | StartLevel                        | the same                    | half way from        |
|         |                                   |                             | restart to all-run   |
| all-run | AllRunLevel; may be the end       | the same                    | the end              |
| end     | HardMaxLevel                      | HardMinLevel                | refused              |

At the trip level a pump runs dry, or a tank overflows; at the end it is the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.tag import Tag
from runtime.tags import Pump, Station

Values = dict[str, float]
GUARDS = (Pump.StartLevel, Pump.StopLevel, Pump.AllRunLevel)
"""Levels that a pump needs not name."""

_RISING = (Pump.StopLevel, Pump.RestartLevel, Pump.StartLevel, Pump.AllRunLevel)


@dataclass(frozen=True)
class Axis:
    """Levels as a station's pumps see them: the greater sign · level, the more there is to do."""

    sign: float
    kind: str
    beyond: str
    short_of: str
    trips: tuple[Tag, ...]
    trip_name: str
    end: Tag

    def trip(self, values: Mapping[str, float]) -> float:
        """The level at which the pump trips."""
        return self.sign * max(self.sign * values[tag.name] for tag in self.trips)


EMPTYING = Axis(
    1.0,
    "an emptying",
    "above",
    "below",
    (Pump.HardMinLevel, Pump.EmergencyStopLevel, Pump.DryRunLevel),
    "the highest of hard_min_level_m, emergency_stop_level_m and dry_run_level_m",
    Pump.HardMaxLevel,
)
FILLING = Axis(
    -1.0,
    "a filling",
    "below",
    "above",
    (Pump.HardMaxLevel, Pump.EmergencyStopLevel),
    "the lower of hard_max_level_m and emergency_stop_level_m",
    Pump.HardMinLevel,
)


def axis(flow_direction: float) -> Axis:
    """The axis of a station with this FlowDirection."""
    return FILLING if flow_direction == Station.FlowDirection.number("filling") else EMPTYING


def disorder(values: Mapping[str, float], axis: Axis) -> str | None:
    """What is wrong with the levels that a pump names, if anything is."""
    lower, lower_name = axis.trip(values), axis.trip_name
    end = values[axis.end.name]
    for tag in _RISING:
        level = values.get(tag.name)
        if level is None:
            continue
        above, left = axis.sign * (level - lower), axis.sign * (end - level)
        from_trip, to_end = tag is Pump.StopLevel, tag is Pump.AllRunLevel
        if not ((above > 0 or (from_trip and above == 0)) and (left > 0 or (to_end and left == 0))):
            return (
                f"{tag.column}: found {level:g}, allowed on {axis.kind} station"
                f" {'at or ' * from_trip}{axis.beyond} {lower:g} m ({lower_name}) and"
                f" {'at or ' * to_end}{axis.short_of} {end:g} m ({axis.end.column})"
            )
        lower, lower_name = level, tag.column
    return None


def complete(values: Values, axis: Axis) -> None:
    """Put in the guard levels that a pump does not name."""
    highest = values.setdefault(Pump.AllRunLevel.name, values[axis.end.name])
    values.setdefault(Pump.StopLevel.name, axis.trip(values))
    values.setdefault(Pump.StartLevel.name, 0.5 * (values[Pump.RestartLevel.name] + highest))
