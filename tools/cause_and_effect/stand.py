"""The test stand: a scan over the smallest station, a plant that answers it, and what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from runtime.clock import ManualClock
from runtime.layout import Capacity, Columns, Layout
from runtime.program import KINDS, Program
from runtime.requests import Ask
from runtime.retained import RETAINED
from runtime.scan import Fault, Scan
from runtime.tag import Tag
from runtime.tags import NUMBER, Pump, Request, Station, System
from tools.cause_and_effect import small_station
from tools.cause_and_effect.small_station import (
    FIRST,
    MIDDLE,
    PARAMETERS,
    REPORTED,
    SECOND,
    SETTINGS,
)
from tools.cause_and_effect.snapshot import Snapshot

EXECUTED = Request.Result.number("executed")
PERIOD = 1.0  # s
FASTEST = 0.3  # m in a scan: the level is no jump
RIPPLE = 1e-3  # m, kW, m³/h: a live measurement is never the same twice
FOREVER = 1e9  # s
USUAL = 40.0  # Hz; a level controller that is asked for more passes it some time
PATIENCE = 600  # scans to reach the steady state

Answer: TypeAlias = Callable[[float], float]

PLANS: dict[str, tuple[Tag, dict[str, float]]] = {
    "DIRECT_SPEED": (
        Pump.PlanSpeed,
        {"nothing": 0.0, "least": 5.0, "some": 40.0, "more": 46.0, "most": 90.0},
    ),
    "POWER_CONTROLLED": (
        Pump.PlanPower,
        {"nothing": 0.0, "least": 0.5, "some": 20.0, "more": 28.0, "most": 100.0},
    ),
}
LEVEL_BEYOND = {"nothing": -0.3, "least": -0.15, "some": 0.0, "more": 0.3, "most": 0.6}
"""m beyond the planned level on the side that asks for pumping."""


def obey(setpoint: float) -> float:
    """A drive that does as it is told."""
    return setpoint


class Stand:
    """Where causes are tried. All causes but requests are undone by `normal`."""

    def __init__(self, control_type: str, direction: str) -> None:
        self.control_type = control_type
        self.side = 1.0 if direction == "emptying" else -1.0
        self.columns = Columns(Layout(Capacity(stations=1, pumps=2)))
        self.clock = ManualClock(PERIOD)
        self.trace: list[Snapshot] = []
        self.published = [0.0, 0.0]
        self.level = self.goal = MIDDLE
        self.asked = "nothing"  # an amount of PLANS or LEVEL_BEYOND
        self._asks: list[Ask] = []
        self.requests_asked = 0
        small_station.configure(self.columns, control_type, direction)
        self.settle_parameters()
        self.start()
        self.normal()

    def __getitem__(self, tag: Tag) -> Any:
        return self.columns[tag]

    def settle_parameters(self) -> None:
        """The parameters as they are now are the normal ones."""
        self._parameters = [(self[tag], self[tag].copy()) for tag in PARAMETERS]

    def normal(self) -> None:
        """Everything outside the scan as before a cause, but for what was requested."""
        self.heartbeat = self.database = self.collector = self.recorder = True
        self.scada = True
        for tag in REPORTED:
            self[tag][0] = False
        self.drives: list[Answer] = [obey, obey]
        self.local = [False, False]
        self.instruments: dict[tuple[Tag, int], Answer] = {}
        for column, values in self._parameters:
            column[:] = values
        self.plan(self.asked)

    def demand(self, amount: str) -> None:
        """From now on this amount is what is asked for."""
        self.asked = amount
        self.plan(amount)

    def plan(self, amount: str, seconds: float = FOREVER) -> None:
        """A plan that asks the first pump for an amount, and the second for nothing."""
        now = self.clock.now()
        self[Pump.PlanStart][:] = now
        self[Pump.PlanEnd][:] = now + seconds
        for tag in (Pump.PlanSpeed, Pump.PlanLevel, Pump.PlanPower, Pump.PlanFlow):
            self[tag][:] = float("nan")
        if self.control_type in PLANS:
            tag, amounts = PLANS[self.control_type]
            self[tag][FIRST], self[tag][SECOND] = amounts[amount], amounts["nothing"]
            self.goal = MIDDLE
        else:
            self[Pump.PlanLevel][:] = MIDDLE
            self.goal = MIDDLE + self.side * LEVEL_BEYOND[amount]

    def level_to(self, threshold: Tag, beyond: float) -> None:
        """The level goes to a threshold, and some metres further in the direction of pumping."""
        self.goal = float(self[threshold][FIRST]) + self.side * beyond

    def ask(self, tag: Tag, value: float, reference: int = 0) -> None:
        self.requests_asked += 1
        self._asks.append(Ask(self.requests_asked, NUMBER[tag], FIRST, value, reference))

    def refused(self, since: int) -> str:
        """Why the scan did not execute a request asked since then; nothing if it did all."""
        asked = self[Request.Id] > since
        states = Request.Result.states or {}
        return "".join(
            states[result] for result in self[Request.Result][asked] if result != EXECUTED
        )

    def start(self) -> None:
        """A new process of the scan, which goes on where the columns are."""
        self.scan = Scan(
            self.columns, Program(tuple(KINDS), SETTINGS, self.columns), self.clock, PERIOD, self
        )
        self.faulted = False

    def recover(self) -> None:
        """Another process of the scan takes over from one that failed."""
        self[System.Fault][0] = False
        self[System.FaultSince][0] = 0.0
        self.start()

    def restart(self) -> None:
        """A new process of the scan after a power cut: only retained memory and inputs are left."""
        self._forget(self.columns.layout.inputs)

    def cold_start(self) -> None:
        """A new process of the scan, and there is no database to tell it anything."""
        self.database = False
        self._forget(0)

    def _forget(self, first: int) -> None:
        """Lose all memory from a byte on, but for what is retained."""
        kept = [(self[tag], self[tag].copy()) for tag in RETAINED]
        self.columns.arena[first:] = 0
        for column, values in kept:
            column[:] = values
        self.start()

    def fail(self) -> None:
        """Let a block fail in the next scan."""

        def raise_an_error() -> None:
            raise ZeroDivisionError

        self.scan._execute = (raise_an_error, *self.scan._execute[1:])

    def run(self, seconds: float) -> None:
        """Scan on. After a fault nothing is executed, and what was published stands."""
        for _ in range(int(seconds / PERIOD)):
            if self.faulted:
                self.trace.append(self.trace[-1])
                continue
            try:
                self.scan.step()
            except Fault:
                self.faulted = True

    def settle(self, asked: str) -> None:
        """Reach the steady state from which a cause starts."""
        self.demand("nothing")
        self.run(5.0)
        if asked != "nothing" and self.control_type == "LEVEL_CONTROLLED":
            self.plan("more")
            for _ in range(PATIENCE):
                self.run(PERIOD)
                if self[Pump.Setpoint][FIRST] >= USUAL:
                    break
        self.demand(asked)
        self.run(60.0)

    def latch(self, columns: Columns) -> None:
        now = self.clock.now()
        self.level += min(max(self.goal - self.level, -FASTEST), FASTEST)
        if not self.database:
            return
        self[System.DatabaseTime][:] = now
        if self.heartbeat:
            self[Station.PlanTime][:] = now
        if self.collector:
            self[Pump.MeasuredTime][:] = now
            self._measure()

    def requests(self) -> Iterable[Ask]:
        asks, self._asks = self._asks, []
        if self.scada:
            count = self.clock.now() % System.Heartbeat.high
            asks.append(Ask(0, NUMBER[System.Heartbeat], 0, float(int(count))))
        return asks

    def publish(self, columns: Columns) -> None:
        self.trace.append(Snapshot(columns))
        self.published = self[Pump.Setpoint].tolist()

    def emit(self, columns: Columns) -> None:
        self[System.EventsLost][0] = not self.recorder

    def _measure(self) -> None:
        ripple = RIPPLE * (int(self[System.Scan][0]) % 2)
        for slot, drive in enumerate(self.drives):
            speed = drive(self.published[slot])
            turns = speed > 0.0
            truths = {
                Pump.MeasuredSpeed: speed,
                Pump.MeasuredPower: small_station.power(speed) + ripple * turns,
                Pump.MeasuredFlow: small_station.flow(speed) + ripple * turns,
                Pump.MeasuredLevel: self.level + ripple,
            }
            for tag, truth in truths.items():
                shows = self.instruments.get((tag, slot))
                self[tag][slot] = shows(truth) if shows else truth
            self[Pump.MeasuredRunning][slot] = turns
            self[Pump.MeasuredLocal][slot] = self.local[slot]
