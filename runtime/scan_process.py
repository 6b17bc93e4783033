"""The scan as a process: one leads, another of the same stands by and takes over when it dies."""

from __future__ import annotations

from collections.abc import Iterable
from types import FrameType
from typing import Any

import structlog
from numpy.typing import NDArray

from config import Config
from runtime import realtime, retained
from runtime.clock import GridClock, ManualClock
from runtime.comparison import MOST, Comparison
from runtime.ending import Ending
from runtime.events import EventWriter
from runtime.layout import Capacity, Columns, Layout
from runtime.lead import Lead
from runtime.places import Places
from runtime.processes import UNUSABLE
from runtime.program import Program
from runtime.progress import Progress, State
from runtime.region import Reader, Writer
from runtime.requests import Ask, Mailbox
from runtime.scan import Fault, Scan
from runtime.shared import RegionError
from runtime.tags import System

FAILED = 70  # exit code (EX_SOFTWARE): a block failed, the safe outputs stand
RUNAWAY = 1.0  # s of execution without a sleep, or ten periods, after which the kernel ends it
LOOK_AGAIN = 0.5  # s between looks for an input region that is missing or was made anew
EVENTS_LOST = 600.0  # s that the alarm of events lost stands after the last one
STALE = 1.0  # s after which inputs may belong to a region that was replaced

logger = structlog.get_logger()


class SharedMemory:
    """The scan's ports to the other processes. Made when leading: there is one at a time."""

    def __init__(
        self, places: Places, columns: Columns, comparison: Comparison | None = None
    ) -> None:
        layout, signature = columns.layout, columns.layout.hash
        self._inputs_at = places.inputs, layout.inputs, signature, layout.parameters
        self._inputs: Reader | None = None
        self._looked = float("-inf")
        self._latched = 0
        self._image = Writer(places.image, layout.size, signature, layout.parameters)
        self._mailbox = Mailbox(places.requests)
        last = self._image.last()
        if last is not None:
            columns.arena[:] = last
        else:
            retained.restore(columns, places.retained)
        self.warm = last is not None
        columns[System.Epoch][0] = self._image.epoch
        columns[System.Fault][0] = False
        columns[System.FaultSince][0] = 0.0
        columns[System.FaultBlock][0] = 0
        self._events = EventWriter(places.events, columns, comparison)
        self._known_dropped = self._events.dropped
        self._scan: NDArray[Any] = columns[System.Scan]
        self._now: NDArray[Any] = columns[System.Now]
        self._utc: NDArray[Any] = columns[System.TimeUtc]
        self._produced: NDArray[Any] = columns[System.Events]
        self._dropped: NDArray[Any] = columns[System.EventsDropped]
        self._lost: NDArray[Any] = columns[System.EventsLost]
        lost = bool(self._lost[0])  # so a predecessor saw, not knowing when
        self._lost_at = float(self._now[0]) if lost else float("-inf")

    def latch(self, columns: Columns) -> None:
        now = float(self._now[0])
        if (self._inputs is None or self._inputs.age > STALE) and now - self._looked > LOOK_AGAIN:
            self._looked = now
            self._attach()
        if self._inputs is not None and self._inputs.sequence != self._latched:
            self._latched = self._inputs.read(columns.arena[: columns.layout.inputs])

    def _attach(self) -> None:
        if self._inputs is None or self._inputs.replaced:
            try:
                self._inputs = Reader(*self._inputs_at)
                self._latched = 0
            except RegionError:
                self._inputs = None

    def requests(self) -> Iterable[Ask]:
        return self._mailbox.drain()

    def publish(self, columns: Columns) -> None:
        self._image.publish(columns.arena)

    def emit(self, columns: Columns) -> None:
        events, now = self._events, float(self._now[0])
        events.emit(int(self._scan[0]), float(self._utc[0]))
        self._produced[0], self._dropped[0] = events.produced, events.dropped
        if events.dropped != self._known_dropped:
            self._known_dropped = events.dropped
            self._lost_at = now
        self._lost[0] = now - self._lost_at < EVENTS_LOST


class Rehearsal:
    """Ports to nothing, for the scans that compile the laws and warm up code and memory."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.comparison = Comparison(columns)

    def latch(self, columns: Columns) -> None:
        pass

    def requests(self) -> Iterable[Ask]:
        return ()

    def publish(self, columns: Columns) -> None:
        pass

    def emit(self, columns: Columns) -> None:
        self.comparison.settle(self.comparison.find(0, MOST, 0, 0, 0.0))


class _Ending(Ending):
    """It ends the process at once, but for a scan under way: that one is finished."""

    scanning = False

    def _take(self, number: int, frame: FrameType | None) -> None:
        super()._take(number, frame)
        if not self.scanning:
            raise SystemExit(0)


def main(config: Config, places: Places) -> None:
    """Stand by until the lead is free, then scan until told to end."""
    ending = _Ending()
    progress = Progress(places.progress("standby"))
    progress.say(State.STARTING, "prepares its laws: minutes, if their sources have changed")
    columns = Columns(Layout(Capacity.of(config.capacity)))
    rehearsal = Rehearsal(columns)
    scan = rehearsed(config, rehearsal)
    realtime.still_the_collector()
    missing = realtime.acquire(max(RUNAWAY, 10 * config.period))
    progress.say(State.STANDBY, "standby: ready to take over")

    lead = Lead(places.leader)
    lead.take(progress.beat)  # the kernel frees it when the leader dies, however it dies
    try:
        ports = SharedMemory(places, columns, rehearsal.comparison)
    except (OSError, RegionError, retained.RetainedError) as error:
        progress.say(State.DEGRADED, str(error))
        logger.critical("can't scan", reason=str(error))
        raise SystemExit(UNUSABLE) from None
    columns[System.RealTime][0] = not missing
    progress = Progress(places.progress("scan"))
    clock = GridClock(config.period)
    scan.connect(ports, clock)
    start = "warm" if ports.warm else "cold"
    logger.info("scan leads", start=start, real_time=not missing, missing=missing)
    progress.say(State.GOOD, _state(missing))
    try:
        _lead(scan, clock, progress, ending)
    except Fault as fault:
        progress.say(State.DEGRADED, f"fault in {fault}; the safe outputs stand")
        logger.critical("fault: the safe outputs stand", block=fault.block, reason=fault.reason)
        raise SystemExit(FAILED) from fault


def rehearsed(config: Config, rehearsal: Rehearsal) -> Scan:
    """The scan after some of nothing: compiled, in memory, and ready to be connected."""
    columns, clock = rehearsal.columns, ManualClock(config.period)
    program = build(config, columns)
    Scan(columns, program, clock, config.period, rehearsal).step(3)
    columns.arena.fill(0)
    return Scan(columns, program, clock, config.period, rehearsal)


def build(config: Config, columns: Columns) -> Program:
    """The program that the configuration describes, bound to `columns`."""
    settings: dict[str, dict[str, object]] = {
        name: getattr(config.program, name).model_dump() for name in config.program.order
    }
    return Program(config.program.order, settings, columns)


def _lead(scan: Scan, clock: GridClock, progress: Progress, ending: _Ending) -> None:
    lateness, skipped = 0.0, 0
    while not ending.asked:
        ending.scanning = True
        scan.cycle(lateness, skipped)
        ending.scanning = False
        progress.beat()
        if scan.first:
            clock.anchor()  # the first scan is slow and no measure of the others
        if not ending.asked:
            lateness, skipped = clock.wait()


def _state(missing: list[str]) -> str:
    if missing:
        return f"scanning; no real-time guarantee: {'; '.join(missing)}"
    return "scanning with real-time guarantee"
