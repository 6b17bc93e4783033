"""A scan for a server that is tried: it answers requests, and keeps all that it was asked."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config import Config
from runtime import equipment
from runtime.clock import GridClock
from runtime.equipment import Equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.region import Writer
from runtime.requests import Ask, Mailbox
from runtime.retained import RetainedMark
from runtime.scan import Scan
from runtime.scan_process import build
from runtime.tags import Pump, Station, System

STEP = 0.005  # s between scans


class Plant:
    """A scan that answers requests at once, and keeps what it was asked."""

    def __init__(self, places: Places, config: Config, listed: Equipment) -> None:
        self.columns = Columns(Layout(Capacity.of(config.capacity)))
        equipment.fill(listed, self.columns)
        listed.save(places.equipment)
        self.asked: list[Ask] = []
        self._mailbox = Mailbox(places.requests)
        self._writer = Writer(places.image, self.columns.layout.size, self.columns.layout.hash)
        self._mark = RetainedMark(places.retained_mark)
        program = build(config, self.columns)
        self._scan = Scan(self.columns, program, GridClock(config.period), config.period, self)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()
            self._mailbox.close()

    def latch(self, columns: Columns) -> None:
        now = columns[System.Now][0]
        columns[System.DatabaseTime][0] = now
        columns[Station.PlanTime][:] = now
        columns[Pump.MeasuredTime][:] = now

    def requests(self) -> Iterable[Ask]:
        asks = list(self._mailbox.drain())
        self.asked += asks
        return asks

    def publish(self, columns: Columns) -> None:
        columns.seal()
        self._writer.publish(columns.arena)

    def emit(self, columns: Columns) -> None:
        self._mark.scan = int(columns[System.Scan][0])

    def _work(self) -> None:
        while not self._ended.is_set():
            self._scan.cycle()
            time.sleep(STEP)


def memory(pid: int) -> int:
    """Resident memory of a process, in octets."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
