"""Level control by itself in a closed loop: a well of known area is the plant.

The unit of speed is 1 Hz from stop to full, so that gains and outputs are the numbers of
reference cases: a well of 12 m², a pump that moves 0.115 m³/s at full speed, SIMC tuning for
τc = 60 s and θ = 10 s, which puts both poles of the closed loop at 1 / 140 s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blocks.level_control import LevelControl
from runtime.tag import Quality, Tag
from runtime.tags import Pump, Station, System
from tests.blocks.alone import Alone

AREA = 12.0  # m²
FLOW = 0.115  # m³/s at full speed
GAIN = 1.490683  # of full speed per m
RESET = 280.0  # s
TIME = 140.0  # s
TARGET = 1.5  # m
HALF = 0.5 * FLOW  # m³/s that a pump moves at half speed


def obey(demand: float) -> float:
    return demand


class Loop:
    """One pump that leads, at half speed in balance with an inflow that it holds at its target.

    The well is exact: the setpoint stands still from scan to scan, and so does the inflow.
    `become` is what the demand becomes on its way to the drive, `turn` the speed at which the drive
    then turns the pump; `seen` is what is measured of the level. A filling station has it the other
    way: what flows in here flows out there.
    """

    def __init__(self, period: float = 1.0, filling: bool = False, **parameters: float) -> None:
        self.scan = Alone(LevelControl, period, station_of=(0,))
        self.sign = -1.0 if filling else 1.0
        self.level, self.time, self.period = TARGET, 0.0, period
        self.inflow: Callable[[float], float] = lambda time: HALF
        self.become: Callable[[float], float] = obey
        self.turn: Callable[[float], float] = obey
        self.seen: Callable[[float], float] = obey
        usual = {"LevelGain": GAIN, "LevelResetTime": RESET, "LevelSetpointWeight": 1.0}
        limits = {"HighLimit": 1.0, "TargetLevel": TARGET, "Setpoint": 0.5}
        for name, value in (usual | limits | parameters).items():
            self[Pump.tag(name)] = value
        self[Station.FlowDirection] = filling
        self[Station.LevelQuality] = Quality.GOOD
        self.lead()
        self.step()

    def __setitem__(self, tag: Tag, value: float) -> None:
        self.scan[tag][:] = value

    def __getitem__(self, tag: Tag) -> Any:
        return self.scan[tag][0]

    def lead(self, pumps: int = 1) -> None:
        """What staging says: this pump leads so many; with 0 it is not in charge."""
        self[Pump.LevelEngaged] = self[Pump.LevelRun] = pumps > 0
        self[Station.LeadPump] = 1 if pumps else 0
        self[Station.PumpsWanted] = pumps

    @property
    def output(self) -> float:
        return float(self[Pump.LevelOutput])

    @property
    def deviation(self) -> float:
        """Level above the target of an emptying station, below that of a filling one."""
        return self.sign * (self.level - float(self[Pump.TargetLevel]))

    def step(self) -> None:
        """A scan, and then what the well does until the next."""
        self[Station.Level] = self.seen(self.level)
        self.scan.step()
        self[Pump.Setpoint] = self.become(float(self[Pump.LevelDemand]))
        speed = self.turn(float(self[Pump.Setpoint]))
        pumped = FLOW * speed * max(1, int(self[Station.PumpsWanted]))
        self.level += self.sign * (self.inflow(self.time) - pumped) * self.period / AREA
        self.time += self.period
        self[System.Elapsed] = self.period

    def run_until(self, time: float) -> None:
        while self.time < time - 1e-6:
            self.step()

    def leave(self, inflow: Callable[[float], float]) -> None:
        """From now on, counted from 0, with another inflow."""
        self.time, self.inflow = 0.0, inflow


def lasting(loop: Loop, seconds: float) -> list[float]:
    """The deviations of the level in this time."""
    found, end = [], loop.time + seconds
    while loop.time < end:
        loop.step()
        found.append(loop.deviation)
    return found
