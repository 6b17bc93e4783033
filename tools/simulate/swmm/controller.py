"""The real program over the station, scan by scan: no database, no server, no waiting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from config import Config
from runtime import equipment
from runtime.clock import ManualClock
from runtime.equipment import Equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.requests import Ask, new_id
from runtime.scan import Scan
from runtime.scan_process import build
from runtime.tag import Tag
from runtime.tags import NUMBER, Pump, Station, System
from tools.simulate.swmm.plant import Reading
from tools.simulate.swmm.rows import POWERS, SPEEDS, TARGET
from tools.simulate.swmm.station import PUMPS

RENEW = 900.0  # s between the plans of the optimiser
PLANNED = 1800.0  # s that each of them lasts

_PLAN: tuple[tuple[Tag, Sequence[float]], ...] = (
    (Pump.PlanLevel, [TARGET] * PUMPS),
    (Pump.PlanSpeed, SPEEDS),
    (Pump.PlanPower, POWERS),
    (Pump.PlanFlow, [np.nan] * PUMPS),
)
_FEEDBACK: tuple[tuple[Tag, str], ...] = (
    (Pump.MeasuredSpeed, "speed"),
    (Pump.MeasuredPower, "power"),
    (Pump.MeasuredFlow, "flow"),
    (Pump.MeasuredLevel, "level"),
    (Pump.MeasuredRunning, "running"),
    (Pump.MeasuredLocal, "local"),
)


class Controller:
    """One station's program with its inputs set by hand, as the database process would.

    The optimiser plans the same all the time: the target level, or speeds and powers that stand
    still. `planning` says whether it does, `connected` whether anything at all arrives: plans,
    feedback, the database's own word.
    """

    def __init__(self, found: Equipment, config: Config) -> None:
        self.columns = Columns(Layout(Capacity(stations=1, pumps=PUMPS)))
        self.clock = ManualClock(config.period)
        self.planning = self.connected = True
        self._asks: list[Ask] = []
        self._planned = float("-inf")
        self._reading: Reading | None = None
        program = build(config, self.columns)
        equipment.fill(found, self.columns)
        for tag, planned in _PLAN:
            self.columns[tag][:] = planned
        self.scan = Scan(self.columns, program, self.clock, config.period, self)

    def step(self, reading: Reading) -> list[float]:
        """One scan after the plant was read: the setpoints in Hz."""
        self._reading = reading
        self.scan.step()
        return [float(value) for value in self.columns[Pump.Setpoint]]

    def ask(self, tag: Tag, slot: int, value: float, stop: int = 0) -> int:
        """Have an operator ask for something, such as to clear a stop; the id of the request."""
        identity = new_id()
        self._asks.append(Ask(identity, NUMBER[tag], slot, value, stop))
        return identity

    def latch(self, columns: Columns) -> None:
        now = self.clock.now()
        if not self.connected:
            return
        columns[System.DatabaseTime][0] = now
        reading = self._reading
        if reading is not None:
            columns[Pump.MeasuredTime][reading.heard] = now
            for tag, name in _FEEDBACK:
                columns[tag][reading.heard] = getattr(reading, name)[reading.heard]
        if self.planning and now - self._planned >= RENEW:
            self._planned = now
            columns[Pump.PlanStart][:] = now
            columns[Pump.PlanEnd][:] = now + PLANNED
            columns[Station.PlanTime][:] = now

    def requests(self) -> Iterable[Ask]:
        asks, self._asks = self._asks, []
        return asks

    def publish(self, columns: Columns) -> None:
        pass

    def emit(self, columns: Columns) -> None:
        pass

    def __getitem__(self, tag: Tag) -> Any:
        return self.columns[tag]
