"""A plant that fits its limits: pumps, mains and inflows are derived from what the database says.

The hardest flow and power that a pump is allowed are a known part above what it is made for, so the
simulated plant fits any stations that somebody enters, not only the sample ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.simulate.hydraulics import (
    DENSITY_GRAVITY,
    DRIVE_EFFICIENCY,
    Floats,
    Plant,
    Pumps,
    Stations,
)

HOUR = 3_600.0
FLOW_MARGIN = 1.6  # hard limit over rated flow: a pump that runs alone runs out on its curve
POWER_MARGIN = 1.3
EFFICIENCY = 0.72
SHUT_OFF = 1.35  # head at no flow over rated head
STATIC_SHARE = 0.45  # of the rated head; the main's friction is the rest
RAMP = 5.0  # Hz/s
DRY_SHARE = 0.35  # daily mean of the inflow over what the duty pumps move
STORM_SHARE = 0.5
FREEBOARD = 0.3  # m between the highest level allowed and the overflow


@dataclass(frozen=True)
class Machine:
    """A pump as the database describes it: Hz, m³/h, kW."""

    pump_id: int
    control_type: str
    min_speed: float
    max_speed: float
    max_flow: float
    max_power: float


@dataclass(frozen=True)
class Site:
    """A station as the database describes it: m, m². Levels are the limits of its pumps."""

    station_id: str
    filling: bool
    area: float
    low: float
    high: float
    machines: tuple[Machine, ...]


@dataclass(frozen=True)
class Sized:
    """A plant with its inflows: `dry` is the daily mean in m³/s, `storm` the most rain adds."""

    plant: Plant
    dry: Floats
    storm: Floats


def rated_head(flow: float, power: float) -> float:
    """The head in m at which a pump that takes `power` kW moves `flow` m³/s at its best."""
    return power * EFFICIENCY * DRIVE_EFFICIENCY / (DENSITY_GRAVITY * flow)


def duty(pumps: int) -> int:
    """How many of a station's pumps are meant to run together; one more stands by."""
    return max(1, pumps - 1)


def size(sites: Sequence[Site]) -> Sized:
    """The plant of these sites, pumps in the order of sites and machines."""
    machines = [machine for site in sites for machine in site.machines]
    station = np.array(
        [index for index, site in enumerate(sites) for _ in site.machines], dtype=np.int64
    )
    flow = np.array([machine.max_flow for machine in machines]) / HOUR / FLOW_MARGIN
    power = np.array([machine.max_power for machine in machines]) / POWER_MARGIN
    head = np.array([rated_head(*rating) for rating in zip(flow, power, strict=True)])
    pumps = Pumps(
        station=station,
        head=SHUT_OFF * head,
        curve=(SHUT_OFF - 1.0) * head / flow**2,
        best_flow=flow,
        best_efficiency=np.full(len(machines), EFFICIENCY),
        nominal=np.array([machine.max_speed for machine in machines]),
        ramp=np.full(len(machines), RAMP),
    )
    count = np.maximum(1, np.bincount(station, minlength=len(sites)))
    duty_flow = np.bincount(station, flow, len(sites)) / count * [duty(n) for n in count]
    mean_head = np.bincount(station, head, len(sites)) / count
    area = np.array([site.area for site in sites])
    high = np.array([site.high for site in sites])
    filling = np.array([site.filling for site in sites], dtype=np.bool_)
    middle = 0.5 * (high + [site.low for site in sites])
    stations = Stations(
        area=area,
        floor=np.zeros(len(sites)),
        crest=high + FREEBOARD,
        static=STATIC_SHARE * mean_head + np.where(filling, -middle, middle),
        friction=(1.0 - STATIC_SHARE) * mean_head / np.maximum(duty_flow, 1e-6) ** 2,
        filling=filling,
    )
    storm = np.where(filling, 0.0, STORM_SHARE * duty_flow)
    return Sized(Plant(stations, pumps), DRY_SHARE * duty_flow, storm)
