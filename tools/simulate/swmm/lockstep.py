"""Controller and station in lockstep: it decides, the plant goes through one scan, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np

from runtime.tag import Tag
from runtime.tags import Pump
from runtime.tags import Station as StationTags
from tools.simulate.swmm.faults import Fault
from tools.simulate.swmm.plant import HOUR, Instruments, Reading, Truth, opened
from tools.simulate.swmm.rows import TARGET, Duty
from tools.simulate.swmm.scores import Course
from tools.simulate.swmm.station import PUMPS, Station
from tools.simulate.swmm.weather import Weather

SCAN = 5  # s
Lost: TypeAlias = Literal["plans", "database"]


@dataclass(frozen=True)
class Outage:
    """From `begin` to `end` h no plans come any more, or nothing at all from the database."""

    of: Lost
    begin: float = 0.0
    end: float = float("inf")


@dataclass(frozen=True)
class Stop:
    """An emergency stop of a pump, or of the station (None), from `begin` to `end` h."""

    pump: int | None
    begin: float
    end: float

    @property
    def tag(self) -> Tag:
        return StationTags.EmergencyStop if self.pump is None else Pump.EmergencyStop


@dataclass(frozen=True)
class Case:
    """One run: the station and its equipment, the weather, and what goes wrong.

    With `manual`, an operator has put the pumps to their default setpoints. With `floats`, there is
    a local float backup.
    """

    weather: Weather = field(default_factory=Weather)
    hours: float = 48.0
    instruments: Instruments = field(default_factory=Instruments)
    station: Station = field(default_factory=Station)
    duty: Duty = field(default_factory=Duty)
    faults: tuple[Fault, ...] = ()
    outages: tuple[Outage, ...] = ()
    stops: tuple[Stop, ...] = ()
    manual: bool = False
    floats: bool = False
    scan: int = SCAN

    def lost(self, time: float) -> set[Lost]:
        """What does not arrive, `time` h after the beginning."""
        return {outage.of for outage in self.outages if outage.begin <= time < outage.end}


class Control(Protocol):
    """What decides on the setpoints: the real program, or a simple one to compare it with."""

    def step(self, reading: Reading, time: float) -> Sequence[float | None]:
        """The setpoints in Hz, `time` h after the beginning."""
        ...

    def authority(self) -> Sequence[float]:
        """Who decided on each of them."""
        ...


def simulate(case: Case, control: Control) -> Course:
    """Any control over the station, in lockstep: it decides, the plant goes through one scan."""
    truths: list[Truth] = []
    said: list[Sequence[float | None]] = []
    by: list[Sequence[float]] = []
    parts = (case.station, case.weather, case.hours, case.scan, case.instruments)
    with opened(*parts, case.faults, case.floats) as plant:
        setpoints: Sequence[float | None] = [0.0] * PUMPS
        for _ in range(round(case.hours * HOUR / case.scan)):
            reading, truth = plant.step(setpoints)
            setpoints = control.step(reading, truth.time)
            truths.append(truth)
            said.append(setpoints)
            by.append(control.authority())
        refused = plant.drives.refused
    return Course(
        scan=float(case.scan),
        target=TARGET,
        time=np.array([truth.time for truth in truths]),
        level=np.array([truth.level for truth in truths]),
        inflow=np.array([truth.inflow for truth in truths]),
        spill=np.array([truth.spill for truth in truths]),
        speed=np.array([truth.speed for truth in truths]),
        flow=np.array([truth.flow for truth in truths]),
        power=np.array([truth.power for truth in truths]),
        setpoint=np.array(said, np.float64),
        authority=np.array(by),
        refused=refused,
    )
