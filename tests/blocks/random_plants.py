"""Random courses with a plant that answers, so that starts, run times and levels make sense."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from runtime.tags import Pump, Station
from tests.blocks.courses import ROWS, STATION_OF, Change, Course, Event, Happening, Mood
from tests.blocks.plant import SENSORS, Drive, Sensor
from tests.blocks.random_courses import (
    CLOCKS,
    PROGRAMS,
    TARGETS,
    beginning,
    order,
    program_settings,
    randoms,
    restart,
)
from tests.blocks.random_values import WELL_LEVELS, changes, levels, speeds, times

_DRIVES = [Drive.OBEYS] * 4 + list(Drive)
_SENSORS = [Sensor.TRUE] * 4 + list(Sensor)
_ERRORS = [-1.0, 0.05, 0.3, 5.0, 30.0, float("nan"), float("inf"), 1.7e308, 5e-324]


def _planned(random: Random) -> list[Happening]:
    """Another plan for one pump, or none at all from now on."""
    slot = random.randrange(ROWS["Pump"])
    end = random.choice([-2e6, -2e6, -2e6, 0.0, -1.0])
    planned = {Pump.tag(f"Plan{name}"): random.choice(targets) for name, targets in TARGETS}
    kind = {Pump.ControlType: random.randrange(3)} if random.random() < 0.2 else {}
    return changes(slot, {Pump.PlanStart: 1.0, Pump.PlanEnd: end, **planned, **kind})


def _mood(random: Random) -> Mood:
    slot = random.randrange(ROWS["Pump"])
    if random.random() < 0.5:
        return Mood("drive", slot, random.choice(_DRIVES))
    sensor = random.choice(SENSORS).name
    return random.choice(
        [
            Mood("own_speed", slot, random.choice([20.0, 30.0, 45.0, 60.0])),
            Mood(sensor, slot, random.choice(_SENSORS)),
            Mood(sensor, slot, random.choice(_SENSORS)),
            Mood(f"{sensor}Error", slot, random.choice(_ERRORS)),
        ]
    )


def _event(random: Random, period: float, filling: list[bool]) -> Event:
    happenings: list[Happening] = []
    for station, fills in enumerate(filling):
        if random.random() < 0.5:
            happenings.append(Mood("goal", station, random.choice(WELL_LEVELS)))
        if random.random() < 0.8:
            happenings.append(Change(Station.PlanTime, station, 0.0))
        if random.random() < 0.1:
            slot = STATION_OF.index(station)
            happenings += changes(slot, {**levels(random, fills), **times(random, period)})
    for _ in range(random.randrange(4)):
        happenings += [_mood(random), *_planned(random)]
    if random.random() < 0.1:
        happenings += changes(random.randrange(ROWS["Pump"]), speeds(random))
    return Event(
        happenings,
        [order(random) for _ in range(random.choice([0, 0, 0, 1, 2]))],
        random.choice([0.0] * 9 + [1.5 * period, 3600.0]),
        random.random() < 0.9,
        random.choice([1, 3, 10, 30, 60]),
        restart(random, 0.15),
    )


def living(random: Random, length: int) -> Course:
    """What happens to a PLC and its plant for hours. Parameters are as discovery lets pass."""
    period = random.choice([0.1, 1.0, 10.0, 60.0, 60.0])
    filling = [random.random() < 0.3 for _ in range(ROWS["Station"])]
    first = beginning(random, period, filling)
    for station in range(ROWS["Station"]):
        timeout = random.choice([1200.0, 604_800.0])
        first.changes.append(Change(Station.WatchdogTimeout, station, timeout))
    events = [first, *(_event(random, period, filling) for _ in range(length))]
    booted = random.choice(CLOCKS) - 1000.0
    settings = program_settings(random.randrange(PROGRAMS), period)
    return Course(events, period, settings, booted, random.randrange(1 << 32))


@st.composite
def living_courses(draw: st.DrawFn, longest: int = 12) -> Course:
    return living(draw(randoms()), draw(st.integers(1, longest)))
