"""Random courses of events, full of sense and nonsense.

Each run of the tests tries the same USUALLY, or the share of them that a test names.
CALEJO_EXAMPLES=100000 tries that many new ones, and CALEJO_SHRINK=1 looks for the smallest course
that fails, with less variety.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from runtime.alarm import AlarmState
from runtime.tag import Area, Tag, Unit
from runtime.tags import ALARM_OF_STATE, Pump, Station, System
from tests.blocks.courses import (
    ROWS,
    STATION_OF,
    Change,
    Course,
    Event,
    Happening,
    Order,
    Restart,
    Settings,
)
from tests.blocks.random_values import (
    NONSENSE,
    USUAL,
    WELL_LEVELS,
    change,
    changes,
    levels,
    speeds,
    times,
    value,
)

USUALLY = 5000  # examples
EXAMPLES = int(os.environ.get("CALEJO_EXAMPLES", "0"))
SHRINK = bool(os.environ.get("CALEJO_SHRINK"))
BOUNDED = pytest.mark.timeout(0 if EXAMPLES else 300)

PERIODS = [0.1, 0.1, 1.0, 10.0, 60.0]
GAPS = [0.0] * 9 + [0.05, 0.7, 29.9, 31.0, 31.0, 1200.0, 1e6, -5.0]
PROGRAMS = 12
CLOCKS = [3.0, 1000.0, 5e8]

_inputs = [tag for tag in Pump.tags() if tag.area is Area.INPUT]
_numbers = [
    tag
    for tag in (*Station.tags(), *Pump.tags())
    if tag.area is Area.PARAMETER and tag.is_float and tag not in (Station.PlanTime,)
]
_TUNING = [tag for tag in _numbers if tag.setting] + [Pump.LevelRole]
_GROUPS = (
    [tag for tag in _inputs if tag.name.startswith("Measured")],
    [tag for tag in _inputs if tag.name.startswith(("Plan", "Next"))],
    [Station.PlanTime, System.DatabaseTime],
    [Station.WithoutLevel, Station.Configured, Station.WellArea],
    [Pump.Configured, Pump.ControlType, Pump.EmergencyAction],
    _TUNING,
)
RESTORED = (Pump.Mode, Pump.ManualSetpoint)  # memory of a restart, from a damaged file perhaps
_WILD = (*_GROUPS[:2], *_GROUPS, [Station.FlowDirection], _numbers)
_SWITCH = [0.0, 0.0, 1.0]  # more stops are cleared than set, or all would soon stand still
_REQUESTS = [
    (System.EmergencyStop, _SWITCH),
    (Station.EmergencyStop, _SWITCH),
    (Pump.EmergencyStop, _SWITCH),
    (Pump.Mode, [0.0, 1.0, 1.0, 2.0]),
    (Pump.Mode, [0.0, 1.0, 1.0]),
    (Pump.ManualSetpoint, [*USUAL[Unit.HERTZ], *NONSENSE]),
    (System.Heartbeat, [0.0, 1.0, 2.0]),
]
_STATES = list(ALARM_OF_STATE)
_WISHES = [
    *[AlarmState.ACKNOWLEDGED] * 4,
    *[AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE, AlarmState.NORMAL, AlarmState.NORMAL],
]
TARGETS = (
    ("Speed", [0.0, 30.0, 45.0]),
    ("Level", [0.9, 1.5, 2.0]),
    ("Power", [0.0, 20.0, 50.0]),
)


def order(random: Random) -> Order:
    tag, values = random.choice(_REQUESTS)
    if random.random() < 0.3:
        tag, values = random.choice(_STATES), [*map(float, _WISHES)]
    slot = random.randrange(ROWS[tag.table] + 1)
    return Order(tag, slot, random.choice(values), random.choice([True, True, False]))


def restart(random: Random, often: float) -> Restart | None:
    if random.random() > often:
        return None
    return Restart(random.choice([None, None, *CLOCKS]))


def _parameters(random: Random, period: float, filling: list[bool]) -> list[Happening]:
    """All limits of one pump, such as discovery lets through."""
    slot = random.randrange(ROWS["Pump"])
    fitting = random.choice(
        [speeds(random), levels(random, filling[STATION_OF[slot]]), times(random, period)]
    )
    return changes(slot, fitting)


def _levels(random: Random) -> list[Happening]:
    """The level of a station, as all of its pumps measure it."""
    station = random.randrange(ROWS["Station"])
    level = random.choice([value(random, Pump.MeasuredLevel), *random.sample(WELL_LEVELS, 3)])
    pumps = [slot for slot, of in enumerate(STATION_OF) if of == station]
    return [Change(Pump.MeasuredLevel, slot, level) for slot in pumps]


def _restored(random: Random) -> list[Happening]:
    slot = random.randrange(ROWS["Pump"])
    return [Change(tag, slot, value(random, tag)) for tag in RESTORED]


def _event(random: Random, period: float, filling: list[bool], consistent: bool) -> Event:
    groups = _GROUPS if consistent else _WILD
    happenings: list[Happening] = [change(random, groups, ROWS) for _ in range(random.randrange(9))]
    if random.random() < 0.4:
        happenings += _parameters(random, period, filling)
    if random.random() < 0.5:
        happenings += _levels(random)
    if not consistent and random.random() < 0.4:
        happenings += _restored(random)
    return Event(
        happenings,
        [order(random) for _ in range(random.randrange(4))],
        random.choice([*GAPS, -period]),
        random.random() < 0.7,
        random.choice([1, 1, 1, 2, 3, 6]),
        restart(random, 0.08),
        random.choice([0.0] * 9 + [3600.0, -3600.0]),
    )


def _tuning(random: Random) -> dict[Tag, float]:
    return {
        Pump.DirectRamp: random.choice([0.05, 1.0, 100.0]),
        Pump.LevelDerivativeTime: random.choice([0.0, 5.0]),
        Pump.LevelTrackingTime: random.choice([0.0, 60.0]),
        Pump.LevelSetpointWeight: random.choice([0.0, 0.5, 1.0]),
        Pump.LevelFeedForward: random.choice([0.0, 0.5, 1.0]),
        Pump.LevelDeadband: random.choice([0.0, 0.02, 0.5]),
        Pump.LevelStartBand: random.choice([0.0, 0.2, 0.5]),
        Pump.LevelStopBand: random.choice([0.2, 0.5, 30.0]),
        Pump.LevelRole: random.choice([0, 0, 1]),
        Pump.PowerFeedForward: random.choice([0.0, 1.0]),
    }


def beginning(random: Random, period: float, filling: list[bool]) -> Event:
    """All pumps with plans, so that there is something to disturb."""
    happenings: list[Happening] = []
    for slot, fills in enumerate(filling):
        happenings += [Change(Station.FlowDirection, slot, fills)]
        happenings += [Change(Station.WithoutLevel, slot, random.randrange(3))]
        happenings += [Change(Station.LevelHold, slot, random.choice([0.0, 1.0, 3.0]) * period)]
    kinds = random.choice([(0, 1, 2), (0, 1, 2), (0, 2), (1,)])
    for slot in range(ROWS["Pump"]):
        kind = random.choice(kinds)
        name, targets = TARGETS[kind]
        values = {
            Pump.ControlType: kind,
            **levels(random, filling[STATION_OF[slot]]),
            **times(random, period),
            **_tuning(random),
            Pump.PlanStart: 1.0,
            Pump.PlanEnd: random.choice([-2e6, -2e6, -3.0]),
            Pump.tag(f"Plan{name}"): random.choice(targets),
            Pump.NextStart: random.choice([1.0, -2.0, -3.0]),
            Pump.NextEnd: -2e6,
            Pump.tag(f"Next{name}"): random.choice(targets),
        }
        happenings += changes(slot, values)
    return Event(happenings, scans=random.choice([1, 4, 9]))


def program_settings(number: int, period: float) -> Settings:
    """One of a few programs, which can be kept from course to course."""
    random = Random(number)
    some = [0.0, 1.0, 3.0, 10.0]
    return {
        "feedback": {
            "max_age": 30.0,
            "level_rate": random.choice([0.1, 1e9, 1e9]),
            "speed_rate": random.choice([50.0, 1e9]),
            "power_rate": random.choice([5.0, 1e9, 1e9]),
            "flow_rate": random.choice([50.0, 1e9, 1e9]),
            "stuck": random.choice([0.0, 0.0, 3.0 * period, 3600.0]),
            "power_stuck": random.choice([0.0, 0.0, 4.0 * period]),
            "flow_stuck": random.choice([0.0, 0.0, 5.0 * period]),
        },
        "well_level": {"difference": 0.2, "smoothing": random.choice([0.0, 60.0])},
        "plan": {"bridge": random.choice([0.0, 0.0, 2.0 * period])},
        "watchdog": {
            "scada_timeout": random.choice([3.0, 30.0]) * period,
            "without_scada": random.choice(["none", "alarm", "default"]),
        },
        "adaptation": {"learning_time": random.choice([60.0, 1800.0])},
        "staging": {
            "alternate": random.choice(["run_hours", "starts", "fixed"]),
            "up_delay": random.choice(some) * period,
            "down_delay": random.choice(some) * period,
        },
        "supervision": {
            "tolerance": 2.0,
            "delay": 1.5,
            "start_delay": random.choice([1.0, 10.0, 100.0]) * period,
            "retry": random.choice([5.0, 50.0]) * period,
            "no_flow": 0.05,
            "power_tolerance": 0.3,
            "flow_delay": random.choice(some[1:]) * period,
        },
    }


def chaos(random: Random, length: int, consistent: bool) -> Course:
    """What happens to a PLC. `consistent`: parameters are such as discovery lets through."""
    period = random.choice(PERIODS)
    filling = [random.random() < 0.3 for _ in range(ROWS["Station"])]
    events = [beginning(random, period, filling)]
    events += [_event(random, period, filling, consistent) for _ in range(length)]
    booted = random.choice([0.0, -990.0])  # some machines have just booted
    return Course(events, period, program_settings(random.randrange(PROGRAMS), period), booted)


@st.composite
def randoms(draw: st.DrawFn) -> Random:
    """All of a course comes from one seed: of many small choices hypothesis would mostly try
    near-copies.
    """
    if SHRINK:
        return draw(st.randoms(use_true_random=False))
    return Random(draw(st.randoms(use_true_random=True)).getrandbits(64))


@st.composite
def courses(draw: st.DrawFn, consistent: bool) -> Course:
    return chaos(draw(randoms()), draw(st.integers(1, 8)), consistent)


def tried(examples: int) -> settings:
    """So many of USUALLY."""
    return settings(
        max_examples=max(EXAMPLES * examples // USUALLY, 1) if EXAMPLES else examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
