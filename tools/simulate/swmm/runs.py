"""Whole runs of the real program over the station, several at a time in child processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from runtime.tags import Pump
from tools.simulate.swmm.controller import Controller
from tools.simulate.swmm.lockstep import Case, Stop, simulate
from tools.simulate.swmm.plant import Reading
from tools.simulate.swmm.rows import SPEEDS, equipment, settings
from tools.simulate.swmm.scores import Course


class Calejo:
    """The real program with the events of a case."""

    def __init__(self, case: Case) -> None:
        config = settings(case.scan)
        found = equipment(case.station, case.duty, config)
        self._controller = Controller(found, config)
        self._case = case
        self._to_set = sorted(case.stops, key=lambda stop: stop.begin, reverse=True)
        self._in_force: list[tuple[Stop, int]] = []
        if case.manual:
            for slot, speed in enumerate(SPEEDS):
                self._controller.ask(Pump.Mode, slot, Pump.Mode.number("Manual"))
                self._controller.ask(Pump.ManualSetpoint, slot, speed)

    def step(self, reading: Reading, time: float) -> Sequence[float]:
        controller = self._controller
        lost = self._case.lost(time)
        controller.planning = "plans" not in lost
        controller.connected = "database" not in lost
        while self._to_set and time >= self._to_set[-1].begin:
            stop = self._to_set.pop()
            self._in_force.append((stop, controller.ask(stop.tag, stop.pump or 0, 1.0)))
        for stop, identity in [entry for entry in self._in_force if time >= entry[0].end]:
            controller.ask(stop.tag, stop.pump or 0, 0.0, identity)
            self._in_force.remove((stop, identity))
        return controller.step(reading)

    def authority(self) -> Sequence[float]:
        return [float(value) for value in self._controller[Pump.Authority]]


def run(case: Case) -> Course:
    """The real program over the station."""
    return simulate(case, Calejo(case))


def run_all(cases: Sequence[Case], processes: int = 0) -> Iterator[Course]:
    """All of them, in their order, on as many processes as there are cores."""
    count = min(processes or os.cpu_count() or 1, len(cases))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=spawn) as pool:
        yield from pool.map(run, cases)
