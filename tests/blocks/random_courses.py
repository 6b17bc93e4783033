"""Random courses of events, full of sense and nonsense.

Each run of the tests tries the same few. CALEJO_EXAMPLES=100000 tries that many new ones, and
CALEJO_SHRINK=1 looks for the smallest course that fails, with less variety.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from runtime.tag import Area, Tag, Unit
from runtime.tags import Pump, Station, System
from tests.blocks.courses import ROWS, SETTINGS, STATION_OF, TIMES, Change, Event, Order
from tests.plc import Plc

EXAMPLES = int(os.environ.get("CALEJO_EXAMPLES", "0"))
SHRINK = bool(os.environ.get("CALEJO_SHRINK"))
BOUNDED = pytest.mark.timeout(0 if EXAMPLES else 300)
Course: TypeAlias = tuple[Plc, list[Event]]

NONSENSE = [float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1.7e308, -1.7e308]
USUAL = {
    Unit.HERTZ: [0.0, 20.0, 25.0, 30.0, 34.9, 35.0, 45.0, 50.0, 55.0, 100.0],
    Unit.METRE: [-20.0, 0.0, 0.3, 0.4, 0.5, 0.9, 1.0, 1.4, 1.5, 1.6, 2.0, 2.5, 3.0, 30.0],
    Unit.KILOWATT: [0.0, 10.0, 39.9, 40.0, 41.0, 100.0],
    Unit.CUBIC_METRE_PER_HOUR: [0.0, 100.0, 400.0, 400.5, 500.0],
    Unit.SECOND: [0.0, 1.0, 5.0, 300.0],
    Unit.HERTZ_PER_SECOND: [0.0, 0.5, 2.0, 100.0],
    Unit.HERTZ_PER_METRE: [0.0, 20.0, 149.0, 10_000.0],
    Unit.HERTZ_PER_KILOWATT: [0.0, 0.2, 10_000.0],
}
AGES = [0.0, 0.1, 1.0, 1.1, 3.0, 3.1, 29.9, 30.0, 30.1, 1199.9, 1200.0, -0.9, -1.0, -1.1, -1e6]
GAPS = [0.0] * 9 + [0.05, 0.7, 29.9, 31.0, 31.0, 1200.0, 1e6, -5.0]

_inputs = [tag for tag in Pump.tags() if tag.area is Area.INPUT]
_NOT_YET = (Pump.MinRun, Pump.MinOff, Pump.MaxRun)  # no block reads them
_PARAMETERS = [tag for tag in Pump.tags() if tag.area is Area.PARAMETER and tag.unit in USUAL]
_PARAMETERS = [tag for tag in (*_PARAMETERS, Station.WatchdogTimeout) if tag not in _NOT_YET]
_GROUPS = (
    [tag for tag in _inputs if tag.name.startswith("Measured")],
    [tag for tag in _inputs if tag.name.startswith(("Plan", "Next"))],
    [Station.PlanTime, System.DatabaseTime],
    [Station.FlowDirection, Station.WithoutLevel, Station.Configured],
    [Pump.Configured, Pump.ControlType, Pump.EmergencyAction],
)
RESTORED = (Pump.Mode, Pump.ManualSetpoint)  # memory of a restart, from a damaged file perhaps
_WILD = (*_GROUPS[:2], *_GROUPS, _PARAMETERS)
_STOP_LEVELS = (Pump.HardMinLevel, Pump.DryRunLevel, Pump.EmergencyStopLevel, Pump.RestartLevel)
_SWITCH = [0.0, 0.0, 1.0]  # more stops are cleared than set, or all would soon stand still
_REQUESTS = [
    (System.EmergencyStop, _SWITCH),
    (Station.EmergencyStop, _SWITCH),
    (Pump.EmergencyStop, _SWITCH),
    (Pump.Mode, [0.0, 1.0, 1.0, 2.0]),
    (Pump.Mode, [0.0, 1.0, 1.0]),
    (Pump.ManualSetpoint, [*USUAL[Unit.HERTZ], *NONSENSE]),
]
_TARGETS = (
    ("Speed", [0.0, 30.0, 45.0]),
    ("Level", [0.9, 1.5, 2.0]),
    ("Power", [0.0, 20.0, 50.0]),
)


def _value(random: Random, tag: Tag) -> float | None:
    if tag in TIMES:
        return random.choice([*AGES, *AGES, None, None, *NONSENSE])
    if tag.states is not None:
        return random.choice(sorted(tag.states))
    if tag.is_bool:
        return random.choice([False, True, True])
    usual = USUAL[tag.unit]
    if tag.area is Area.PARAMETER:
        inside = [value for value in usual if value >= tag.low]
        return random.choice([*inside, *inside, random.uniform(tag.low, tag.high)])
    if tag.name.startswith("Measured"):
        shown = Pump.tag(tag.name.removeprefix("Measured"))
        usual = [*usual, *usual, shown.low, shown.high]
    return random.choice([*usual, *usual, *NONSENSE, *[random.uniform(-50.0, 600.0)] * 4])


def _change(random: Random, groups: Sequence[Sequence[Tag]]) -> Change:
    tag = random.choice(random.choice(groups))
    return Change(tag, random.randrange(ROWS[tag.table]), _value(random, tag))


def _order(random: Random) -> Order:
    tag, values = random.choice(_REQUESTS)
    slot = random.randrange(ROWS[tag.table] + 1)
    return Order(tag, slot, random.choice(values), random.choice([True, True, False]))


def _limits(random: Random) -> list[Change]:
    """Speed limits of a pump that leave a range, a default setpoint inside it, a level limit."""
    slot = random.randrange(ROWS["Pump"])
    usual = USUAL[Unit.HERTZ]
    speeds = sorted(random.choice([*usual, random.uniform(0.0, 100.0)]) for _ in range(5))
    low, high = random.sample(speeds[:2], 2), random.sample(speeds[3:], 2)
    values = {
        Pump.MinSpeed: low[0],
        Pump.HardMinSpeed: low[1],
        Pump.DefaultSetpoint: random.choice([0.0, speeds[2]]),
        Pump.MaxSpeed: high[0],
        Pump.HardMaxSpeed: high[1],
        random.choice(_STOP_LEVELS): random.choice([0.5, 0.9, 1.0, 2.0]),
    }
    return [Change(tag, slot, value) for tag, value in values.items()]


def _levels(random: Random) -> list[Change]:
    """The level of a station, as all of its pumps measure it."""
    station = random.randrange(ROWS["Station"])
    level = _value(random, Pump.MeasuredLevel)
    pumps = [slot for slot, of in enumerate(STATION_OF) if of == station]
    return [Change(Pump.MeasuredLevel, slot, level) for slot in pumps]


def _restored(random: Random) -> list[Change]:
    slot = random.randrange(ROWS["Pump"])
    return [Change(tag, slot, _value(random, tag)) for tag in RESTORED]


def _event(random: Random, consistent: bool) -> Event:
    groups = _GROUPS if consistent else _WILD
    changes = [_change(random, groups) for _ in range(random.randrange(9))]
    for together in (_limits, _levels) if consistent else (_limits, _levels, _restored):
        if random.random() < 0.4:
            changes += together(random)
    orders = [_order(random) for _ in range(random.randrange(4))]
    fresh = random.random() < 0.7
    return Event(changes, orders, random.choice(GAPS), fresh, random.choice([1, 1, 1, 2, 5, 12]))


def _beginning(random: Random) -> Event:
    """All pumps with plans, so that there is something to disturb."""
    changes = []
    fills = [random.random() < 0.3 for _ in range(ROWS["Station"])]
    for slot, filling in enumerate(fills):
        changes += [Change(Station.FlowDirection, slot, filling)]
        changes += [Change(Station.WithoutLevel, slot, random.randrange(3))]
    for slot in range(ROWS["Pump"]):
        kind = random.randrange(3)
        name, targets = _TARGETS[kind]
        values = {
            Pump.ControlType: kind,
            Pump.EmergencyStopLevel: 2.5 if fills[STATION_OF[slot]] else 0.3,
            Pump.LevelDerivativeTime: random.choice([0.0, 5.0]),
            Pump.LevelStartBand: random.choice([0.2, 0.5]),
            Pump.LevelStopBand: random.choice([0.2, 0.5]),
            Pump.PlanStart: 1.0,
            Pump.PlanEnd: random.choice([-2e6, -2e6, -3.0]),
            Pump.tag(f"Plan{name}"): random.choice(targets),
            Pump.NextStart: random.choice([1.0, -2.0, -3.0]),
            Pump.NextEnd: -2e6,
            Pump.tag(f"Next{name}"): random.choice(targets),
        }
        changes += [Change(tag, slot, value) for tag, value in values.items()]
    return Event(changes, [], 0.0, True, random.choice([1, 5, 12]))


@st.composite
def courses(draw: st.DrawFn, consistent: bool) -> Course:
    """A PLC and what happens to it. `consistent`: parameters are such as discovery lets through.

    All comes from one seed: of many small choices hypothesis would mostly try near-copies.
    """
    random = draw(st.randoms(use_true_random=not SHRINK))
    plc = Plc(random.choice([0.1, 0.1, 1.0, 10.0]), STATION_OF, **SETTINGS)
    plc.clock.advance(random.choice([0.0, -990.0]))  # some machines have just booted
    plc.renew()
    rest = range(draw(st.integers(1, 9)))
    return plc, [_beginning(random), *(_event(random, consistent) for _ in rest)]


def tried(examples: int) -> settings:
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
