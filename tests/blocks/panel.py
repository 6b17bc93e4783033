"""An alarm panel: the block `alarms` with admission before it, conditions set by hand."""

from __future__ import annotations

from collections.abc import Sequence

from blocks.alarms import Alarms
from runtime.admission import Admission
from runtime.alarm import AlarmState
from runtime.requests import Ask, Result, Role, new_id
from runtime.retained import RETAINED
from runtime.tag import Tag
from runtime.tags import ALARMS, NUMBER, Request, System
from tests.blocks.alone import Alone

UTC = 1.8e9
HOUR = 3600
ALARM = {alarm.tag: alarm for alarm in ALARMS}


class Panel(Alone):
    """Two stations of two pumps each, all in use, in a runtime that has long been up."""

    def __init__(self, period: float = 1.0, station_of: Sequence[int] = (0, 0, 1, 1)) -> None:
        super().__init__(Alarms, period, station_of)
        self.admission = Admission(self.columns)
        self._asks: list[Ask] = []
        self[System.TimeUtc][0] = UTC
        self[System.ControlTime][0] = 1e6
        self[System.MemoryAge][0] = System.MemoryAge.high

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            for tag in (System.TimeUtc, System.ControlTime):
                self[tag][0] += self.period
            self[System.Scan][0] += 1
            self.admission.take(self._asks, int(self[System.Scan][0]), self.now + self.period)
            self._asks = []
            super().step()

    def put(
        self, tag: Tag, slot: int, wish: float, seconds: int = HOUR, role: Role = Role.OPERATOR
    ) -> int:
        """Put a wish about the alarm of a condition for the next scan; the id of the request."""
        asked = Ask(new_id(), NUMBER[ALARM[tag].state], slot, wish, seconds, role)
        self._asks.append(asked)
        return asked.id

    def ask(
        self, tag: Tag, slot: int, wish: float, seconds: int = HOUR, role: Role = Role.OPERATOR
    ) -> Result:
        """Ask, scan, and what the scan answered."""
        identity = self.put(tag, slot, wish, seconds, role)
        self.step()
        return self.answer(identity)

    def answer(self, identity: int) -> Result:
        (rows,) = (self[Request.Id] == identity).nonzero()
        return Result(int(self[Request.Result][rows[0]]))

    def state(self, tag: Tag, slot: int = 0) -> AlarmState:
        return AlarmState(int(self[ALARM[tag].state][slot]))

    def restart_cold(self) -> None:
        """The machine lost its power: all but retained memory, parameters and the clocks is 0."""
        kept = [*RETAINED, System.TimeUtc, System.Elapsed, System.Now, System.Scan]
        values = [(tag, self[tag].copy()) for tag in kept]
        self.columns.arena[self.columns.layout.inputs :] = 0
        for tag, value in values:
            self[tag][:] = value
