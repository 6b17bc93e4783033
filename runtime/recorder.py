"""The recorder: puts on disk what the scan must not wait for.

It watches each published image and saves retained memory: latches and what operators asked for at
once, integrators every second. It drains the ring of edges into the spool, and gives the ring its
room back once they are on disk. It samples the history from the images that it reads.
"""

from __future__ import annotations

import time
from concurrent.futures import Future

import orjson
import structlog

from config import Config
from config.records import History
from runtime import spoolfile
from runtime.comparison import Edges
from runtime.edges import Record, describe
from runtime.ending import Ending
from runtime.events import EventReader
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.progress import Progress, State
from runtime.region import Reader, RegionError
from runtime.retained import RESERVE, RetainedMark, Store
from runtime.sampling import Sampling
from runtime.spool import Journal, Kind
from runtime.tags import System

POLL = 0.002  # s between looks
SAVE = 5.0  # s between saves of integrators and counters: their file is large, and disks wear
RETRY = 0.2  # s between attempts on a disk that doesn't write
ATTACH = 0.1  # s between looks for regions that are missing or were made anew
SAY = 0.5  # s between words on health
PATIENCE = 0.5  # s that edges have at the end to get to the disk
EDGES = 2_000  # in one commit

logger = structlog.get_logger()


class Recorder:
    """Does in each `step` what there is to do, and returns at once if there is nothing."""

    def __init__(self, places: Places, capacity: Capacity, history: History | None = None) -> None:
        self._places = places
        self._columns = Columns(Layout(capacity))
        self._store = Store(self._columns, places.retained)
        self._mark = RetainedMark(places.retained_mark)
        self._mark.scan = 0  # a mark left by another run says nothing of this one
        self._spool = places.spool / "recorder.db"
        self._journal = Journal(self._spool)
        self._sampling = Sampling(self._columns, places.spool, history or History())
        self._image: Reader | None = None
        self._ring: EventReader | None = None
        self._sequence = 0
        self._expected: int | None = 0  # the number of the next edge, if none was dropped
        self._kept: Future[None] | None = None
        self._attach_at = 0.0
        self._saved_at = 0.0
        self._retry_at = 0.0
        self._problem: str | None = None

    def step(self) -> None:
        """Take edges and the newest image, save what it retains, record the edges."""
        now = time.monotonic()
        if now >= self._attach_at:
            self._attach()
            self._attach_at = now + ATTACH
        self._give_back()
        # Edges first: an image read after them is one that can explain them.
        edges = self._ring.take(EDGES) if self._ring and self._kept is None else None
        fresh = self._look()
        if fresh or self._problem:
            self._save(now)
        if edges is not None and len(edges):
            self._record(edges)
        if fresh:
            self._sampling.step(now)

    def finish(self) -> None:
        """Bring all to the disk that is there, now that the scan has ended."""
        until = time.monotonic() + PATIENCE
        self.step()
        while self.backlog and time.monotonic() < until:
            time.sleep(POLL)
            self.step()
        if self._sequence:
            self._save(time.monotonic(), last=True)
        self._sampling.close()
        self._journal.close()
        if self._kept is not None and (error := self._kept.exception()):
            logger.error("events are not on disk", problem=str(error), count=self.backlog)
            return
        self._give_back()

    @property
    def backlog(self) -> int:
        """Edges that are not yet on disk."""
        return self._ring.backlog if self._ring else 0

    @property
    def health(self) -> tuple[State, str]:
        problem = self._problem or self._journal.problem
        dropped = f", {self._ring.dropped} dropped" if self._ring and self._ring.dropped else ""
        if problem:
            return State.DEGRADED, f"disk: {problem}; {self.backlog} events wait{dropped}"
        if not self._sequence:
            return State.STARTING, "waits for the first image"
        if self._sampling.problem:
            return State.DEGRADED, self._sampling.problem
        return (
            State.DEGRADED if dropped else State.GOOD,
            f"retained up to scan {self._mark.scan}; {self.backlog} events wait{dropped}",
        )

    def _attach(self) -> None:
        layout = self._columns.layout
        try:
            if self._image is None or self._image.replaced:
                self._image = None
                self._image = Reader(
                    self._places.image, layout.size, layout.hash, layout.parameters
                )
                self._sequence = 0
            if self._ring is None or (self._ring.replaced and not self._ring.backlog):
                self._ring = None
                self._ring = EventReader(self._places.events, layout)
                self._resume(self._ring)
        except RegionError:
            return  # the scan will make it

    def _resume(self, ring: EventReader) -> None:
        """Go on after what is in the spool, even if the ring was not told of it any more."""
        identity, position, expected = orjson.loads(spoolfile.position(self._spool) or b"[0, 0, 0]")
        if identity == ring.identity:
            ring.acknowledge(position)
            self._expected = expected
        else:
            self._expected = None if ring.position else 0

    def _give_back(self) -> None:
        if self._kept is not None and self._kept.done():
            self._kept.result()
            self._kept = None
            if self._ring:
                self._ring.acknowledge(self._ring.position)

    def _look(self) -> bool:
        if self._image is None or self._image.sequence == self._sequence:
            return False
        try:
            self._sequence = self._image.read(self._columns.arena)
        except RegionError:
            return False
        return True

    def _save(self, now: float, *, last: bool = False) -> None:
        """Save what is due. The mark moves on only if all latches of this image are on disk."""
        if now < self._retry_at and not last:
            return
        aged = now - self._saved_at >= SAVE
        if last or self._store.latches_differ() or (aged and self._store.differ()):
            try:
                self._store.save(0 if last else RESERVE)
            except OSError as error:
                self._complain(f"retained memory: {error.strerror}")
                self._retry_at = now + RETRY
                return
            self._saved_at = now
        self._complain(None)
        self._mark.scan = int(self._columns[System.Scan][0])

    def _complain(self, problem: str | None) -> None:
        if problem != self._problem:
            if problem:
                logger.error("the disk does not take what is to be kept", problem=problem)
            else:
                logger.info("the disk takes what is to be kept again")
        self._problem = problem

    def _record(self, edges: Edges) -> None:
        assert self._ring is not None
        records: list[tuple[Kind, Record]] = list(describe(edges, self._columns))
        expected = int(edges["seq"][-1]) + 1
        dropped = 0 if self._expected is None else expected - self._expected - len(edges)
        if dropped:
            first = int(edges["scan"][0])
            records.insert(0, (Kind.LOST, {"records": dropped, "scan": first}))
            logger.error("events dropped: the ring was full", count=dropped, scan=first)
        self._expected = expected
        position = [self._ring.identity, self._ring.position, expected]
        self._kept = self._journal.extend(records, orjson.dumps(position))


def main(config: Config, places: Places) -> None:
    """Record until told to end."""
    ending = Ending()
    progress = Progress(places.progress("recorder"))
    recorder = Recorder(places, Capacity.of(config.capacity), config.history)
    say_at = 0.0
    while not ending.asked:
        recorder.step()
        progress.beat()
        if (now := time.monotonic()) >= say_at:
            progress.say(*recorder.health)
            say_at = now + SAY
        time.sleep(POLL)
    recorder.finish()
