"""An image painted by hand: values, qualities and times that a scan wouldn't have on demand."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from runtime import equipment
from runtime.equipment import Equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.region import Writer
from runtime.tag import Tag
from runtime.tags import System
from tests.servers.modbus.station import PLANT

CAPACITY = Capacity(stations=250, pumps=150)
SCANNED = 1_800_000_000.25  # s since 1970, before the scans
PERIOD = 60.0  # s: with that, no test machine is too slow to look alive


class Image:
    """Publishes what is in `columns`, again and again while it is not held.

    Change columns inside `change`: a snapshot has all of it or nothing.
    """

    def __init__(self, places: Places) -> None:
        self.columns = Columns(Layout(CAPACITY))
        self.utc = SCANNED
        self._places = places
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._runs = threading.Event()
        self._runs.set()
        self.equip(PLANT)
        self._writer = Writer(places.image, self.columns.layout.size, self.columns.layout.hash)
        self._publish()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def __getitem__(self, tag: Tag) -> Any:
        return self.columns[tag]

    def equip(self, plant: Equipment) -> None:
        """Other stations and pumps, a second later; nothing else keeps its value."""
        with self.change():
            plant.save(self._places.equipment)
            self.columns.arena[:] = 0
            equipment.fill(plant, self.columns)
            self[System.Period][0] = PERIOD
            self.utc += 1

    @contextmanager
    def change(self) -> Iterator[None]:
        """Change columns between two scans."""
        with self._lock:
            yield
            self[System.TimeUtc][0] = self.utc

    @property
    def scanned(self) -> datetime:
        """When the scans are, by their own word."""
        return datetime.fromtimestamp(self.utc, UTC)

    def hold(self) -> None:
        """Stand still, as a scan that should publish ten times a second."""
        with self.change():
            self[System.Period][0] = 0.1
        self._runs.clear()
        self._publish()

    def go_on(self) -> None:
        with self.change():
            self[System.Period][0] = PERIOD
        self._runs.set()

    def end(self) -> None:
        self._ended.set()
        self._runs.set()
        self._thread.join()

    def _publish(self) -> None:
        with self._lock:
            self[System.Scan][0] += 1
            self.columns.seal()
            self._writer.publish(self.columns.arena)

    def _work(self) -> None:
        while not self._ended.is_set():
            self._runs.wait()
            self._publish()
            time.sleep(0.01)
