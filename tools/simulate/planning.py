"""What a plan asks of the pumps, interval by interval. Pure and vectorised over stations.

A station's level-controlled pumps get a level and look after themselves. Its speed- and
power-controlled pumps (base pumps) get a share of the dry-weather flow that is expected; where
there is no level-controlled pump they get all of it, corrected by the level. Rain is not foreseen:
the plan is made anew every minute, so the level tells of it.

`fullness` is how far the level is on the side that asks for pumping: above its target in a well,
below it in a tank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.simulate import inflow
from tools.simulate.hydraulics import Bools, Floats, Integers, Plant, power, static_head
from tools.simulate.sizing import POWER_MARGIN, Site, Sized

INTERVAL = 900.0  # s
BASE_SHARE = 0.6  # of the expected flow, where level-controlled pumps take the rest
LEAST, MOST = 0.55, 1.15  # flow of a running base pump over its rated flow
BAND = 0.25  # m: where even one base pump is too much, it starts and stops at ± this fullness
RELIEF = 0.4  # m of fullness from which base pumps help level control, or leave off
CORRECTION = 600.0  # s in which a level error is to be pumped away
WELL_TARGET, TANK_TARGET = 0.4, 0.6  # place of the level target between the limits
DAILY_SWING = 0.3  # m lower wells, fuller tanks, before the daily peak


@dataclass(frozen=True)
class Targets:
    """Targets of intervals × pumps: Hz, m, kW, m³/s. Each pump follows what its type names."""

    speed: Floats
    level: Floats
    power: Floats
    flow: Floats


@dataclass(frozen=True)
class Fleet:
    """The sites as arrays, as a plan needs them."""

    sized: Sized
    filling: Bools
    low: Floats
    high: Floats
    min_speed: Floats
    max_speed: Floats
    rated_flow: Floats
    max_power: Floats
    by_level: Bools
    rank: Integers
    of_kind: Integers

    @property
    def plant(self) -> Plant:
        return self.sized.plant

    @property
    def station(self) -> Integers:
        return self.sized.plant.pumps.station

    def order(self, time: float) -> Integers:
        """Whose turn it is, from 0: pumps of a kind take over from each other every day."""
        return (self.rank + int(time // inflow.DAY)) % self.of_kind


def fleet(sites: Sequence[Site], sized: Sized) -> Fleet:
    """`rank` numbers the pumps of a kind (level-controlled, or not) in a station; `of_kind` is how
    many there are.
    """
    machines = [machine for site in sites for machine in site.machines]
    rank, of_kind = [], []
    for site in sites:
        kinds = [machine.control_type == "LEVEL_CONTROLLED" for machine in site.machines]
        rank += [kinds[:number].count(kind) for number, kind in enumerate(kinds)]
        of_kind += [kinds.count(kind) for kind in kinds]
    return Fleet(
        sized,
        filling=sized.plant.stations.filling,
        low=np.array([site.low for site in sites]),
        high=np.array([site.high for site in sites]),
        min_speed=np.array([machine.min_speed for machine in machines]),
        max_speed=np.array([machine.max_speed for machine in machines]),
        rated_flow=sized.plant.pumps.best_flow,
        max_power=np.array([machine.max_power for machine in machines]),
        by_level=np.array([m.control_type == "LEVEL_CONTROLLED" for m in machines], np.bool_),
        rank=np.array(rank, np.int64),
        of_kind=np.array(of_kind, np.int64),
    )


def plan(fleet: Fleet, level: Floats, running: Bools, begin: float, intervals: int) -> Targets:
    """The plan from `begin` (s since 1970) on, for stations at these levels."""
    plant, sized = fleet.plant, fleet.sized
    base = ~fleet.by_level
    has_level = plant.sum(fleet.by_level.astype(np.float64)) > 0
    count = plant.sum((running & base).astype(np.float64))
    courses: list[tuple[Floats, Floats, Floats, Floats]] = []
    for number in range(intervals):
        time = begin + (number + 0.5) * INTERVAL
        target = station_target(fleet, time)
        expected = sized.dry * inflow.daily(time)
        fullness = np.where(fleet.filling, target - level, level - target)
        relief = np.where(has_level, np.maximum(0.0, fullness - RELIEF), fullness)
        wanted = np.maximum(
            0.0,
            np.where(has_level, BASE_SHARE, 1.0) * expected
            + relief * plant.stations.area / CORRECTION,
        )
        wanted[has_level & (fullness < -RELIEF)] = 0.0
        count = base_count(fleet, wanted, fullness, count)
        order = fleet.order(time)
        flow = base_flow(fleet, order, wanted, count)
        others = np.where(has_level, np.maximum(0.0, expected - plant.sum(flow)), 0.0)
        speed, kilowatts = needed(fleet, level, flow, others)
        courses.append((speed, level_targets(fleet, target), kilowatts, flow))
        moved = plant.sum(flow) + others
        rise = np.where(fleet.filling, moved - expected, expected - moved)
        level = np.clip(level + rise * INTERVAL / plant.stations.area, fleet.low, fleet.high)
    return Targets(*(np.stack(values) for values in zip(*courses, strict=True)))


def station_target(fleet: Fleet, time: float) -> Floats:
    """The level at which a station is to be: room in a well, stock in a tank before a peak."""
    span = fleet.high - fleet.low
    swing = DAILY_SWING * (inflow.daily(time + 2 * INTERVAL) - 1.0)
    well = fleet.low + WELL_TARGET * span - swing
    return np.where(fleet.filling, fleet.low + TANK_TARGET * span + swing, well)


def level_targets(fleet: Fleet, target: Floats) -> Floats:
    """The levels of the pumps: one for all of a station, which of them run is not the plan's."""
    room = 0.15 * (fleet.high - fleet.low)
    return np.clip(target, fleet.low + room, fleet.high - room)[fleet.station]


def base_count(fleet: Fleet, wanted: Floats, fullness: Floats, before: Floats) -> Floats:
    """How many base pumps of each station shall run: as many as before while that does."""
    base = (~fleet.by_level).astype(np.float64)
    there = fleet.plant.sum(base)
    rated = fleet.plant.sum(base * fleet.rated_flow) / np.maximum(1.0, there)
    rated = np.maximum(rated, 1e-9)
    fewest = np.ceil(wanted / (MOST * rated))
    most = np.floor(wanted / (LEAST * rated))
    steady = np.clip(before, fewest, np.maximum(fewest, most))
    single = (fullness > BAND) | ((before > 0) & (fullness > -BAND))
    return np.minimum(there, np.where(most >= 1, steady, single))


def base_flow(fleet: Fleet, order: Integers, wanted: Floats, count: Floats) -> Floats:
    """The flow of each pump: an equal share for the first `count` base pumps of a station."""
    on = ~fleet.by_level & (order < count[fleet.station])
    share = (wanted / np.maximum(1.0, count))[fleet.station]
    return np.where(on, np.clip(share, LEAST * fleet.rated_flow, MOST * fleet.rated_flow), 0.0)


def needed(fleet: Fleet, level: Floats, flow: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Speed in Hz and power in kW with which pumps move `flow` while others move theirs beside."""
    plant, pumps = fleet.plant, fleet.plant.pumps
    main = static_head(plant, level) + plant.stations.friction * (plant.sum(flow) + others) ** 2
    head = main[pumps.station]
    on = flow > 0.0
    ratio = np.sqrt((head + pumps.curve * flow**2) / pumps.head)
    speed = np.clip(ratio * pumps.nominal, fleet.min_speed, fleet.max_speed)
    kilowatts = power(pumps, flow, head, ratio)
    most = fleet.max_power / POWER_MARGIN * 1.1
    return np.where(on, speed, 0.0), np.where(on, np.minimum(kilowatts, most), 0.0)
