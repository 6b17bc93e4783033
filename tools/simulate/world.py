"""The simulated plant as a whole: stations with their inflow, drives and instruments, in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tools.simulate import hydraulics, inflow, instruments
from tools.simulate.drives import Drives
from tools.simulate.hydraulics import Floats, Working
from tools.simulate.instruments import Reading
from tools.simulate.planning import fleet, station_target
from tools.simulate.sizing import Machine, Site, size

LONGEST_STEP = 1.0  # s of simulated time
MOST_CATCH_UP = 600.0  # s of simulated time after a standstill of the simulation


class World:
    """A plant that goes through time. `time` is its weather's clock, in s since 1970."""

    def __init__(
        self,
        sites: Sequence[Site],
        seed: int,
        time: float,
        now: float,
        known: Mapping[int, tuple[float, float]],
    ) -> None:
        """`known` is level and speed by pump id, as last measured: the plant goes on from there."""
        self.sites = tuple(sites)
        self.machines: list[Machine] = [machine for site in sites for machine in site.machines]
        self.time = time
        self.sized = size(sites)
        self._seed = seed
        self._dice = np.random.default_rng([seed, 2])
        level = station_target(fleet(sites, self.sized), time)
        for index, site in enumerate(sites):
            levels = [known[m.pump_id][0] for m in site.machines if m.pump_id in known]
            if levels and np.isfinite(levels[0]):
                level[index] = min(max(levels[0], 0.0), self.sized.plant.stations.crest[index])
        maximum = np.array([machine.max_speed for machine in self.machines])
        speed = np.array([known.get(m.pump_id, (0.0, 0.0))[1] for m in self.machines])
        speed = np.clip(np.nan_to_num(speed), 0.0, maximum)
        self.state = hydraulics.start(self.sized.plant, level, speed)
        self.drives = Drives(maximum, speed, now)
        self._working: Working = hydraulics.working(self.sized.plant, level, speed)

    def advance(self, seconds: float, now: float) -> None:
        """Go through so much time; `now` is the drives' clock."""
        seconds = min(seconds, MOST_CATCH_UP)
        steps = max(1, int(np.ceil(seconds / LONGEST_STEP)))
        elapsed = seconds / steps
        setpoint = self.drives.commanded(now)
        for _ in range(steps):
            self.time += elapsed
            self.state, self._working = hydraulics.step(
                self.sized.plant, self.state, setpoint, self.inflow, elapsed
            )

    @property
    def inflow(self) -> Floats:
        """What flows to the stations now, in m³/s; of tanks, what their consumers take."""
        return inflow.inflow(self.time, self.sized.dry, self.sized.storm, self._seed)

    def read(self) -> Reading:
        """What the instruments show now."""
        return instruments.read(self.sized.plant, self.state, self._working, self._dice)

    def known(self) -> dict[int, tuple[float, float]]:
        """Level and speed by pump id, for a world that goes on from this one."""
        level = self.state.level[self.sized.plant.pumps.station]
        columns = zip(self.machines, level.tolist(), self.state.speed.tolist(), strict=True)
        return {machine.pump_id: (height, speed) for machine, height, speed in columns}

    def changed(self, sites: Sequence[Site], now: float) -> World:
        """The same world with other equipment."""
        world = World(sites, self._seed, self.time, now, self.known())
        place = {machine.pump_id: there for there, machine in enumerate(self.machines)}
        pairs = [
            (here, place[machine.pump_id])
            for here, machine in enumerate(world.machines)
            if machine.pump_id in place
        ]
        world.drives.take_over(self.drives, pairs)
        return world
