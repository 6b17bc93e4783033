"""The scan: latch the inputs, execute the blocks in order, publish the image, emit the events."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.admission import Admission
from runtime.alarm import ACTIVE
from runtime.clock import Clock
from runtime.layout import Columns
from runtime.program import Program
from runtime.requests import Ask
from runtime.statistics import Statistics
from runtime.tag import Area, Tag
from runtime.tags import TAGS, System

LONGEST_ELAPSED = 1.0  # s; a gap in the scans must not become a jump of an integral or a ramp
HANG = 1.0  # s of execution, or ten periods, beyond which the outputs are not trusted


class Ports(Protocol):
    """What the scan is connected to. A scan of its own, in a test, is connected to nothing."""

    def latch(self, columns: Columns) -> None:
        """Take the newest inputs."""
        ...

    def requests(self) -> Iterable[Ask]:
        """Take the requests that wait."""
        ...

    def publish(self, columns: Columns) -> None:
        """Make the image visible."""
        ...

    def emit(self, columns: Columns) -> None:
        """Record what changed."""
        ...


class Fault(Exception):
    """The scan stopped with its safe outputs published. `block` is the one at fault."""

    def __init__(self, block: str, reason: str) -> None:
        super().__init__(f"{block}: {reason}")
        self.block = block
        self.reason = reason


class Scan:
    """The cycle of a PLC over one arena of columns."""

    def __init__(
        self, columns: Columns, program: Program, clock: Clock, period: float, ports: Ports
    ) -> None:
        self.columns = columns
        self.program = program
        self.clock = clock
        self.period = period
        self.ports = ports
        self.admission = Admission(columns)
        self.statistics = Statistics(columns, period, len(program.blocks))
        self._execute: tuple[Callable[[], None], ...] = tuple(b.execute for b in program.blocks)
        self._execution = 0.0
        self._began: float | None = None
        self._hang = max(HANG, 10 * period)
        self._longest = max(LONGEST_ELAPSED, 2 * period)
        self._outputs: list[tuple[Tag, NDArray[Any], NDArray[np.bool_]]] = [
            (tag, columns[tag], np.empty(len(columns[tag]), bool))
            for tag in TAGS
            if tag.area is Area.OUTPUT
        ]
        self._tags: dict[str, NDArray[Any]] = {tag.name: columns[tag] for tag in System.tags()}
        self._tags["Period"][0] = period

    def connect(self, ports: Ports, clock: Clock) -> None:
        """Go on with these ports and this clock. Once only, before the first scan."""
        self.ports, self.clock = ports, clock
        self._tags["Period"][0] = self.period  # another one may have come with retained memory

    def cycle(self, lateness: float = 0.0, skipped: int = 0) -> None:
        """One scan. Raises Fault after publishing the safe outputs if a block fails."""
        began = self.clock.now()
        self.latch(began, lateness, skipped)
        self.execute()
        self.ports.publish(self.columns)
        self.ports.emit(self.columns)
        self._execution = self.clock.now() - began

    def latch(self, now: float, lateness: float, skipped: int) -> None:
        """Freeze what this scan sees: time, inputs, requests."""
        tags = self._tags
        first = self._began is None
        interval = self.period if self._began is None else now - self._began
        self._began = now
        tags["Scan"][0] += 1
        tags["Now"][0] = now
        tags["Elapsed"][0] = min(interval, self._longest) if interval > 0 else self.period
        tags["ControlTime"][0] += tags["Elapsed"][0]
        tags["FirstScan"][0] = first
        tags["TimeUtc"][0] = self.clock.utc()
        if not first:
            self.statistics.count(self._execution, lateness, interval, skipped)
        self.ports.latch(self.columns)
        self.admission.take(self.ports.requests(), int(tags["Scan"][0]), now)
        if tags["RequestsTaken"][0]:
            self._reset_statistics_on_request()

    def execute(self) -> None:
        """Execute the blocks in their order, each timed."""
        spent = self.statistics.spent
        before = started = time.perf_counter()
        for place, execute in enumerate(self._execute):
            try:
                execute()
            except Exception as error:
                raise self.fail(place, f"{type(error).__name__}: {error}") from error
            after = time.perf_counter()
            spent[place] = after - before
            before = after
        if before - started > self._hang:
            slowest = int(spent.argmax())
            raise self.fail(slowest, f"the blocks took {before - started:.2f} s")
        for tag, output, finite in self._outputs:
            np.isfinite(output, out=finite)
            if not finite.all():
                raise self.fail(self.program.writer(tag), f"{tag} is not a number")

    def fail(self, place: int, reason: str) -> Fault:
        """Publish the safe outputs as the last act; nobody is told "done" of what was not."""
        self.admission.withdraw()
        for tag in TAGS:
            if tag.safe is not None:
                self.columns[tag].fill(tag.safe)
        self._tags["Fault"][0] = True
        self._tags["Faults"][0] += 1
        self._tags["FaultSince"][0] = self.clock.utc()
        self._tags["FaultState"][0] = ACTIVE[self._tags["FaultState"][0]]
        self._tags["FaultBlock"][0] = place + 1
        self.ports.publish(self.columns)
        self.ports.emit(self.columns)
        return Fault(self.program.names[place], reason)

    @property
    def first(self) -> bool:
        """Whether the latest scan was the first."""
        return bool(self._tags["FirstScan"][0])

    def step(self, count: int = 1) -> None:
        """Execute some scans, the clock waiting for each."""
        for _ in range(count):
            self.cycle(*self.clock.wait())

    def run_for(self, seconds: float) -> None:
        """Execute as many scans as fit into the time."""
        self.step(math.floor(seconds / self.period + 1e-9))

    def _reset_statistics_on_request(self) -> None:
        if self.admission.asked(System.StatisticsReset):
            self.statistics.reset()
