"""Snapshots that all threads of the server share: taken once for each scan, never changed."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from runtime import equipment
from runtime.layout import Capacity, Columns
from runtime.places import Places
from runtime.servers.mirror import View
from runtime.servers.rest.directory import Plant
from runtime.tags import System


class Rendered:
    """A body that many clients get, plain or compressed."""

    def __init__(self, moment: int, plain: bytes) -> None:
        self.moment = moment
        self.plain = plain
        self._zipped: bytes | None = None
        self._turn = Lock()

    @property
    def zipped(self) -> bytes:
        with self._turn:
            if self._zipped is None:
                self._zipped = zipped(self.plain)
            return self._zipped


def zipped(plain: bytes) -> bytes:
    """Compressed the fastest way: tags are so alike that it is a fifteenth all the same."""
    return gzip.compress(plain, 1, mtime=0)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One image. `stamp` is the time (monotonic, s) at which the scan published it.

    `live` says whether the scan was running when the snapshot was handed out: one that goes stale
    is replaced by another with the same columns, so that nothing rendered from it is used again.
    """

    columns: Columns
    plant: Plant
    sequence: int
    stamp: float
    live: bool
    _rendered: dict[str, Rendered] = field(default_factory=dict)
    _turn: Lock = field(default_factory=Lock)

    @property
    def scan(self) -> int:
        return int(self.columns.value(System.Scan))

    @property
    def age(self) -> float:
        """Seconds since the scan published it."""
        return time.monotonic() - self.stamp

    @property
    def time(self) -> datetime:
        """UTC of the scan."""
        return datetime.fromtimestamp(self.columns.value(System.TimeUtc), UTC)

    @property
    def tag(self) -> str:
        """The entity tag of everything that is rendered from this snapshot alone."""
        epoch = int(self.columns.value(System.Epoch))
        state = "" if self.live else "-stale"
        return f"{epoch}-{self.scan}-{self.sequence}-{self.plant.version}{state}"

    def rendered(self, path: str, render: Callable[[], bytes]) -> Rendered:
        """What `render` makes for a path, made once in 0.1 s: a hundred clients share it."""
        with self._turn:
            moment = int(self.age * 10)
            found = self._rendered.get(path)
            if found is None or found.moment != moment:
                found = self._rendered[path] = Rendered(moment, render())
            return found


class Snapshots:
    """Where the threads get the newest snapshot from."""

    def __init__(self, places: Places, capacity: Capacity) -> None:
        self._view = View(places, capacity)
        self._view.equipment = equipment.load(places.equipment)
        self._listed = self._view.equipment
        self._plant = Plant(self._listed)
        self._newest: Snapshot | None = None
        self._lock = Lock()

    @property
    def plant(self) -> Plant:
        """The equipment last known; known without an image too."""
        return self._plant

    def newest(self) -> Snapshot | None:
        """The newest snapshot; None until the scan has published one."""
        with self._lock:
            view = self._view
            changed = view.refresh()
            live = not view.stale
            if view.equipment is not self._listed:
                self._listed = view.equipment
                self._plant = Plant(self._listed)
            last = self._newest
            if changed:
                columns = Columns(view.layout, view.columns.arena.copy())
                stamp = time.monotonic() - view.age
                self._newest = Snapshot(columns, self._plant, view.sequence, stamp, live)
            elif last is not None and last.live is not live:
                self._newest = Snapshot(last.columns, last.plant, last.sequence, last.stamp, live)
            return self._newest
