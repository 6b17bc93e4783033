"""The station in time: drives, SWMM's hydraulics, instruments.

SWMM keeps its model in global variables: one plant at a time in a process.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyswmm import Links, Nodes, Simulation  # type: ignore[import-untyped]

from tools.simulate import hydraulics
from tools.simulate.drives import Drives
from tools.simulate.hydraulics import ramped
from tools.simulate.swmm.faults import LAG, Fault, Kind
from tools.simulate.swmm.station import HEADER, PUMPS, WEIR, WELL, Station
from tools.simulate.swmm.weather import Weather

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
HOUR = 3600.0
LITRE = 1e-3  # m³
STEP = 1.0  # s in which the speed of a ramping drive is taken as constant
METER_NOISE = 0.01  # relative, of flow and power
HIGH_FLOAT, LOW_FLOAT = 2.9, 0.9  # m, between which they pump
WET_FLOAT, DRY_FLOAT = 0.7, 0.35  # m, between which no pump may start again
_NONE = np.zeros(PUMPS, np.bool_)


@dataclass(frozen=True)
class Instruments:
    """σ of the level in m. With one `sensor` for all pumps they all show the same."""

    level_noise: float = 0.01
    sensors: int = PUMPS
    seed: int = 1


@dataclass(frozen=True)
class Reading:
    """What is heard of each pump and the level sensor at it; a level of NaN is none.

    Of a pump that is not `heard` there is nothing new.
    """

    heard: Bools
    speed: Floats  # Hz
    power: Floats  # kW
    flow: Floats  # m³/h
    level: Floats  # m
    running: Bools
    local: Bools


@dataclass(frozen=True)
class Truth:
    """What is, instruments aside: h, m, l/s, Hz, kW."""

    time: float
    level: float
    inflow: float
    spill: float
    speed: Floats
    flow: Floats
    power: Floats


class Plant:
    """The station. `scan` is how long each step is, in s; `floats`: with a local float backup."""

    def __init__(
        self,
        simulation: Simulation,
        station: Station,
        scan: int,
        instruments: Instruments,
        faults: Sequence[Fault] = (),
        floats: bool = False,
    ) -> None:
        self.seconds = 0.0
        self.drives = Drives(np.full(PUMPS, station.nominal), np.zeros(PUMPS), 0.0)
        self._simulation = simulation
        self._well, self._header = Nodes(simulation)[WELL], Nodes(simulation)[HEADER]
        self._weir = Links(simulation)[WEIR]
        self._links = [Links(simulation)[f"P{number + 1}"] for number in range(PUMPS)]
        self._station, self._pumps = station, station.pumps()
        self._scan = scan
        self._instruments = instruments
        self._faults = faults
        self._floats = _Floats() if floats else None
        self._dice = np.random.default_rng([instruments.seed, 4])
        self._speed = np.zeros(PUMPS)
        self._set = [0.0] * PUMPS
        self._level = station.first_level
        self._past: deque[Floats] = deque(maxlen=1 + int(LAG / scan))
        self._said = np.full(PUMPS, np.nan)  # by the level sensors
        simulation.start()

    def step(self, setpoints: Sequence[float | None]) -> tuple[Reading, Truth]:
        """Go through one scan with these setpoints in Hz; None is none that was received.

        Setpoints that no drive should ever see are refused and counted by `drives`.
        """
        self.drives.hear(setpoints, self.seconds)
        target = self.drives.commanded(self.seconds)
        standing = self._that("failed")
        local = False
        if self._floats is not None:
            self._floats.move(self._level)
            local = self._floats.pumping
            target = np.full(PUMPS, self._station.nominal) if local else target
            standing = standing | self._floats.cut
        most = np.full(PUMPS, self._station.ramp * STEP)
        left = float(self._scan)
        while left > 0.0:
            self._speed = ramped(self._speed, target, most)
            self._speed[standing] = 0.0
            arrived = bool((self._speed == target)[~standing].all())
            stride = left if arrived else STEP
            self._stride(stride)
            left -= stride
        truth = self._truth()
        return self._read(truth, local), truth

    def _stride(self, seconds: float) -> None:
        ratios = (self._speed / self._station.nominal).tolist()
        for link, ratio, now in zip(self._links, ratios, self._set, strict=True):
            if ratio != now:
                link.target_setting = ratio
        self._set = ratios
        self._simulation.step_advance(int(seconds))
        next(self._simulation)
        self.seconds += seconds
        self._level = float(self._well.depth)

    def _truth(self) -> Truth:
        flow = np.array([link.flow for link in self._links])
        head = max(0.0, self._header.head - self._well.head)
        ratio = self._speed / self._station.nominal
        lift = np.minimum(head, ratio**2 * self._station.head)
        return Truth(
            time=self.seconds / HOUR,
            level=self._level,
            inflow=float(self._well.lateral_inflow),
            spill=float(self._weir.flow),
            speed=self._speed,
            flow=flow,
            power=hydraulics.power(self._pumps, flow * LITRE, lift, ratio),
        )

    def _read(self, truth: Truth, local: bool) -> Reading:
        noise = self._dice.standard_normal((3, PUMPS))
        meter = 1.0 + METER_NOISE * noise
        return Reading(
            heard=~self._that("dead"),
            speed=truth.speed,
            power=truth.power * meter[0],
            flow=truth.flow * LITRE * HOUR * meter[1],
            level=self._levels(truth.level, noise[2] * self._instruments.level_noise),
            running=truth.speed > 0.0,
            local=np.full(PUMPS, local),
        )

    def _levels(self, level: float, noise: Floats) -> Floats:
        if self._instruments.sensors < PUMPS:
            noise = np.full(PUMPS, noise[0])
        fresh = level + noise
        if not self._faults:
            return fresh
        self._past.append(fresh)
        says = np.where(self._that("lag"), self._past[0], fresh)
        says = np.where(self._that("frozen"), self._said, says)
        self._said = says
        says = np.where(self._that("zero"), 0.0, says)
        return np.where(self._that("nan"), np.nan, says)

    def _that(self, kind: Kind) -> Bools:
        """Which pumps or sensors have a fault now."""
        if not self._faults:
            return _NONE
        time = self.seconds / HOUR
        return np.array(
            [any(fault.acts(kind, which, time) for fault in self._faults) for which in range(PUMPS)]
        )


class _Floats:
    """Hard-wired floats: one pair runs all pumps at full speed, one takes their current away."""

    def __init__(self) -> None:
        self.pumping = self.cut = False

    def move(self, level: float) -> None:
        """Float with the level."""
        self.pumping = level >= HIGH_FLOAT or (self.pumping and level > LOW_FLOAT)
        self.cut = level <= DRY_FLOAT or (self.cut and level < WET_FLOAT)


@contextmanager
def opened(
    station: Station,
    weather: Weather,
    hours: float,
    scan: int,
    instruments: Instruments,
    faults: Sequence[Fault] = (),
    floats: bool = False,
) -> Iterator[Plant]:
    """The plant, ready to be stepped through so many hours."""
    with tempfile.TemporaryDirectory(prefix="calejo-swmm-") as folder:
        model = Path(folder) / "station.inp"
        model.write_text(station.model(weather, hours))
        files = (str(model), str(model.with_suffix(".rpt")), str(model.with_suffix(".out")))
        with Simulation(*files) as simulation:
            yield Plant(simulation, station, scan, instruments, faults, floats)
