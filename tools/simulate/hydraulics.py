"""The physics of pump stations: wells and tanks, pumps in parallel, drives. Pure and vectorised.

Stations and pumps are arrays; `Plant.station` says where each pump stands. Units are m, m², m³,
m³/s, Hz, kW and s.

- A pump lifts `H = s²·head − curve·Q²`, where s is speed / nominal speed (affinity laws).
- The pumps of a station share one rising main, `H = static + friction·Q²`. Every pump has a check
  valve: below the speed at which it would overcome the head (its dead-head speed) it moves nothing.
- Efficiency is a parabola over `Q / (s·best_flow)` with its top at 1; drive and motor take a
  constant part more.
- An emptying station pumps out of the well that its inflow fills, so its static head falls as the
  level rises; a filling station pumps into the tank that its consumers empty.
- Near the floor of a well the pumps suck air and lose their head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

DENSITY_GRAVITY = 9.81  # kN/m³: ρ·g / 1000, so that power comes out in kW
DRIVE_EFFICIENCY = 0.92 * 0.97  # motor, frequency converter
AIR_BAND = 0.05  # m above the floor in which suction goes from nothing to full
SPILL_RETURN = 0.05  # m below the crest at which an overflow has ended
HALVINGS = 44  # leave less than 1e-6 l/s of doubt
MAX_RELATIVE_FLOW = 1.9  # the efficiency parabola ends at 2


@dataclass(frozen=True)
class Stations:
    """Wells and tanks. `crest` is the level of the overflow, `static` the head at level 0."""

    area: Floats
    floor: Floats
    crest: Floats
    static: Floats
    friction: Floats
    filling: Bools


@dataclass(frozen=True)
class Pumps:
    """Pumps and their drives. `ramp` is how fast a drive changes its speed, in Hz/s."""

    station: Integers
    head: Floats
    curve: Floats
    best_flow: Floats
    best_efficiency: Floats
    nominal: Floats
    ramp: Floats


@dataclass(frozen=True)
class Plant:
    """All stations and pumps."""

    stations: Stations
    pumps: Pumps

    def sum(self, of_pumps: Floats) -> Floats:
        """The sum over the pumps of each station."""
        return np.bincount(self.pumps.station, of_pumps, len(self.stations.area)).astype(np.float64)


@dataclass(frozen=True)
class State:
    """What the plant remembers: levels, speeds, and volumes in m³ since the beginning.

    `arrived` came in (or from the pumps of a filling station), `left` went out (or to consumers),
    `missing` is what consumers wanted of an empty tank.
    """

    level: Floats
    speed: Floats
    spilling: Bools
    overflows: Integers
    arrived: Floats
    left: Floats
    spilled: Floats
    missing: Floats


@dataclass(frozen=True)
class Working:
    """What the pumps do in a moment: flow and electrical power of each, head of each station."""

    flow: Floats
    power: Floats
    head: Floats


def start(plant: Plant, level: Floats, speed: Floats | None = None) -> State:
    """The state of a plant with these levels, its pumps at rest unless speeds are given."""
    stations = len(plant.stations.area)
    nothing = np.zeros(stations)
    return State(
        level=np.array(level, np.float64),
        speed=np.zeros(len(plant.pumps.station)) if speed is None else np.array(speed, np.float64),
        spilling=np.zeros(stations, np.bool_),
        overflows=np.zeros(stations, np.int64),
        arrived=nothing,
        left=nothing,
        spilled=nothing,
        missing=nothing,
    )


def static_head(plant: Plant, level: Floats) -> Floats:
    """The head at rest of each station, in m."""
    stations = plant.stations
    return np.maximum(0.0, stations.static + np.where(stations.filling, level, -level))


def dead_head_speed(plant: Plant, level: Floats) -> Floats:
    """The speed in Hz at which each pump, alone, begins to move something."""
    pumps = plant.pumps
    return pumps.nominal * np.sqrt(static_head(plant, level)[pumps.station] / pumps.head)


def working(plant: Plant, level: Floats, speed: Floats) -> Working:
    """Where pump curves and system curve meet, for these levels and speeds.

    In each station there is exactly one head at which the pumps together move what the main then
    lets through, because their flow falls and its demand of head rises: halving finds it always.
    """
    stations, pumps = plant.stations, plant.pumps
    ratio = speed / pumps.nominal
    suction = np.clip((level - stations.floor) / AIR_BAND, 0.0, 1.0)
    suction[stations.filling] = 1.0
    lift = ratio**2 * pumps.head * suction[pumps.station]
    static = static_head(plant, level)

    def flow_at(head: Floats) -> Floats:
        return np.sqrt(np.maximum(0.0, lift - head[pumps.station]) / pumps.curve)

    low = static
    high = static.copy()
    np.maximum.at(high, pumps.station, lift)
    for _ in range(HALVINGS):
        head = 0.5 * (low + high)
        above = static + stations.friction * plant.sum(flow_at(head)) ** 2 > head
        low = np.where(above, head, low)
        high = np.where(above, high, head)
    flow = flow_at(high)
    return Working(flow, power(pumps, flow, lift - pumps.curve * flow**2, ratio), high)


def power(pumps: Pumps, flow: Floats, head: Floats, ratio: Floats) -> Floats:
    """Electrical power in kW.

    ρ·g·Q·H / η with η = best·x·(2 − x) and Q = x·s·best_flow is written without Q in the
    denominator, so that it also holds against a closed valve.
    """
    full = np.maximum(ratio, 1e-9) * pumps.best_flow
    relative = np.minimum(flow / full, MAX_RELATIVE_FLOW)
    shaft = DENSITY_GRAVITY * full * head / (pumps.best_efficiency * (2.0 - relative))
    return np.where(ratio > 0.0, np.maximum(shaft, 0.0) / DRIVE_EFFICIENCY, 0.0)


def ramped(speed: Floats, setpoint: Floats, most: Floats) -> Floats:
    """The speed after a step of the drives, which change it by `most` Hz at most."""
    return speed + np.clip(setpoint - speed, -most, most)


def step(
    plant: Plant, state: State, setpoint: Floats, inflow: Floats, elapsed: float
) -> tuple[State, Working]:
    """The state `elapsed` s later. `inflow` is the consumers' demand where a station fills."""
    stations = plant.stations
    speed = ramped(state.speed, setpoint, plant.pumps.ramp * elapsed)
    now = working(plant, state.level, speed)
    pumped = plant.sum(now.flow) * elapsed
    wanted = np.where(stations.filling, inflow * elapsed, pumped)
    arriving = np.where(stations.filling, pumped, inflow * elapsed)
    leaving = np.minimum(wanted, np.maximum(0.0, volume(stations, state.level)) + arriving)
    level = state.level + (arriving - leaving) / stations.area
    excess = np.maximum(0.0, level - stations.crest)
    over = excess > 0.0
    spilling = over | (state.spilling & (level > stations.crest - SPILL_RETURN))
    return replace(
        state,
        level=level - excess,
        speed=speed,
        spilling=spilling,
        overflows=state.overflows + (over & ~state.spilling),
        arrived=state.arrived + arriving,
        left=state.left + leaving,
        spilled=state.spilled + excess * stations.area,
        missing=state.missing + (wanted - leaving),
    ), now


def volume(stations: Stations, level: Floats) -> Floats:
    """The volume above the floor, in m³."""
    return (level - stations.floor) * stations.area
