"""What instruments say of a plant: with noise, in steps, and silent where nothing moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from tools.simulate.hydraulics import Bools, Floats, Plant, State, Working

HOUR = 3_600.0
LEVEL_NOISE, LEVEL_STEP = 0.001, 0.001  # m; transmitters are damped
SPEED_NOISE, SPEED_STEP = 0.01, 0.01  # Hz
POWER_NOISE, POWER_STEP = 0.01, 0.01  # part of the value; kW
FLOW_NOISE, FLOW_STEP = 0.01, 0.1  # part of the value; m³/h
STANDSTILL = 0.5  # Hz below which a drive reports that it does not run


@dataclass(frozen=True)
class Reading:
    """One reading of all pumps: Hz, kW, m³/h, m. Each pump has a level sensor of its own."""

    speed: Floats
    power: Floats
    flow: Floats
    level: Floats
    running: Bools


def quantised(value: Floats, smallest: float) -> Floats:
    return np.round(np.round(value / smallest) * smallest, 6)


def read(plant: Plant, state: State, now: Working, dice: Generator) -> Reading:
    """What the instruments show. The same dice show the same noise."""
    pumps = len(state.speed)
    running = state.speed > STANDSTILL
    level = state.level[plant.pumps.station] + LEVEL_NOISE * dice.standard_normal(pumps)
    speed = np.maximum(0.0, state.speed + SPEED_NOISE * dice.standard_normal(pumps))
    power = now.power * (1.0 + POWER_NOISE * dice.standard_normal(pumps))
    flow = now.flow * HOUR * (1.0 + FLOW_NOISE * dice.standard_normal(pumps))
    return Reading(
        speed=np.where(running, quantised(speed, SPEED_STEP), 0.0),
        power=quantised(power, POWER_STEP),
        flow=quantised(flow, FLOW_STEP),
        level=quantised(level, LEVEL_STEP),
        running=running,
    )
