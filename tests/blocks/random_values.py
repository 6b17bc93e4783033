"""Random values of single inputs, and of the parameters of a pump that must fit together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from runtime.tag import Area, Tag, Unit
from runtime.tags import Pump
from tests.blocks.courses import TIMES, Change, Happening

NONSENSE = [float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1.7e308, -1.7e308]
USUAL = {
    Unit.NONE: [0.0, 0.5, 1.0, 2.0, 3.0, 20.0],
    Unit.HERTZ: [0.0, 20.0, 25.0, 30.0, 34.9, 35.0, 45.0, 50.0, 55.0, 100.0],
    Unit.METRE: [-20.0, 0.0, 0.3, 0.4, 0.5, 0.9, 1.0, 1.4, 1.5, 1.6, 2.0, 2.5, 3.0, 30.0],
    Unit.SQUARE_METRE: [0.0, 12.0, 1e6],
    Unit.KILOWATT: [0.0, 10.0, 39.9, 40.0, 41.0, 100.0],
    Unit.CUBIC_METRE_PER_HOUR: [0.0, 100.0, 400.0, 400.5, 500.0],
    Unit.SECOND: [0.0, 1.0, 5.0, 300.0],
    Unit.HERTZ_PER_SECOND: [0.001, 0.5, 2.0, 100.0],
    Unit.HERTZ_PER_METRE: [0.0, 20.0, 149.0, 10_000.0],
    Unit.HERTZ_PER_KILOWATT: [0.0, 0.2, 10_000.0],
}
AGES = [0.0, 0.1, 1.0, 1.1, 3.0, 3.1, 29.9, 30.0, 30.1, 1199.9, 1200.0, -0.9, -1.0, -1.1, -1e6]
WELL_LEVELS = USUAL[Unit.METRE][1:-1]


def value(random: Random, tag: Tag) -> float | None:
    """Any value that the tag may have; of an input, also one that it should not."""
    if tag in TIMES:
        return random.choice([*AGES, *AGES, None, None, *NONSENSE])
    if tag.states is not None:
        return random.choice(sorted(tag.states))
    if tag.is_bool:
        return random.choice([False, True, True])
    usual = USUAL[tag.unit]
    if tag.area is Area.PARAMETER:
        inside = [value for value in usual if tag.low <= value <= tag.high]
        return random.choice([*inside, *inside, random.uniform(tag.low, tag.high)])
    if tag.name.startswith("Measured"):
        shown = Pump.tag(tag.name.removeprefix("Measured"))
        usual = [*usual, *usual, shown.low, shown.high]
    near = random.choice(usual)
    odd = [*NONSENSE, math.nextafter(near, 1e9), math.nextafter(near, -1e9)]
    return random.choice([*usual, *usual, *odd, *[random.uniform(-50.0, 600.0)] * 4])


def speeds(random: Random) -> dict[Tag, float]:
    """Speed limits that leave a range, and a default setpoint inside it."""
    usual = USUAL[Unit.HERTZ]
    found = sorted(random.choice([*usual, random.uniform(0.0, 100.0)]) for _ in range(5))
    low, high = random.sample(found[:2], 2), random.sample(found[3:], 2)
    return {
        Pump.MinSpeed: low[0],
        Pump.HardMinSpeed: low[1],
        Pump.DefaultSetpoint: random.choice([0.0, found[2], found[2]]),
        Pump.MaxSpeed: high[0],
        Pump.HardMaxSpeed: high[1],
    }


def levels(random: Random, filling: bool) -> dict[Tag, float]:
    """Levels in the order that discovery demands, from the side that protects the pump."""
    found = sorted(random.sample(WELL_LEVELS, 4), reverse=filling)
    if random.random() < 0.5:  # much room in between
        found[2:] = WELL_LEVELS[1::-1] if filling else WELL_LEVELS[-2:]
        found[:2] = sorted(random.sample(WELL_LEVELS[-4:] if filling else WELL_LEVELS[:4], 2))
        found[:2] = sorted(found[:2], reverse=filling)
    stop, restart, start, all_run = found
    beyond = [level for level in WELL_LEVELS if (level >= stop if filling else level <= stop)]
    first, second = random.choice(beyond), random.choice(beyond)
    return {
        Pump.HardMinLevel: WELL_LEVELS[0] if filling else first,
        Pump.HardMaxLevel: first if filling else WELL_LEVELS[-1],
        Pump.EmergencyStopLevel: second,
        Pump.DryRunLevel: random.choice(WELL_LEVELS if filling else beyond),
        Pump.StopLevel: stop,
        Pump.RestartLevel: restart,
        Pump.StartLevel: start,
        Pump.AllRunLevel: all_run,
    }


def times(random: Random, period: float) -> dict[Tag, float]:
    """Shortest and longest times of running and resting, some scans long."""
    shortest = random.choice([0.0, 0.0, 1.0, 3.0, 7.0]) * period
    longest = random.choice([1.0, 5.0, 12.0, 1e8]) * period
    return {
        Pump.MinRun: shortest,
        Pump.MinOff: random.choice([0.0, 0.0, 1.0, 3.0, 7.0]) * period,
        Pump.MaxRun: max(longest, shortest),
        Pump.MaxStartsPerHour: random.choice([1.0, 1.0, 2.0, 3.0, 20.0, 20.0]),
    }


def changes(slot: int, values: dict[Tag, float]) -> list[Happening]:
    return [Change(tag, slot, value) for tag, value in values.items()]


def change(random: Random, groups: Sequence[Sequence[Tag]], rows: dict[str, int]) -> Change:
    """Another value of any tag of any of the groups."""
    tag = random.choice(random.choice(groups))
    return Change(tag, random.randrange(rows[tag.table]), value(random, tag))
