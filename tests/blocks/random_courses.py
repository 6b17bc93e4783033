"""Random courses of events, whole of sense and nonsense.

Each run of the tests tries the same few; CALEJO_EXAMPLES=100000 tries that many new ones.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from runtime.tag import Area, Tag, Unit
from runtime.tags import Pump, Station, System
from tests.blocks.courses import ROWS, SETTINGS, STATION_OF, TIMES, Change, Event, Order
from tests.plc import Plc

EXAMPLES = int(os.environ.get("CALEJO_EXAMPLES", "0"))
BOUNDED = pytest.mark.timeout(0 if EXAMPLES else 300)

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


def _values(tag: Tag) -> st.SearchStrategy[float | None]:
    if tag in TIMES:
        return st.sampled_from([*AGES, None, None, *NONSENSE])
    if tag.states is not None:
        return st.sampled_from(sorted(tag.states))
    if tag.is_bool:
        return st.booleans()
    usual = USUAL[tag.unit]
    if tag.area is Area.PARAMETER:
        inside = [value for value in usual if value >= tag.low]
        return st.sampled_from(inside) | st.floats(tag.low, tag.high)
    if tag.name.startswith("Measured"):
        shown = Pump.tag(tag.name.removeprefix("Measured"))
        usual = [*usual, *usual, shown.low, shown.high]
    return st.sampled_from([*usual, *usual, *NONSENSE]) | st.floats(-50.0, 600.0)


_WILD = (*_GROUPS[:2], *_GROUPS, _PARAMETERS)
_VALUES = {tag: _values(tag) for group in (*_WILD, RESTORED) for tag in group}
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


@st.composite
def _changes(draw: st.DrawFn, groups: Sequence[Sequence[Tag]]) -> Change:
    tag = draw(st.sampled_from(draw(st.sampled_from(groups))))
    return Change(tag, draw(st.integers(0, ROWS[tag.table] - 1)), draw(_VALUES[tag]))


@st.composite
def _orders(draw: st.DrawFn) -> Order:
    tag, values = draw(st.sampled_from(_REQUESTS))
    slot = draw(st.integers(0, ROWS[tag.table]))
    return Order(
        tag, slot, draw(st.sampled_from(values)), draw(st.sampled_from([True, True, False]))
    )


_STOP_LEVELS = (Pump.HardMinLevel, Pump.DryRunLevel, Pump.EmergencyStopLevel, Pump.RestartLevel)


@st.composite
def _limits(draw: st.DrawFn) -> list[Change]:
    """Speed limits of a pump that leave a range, a default setpoint inside it, a level limit."""
    slot = draw(st.integers(0, ROWS["Pump"] - 1))
    speed = st.sampled_from(USUAL[Unit.HERTZ]) | st.floats(0.0, 100.0)
    speeds = sorted(draw(st.lists(speed, min_size=5, max_size=5)))
    low, high = draw(st.permutations(speeds[:2])), draw(st.permutations(speeds[3:]))
    default = draw(st.sampled_from([0.0, speeds[2]]))
    values = {
        Pump.MinSpeed: low[0],
        Pump.HardMinSpeed: low[1],
        Pump.DefaultSetpoint: default,
        Pump.MaxSpeed: high[0],
        Pump.HardMaxSpeed: high[1],
        draw(st.sampled_from(_STOP_LEVELS)): draw(st.sampled_from([0.5, 0.9, 1.0, 2.0])),
    }
    return [Change(tag, slot, value) for tag, value in values.items()]


@st.composite
def _beginnings(draw: st.DrawFn) -> list[Change]:
    """All pumps with plans, so that there is something to disturb."""
    changes = []
    fills = [draw(st.sampled_from([False, False, True])) for _ in range(ROWS["Station"])]
    for slot, filling in enumerate(fills):
        changes += [Change(Station.FlowDirection, slot, filling)]
        changes += [Change(Station.WithoutLevel, slot, draw(st.integers(0, 2)))]
    for slot in range(ROWS["Pump"]):
        kind = draw(st.sampled_from([1, 0, 2]))
        name, targets = _TARGETS[kind]
        values = {
            Pump.ControlType: kind,
            Pump.EmergencyStopLevel: 2.5 if fills[STATION_OF[slot]] else 0.3,
            Pump.LevelDerivativeTime: draw(st.sampled_from([0.0, 5.0])),
            Pump.LevelStartBand: draw(st.sampled_from([0.2, 0.5])),
            Pump.LevelStopBand: draw(st.sampled_from([0.2, 0.5])),
            Pump.PlanStart: 1.0,
            Pump.PlanEnd: draw(st.sampled_from([-2e6, -3.0])),
            Pump.tag(f"Plan{name}"): draw(st.sampled_from(targets)),
            Pump.NextStart: draw(st.sampled_from([1.0, -2.0, -3.0])),
            Pump.NextEnd: -2e6,
            Pump.tag(f"Next{name}"): draw(st.sampled_from(targets)),
        }
        changes += [Change(tag, slot, value) for tag, value in values.items()]
    return changes


@st.composite
def _levels(draw: st.DrawFn) -> list[Change]:
    """The level of a station, as all of its pumps measure it."""
    station = draw(st.integers(0, ROWS["Station"] - 1))
    level = draw(_VALUES[Pump.MeasuredLevel])
    pumps = [slot for slot, of in enumerate(STATION_OF) if of == station]
    return [Change(Pump.MeasuredLevel, slot, level) for slot in pumps]


@st.composite
def _restored(draw: st.DrawFn) -> list[Change]:
    slot = draw(st.integers(0, ROWS["Pump"] - 1))
    return [Change(tag, slot, draw(_VALUES[tag])) for tag in RESTORED]


def courses(consistent: bool) -> st.SearchStrategy[list[Event]]:
    """Courses of events. `consistent`: with parameters such as discovery lets through."""
    parts = [st.lists(_changes(_GROUPS if consistent else _WILD), max_size=8)]
    together = [_limits(), _levels()] if consistent else [_limits(), _levels(), _restored()]
    parts += [st.just([]) | changes for changes in together]
    changes = st.tuples(*parts).map(lambda lists: list(chain.from_iterable(lists)))
    orders = st.lists(_orders(), max_size=2)
    scans = st.sampled_from([1, 1, 1, 2, 5, 12])
    collector = st.sampled_from([True, True, False])
    event = st.builds(Event, changes, orders, st.sampled_from(GAPS), collector, scans)
    first = st.builds(Event, _beginnings(), orders, st.just(0.0), st.just(True), scans)
    return st.builds(
        lambda first, rest: [first, *rest], first, st.lists(event, min_size=3, max_size=9)
    )


@st.composite
def plcs(draw: st.DrawFn) -> Plc:
    plc = Plc(draw(st.sampled_from([0.1, 0.1, 1.0, 10.0])), STATION_OF, **SETTINGS)
    plc.clock.advance(draw(st.sampled_from([0.0, -990.0])))  # some machines have just booted
    plc.renew()
    return plc


def tried(examples: int) -> settings:
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
