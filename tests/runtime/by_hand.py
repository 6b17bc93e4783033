"""A scan by hand for the recorder: what it publishes and emits, and what became of it on disk."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from runtime import retained
from runtime.events import EventWriter
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.recorder import Recorder
from runtime.region import Writer
from runtime.requests import Result
from runtime.spoolfile import Record, SpoolReader
from runtime.tag import Tag
from runtime.tags import NUMBER, Pump, Request, Station, System
from tests.conftest import fast_directory
from tests.processes import until

SIZE = Capacity(stations=3, pumps=6)


@contextmanager
def a_place() -> Iterator[Places]:
    """Places of their own, all of them removed at the end."""
    with tempfile.TemporaryDirectory(prefix="calejo-", dir=fast_directory()) as name:
        places = Places(Path(name) / "var")
        places.shared = Path(name) / "shared"
        for part in ("inputs", "image", "events", "requests", "retained_mark"):
            setattr(places, part, places.shared / part)
        places.prepare()
        yield places


class Plant:
    """The scan's side, by hand."""

    def __init__(self, places: Places, capacity: Capacity = SIZE) -> None:
        self.columns = Columns(Layout(capacity))
        self.columns[Station.Configured].fill(True)
        self.columns[Pump.Configured].fill(True)
        layout = self.columns.layout
        self.image = Writer(places.image, layout.size, layout.hash)
        self.events = EventWriter(places.events, self.columns)

    def scan(self, utc: float | None = None, *, publish: bool = True) -> int:
        """Publish, unless nobody is to see it, and emit; the number of the scan."""
        self.columns[System.Scan][0] += 1
        number = int(self.columns[System.Scan][0])
        if publish:
            self.image.publish(self.columns.arena)
        self.events.emit(number, 1e9 + number if utc is None else utc)
        return number

    def take(self, row: int, tag: Tag, slot: int, value: float, reference: int = 0) -> int:
        """A request, executed by the scan that comes; its id."""
        identity = 2**62 + row
        for column, entry in (
            (Request.Id, identity),
            (Request.TakenAt, int(self.columns[System.Scan][0]) + 1),
            (Request.Tag, NUMBER[tag]),
            (Request.Slot, slot),
            (Request.Value, value),
            (Request.Reference, reference),
            (Request.Result, Result.EXECUTED),
        ):
            self.columns[column][row] = entry
        self.columns[System.Requests][0] = row + 1
        self.columns[tag][slot] = value
        if tag is Pump.EmergencyStop:
            self._latch(slot, value, identity)
        return identity

    def _latch(self, slot: int, value: float, identity: int) -> None:
        stop = self.columns[Pump.EmergencyStopId]
        if not value or not stop[slot]:
            stop[slot] = identity if value else 0


def spooled(places: Places) -> list[Record]:
    try:
        with closing(SpoolReader(places.spool / "recorder.db")) as reader:
            return reader.batch(1_000_000, 1 << 40)
    except sqlite3.OperationalError:  # not yet made
        return []


def restored(places: Places) -> Columns:
    columns = Columns(Layout(SIZE))
    retained.restore(columns, places.retained)
    return columns


def steps(recorder: Recorder, goal: Callable[[], bool] | None = None) -> None:
    """Step until a goal is reached: that all edges are on disk, unless another is named."""
    reached = goal or (lambda: not recorder.backlog)

    def step() -> bool:
        recorder.step()
        return reached()

    recorder.step()
    until(step)
