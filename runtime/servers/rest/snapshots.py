"""Snapshots that all threads of the server share: taken once for each scan, never changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock

from runtime import equipment
from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.layout import Capacity, Columns
from runtime.places import Places
from runtime.servers.mirror import View
from runtime.tags import System


class Plant:
    """The equipment, indexed for look-ups."""

    def __init__(self, listed: Equipment) -> None:
        self.version = listed.version
        self.problems = listed.problems
        self.stations: dict[str, StationEntry] = {s.station_id: s for s in listed.stations}
        self.pumps: dict[int, PumpEntry] = {p.pump_id: p for p in listed.pumps}
        self.pumps_of: dict[str, list[PumpEntry]] = {s: [] for s in self.stations}
        for pump in listed.pumps:
            self.pumps_of[pump.station_id].append(pump)

    @cached_property
    def station_in(self) -> dict[int, StationEntry]:
        """The stations by slot."""
        return {station.slot: station for station in self.stations.values()}

    @cached_property
    def pump_in(self) -> dict[int, PumpEntry]:
        """The pumps by slot."""
        return {pump.slot: pump for pump in self.pumps.values()}


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
    _rendered: dict[object, bytes] = field(default_factory=dict)

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

    def rendered(self, key: object, render: Callable[[], bytes]) -> bytes:
        """What `render` makes, made once: a hundred clients of one scan share it."""
        if (found := self._rendered.get(key)) is None:
            found = self._rendered[key] = render()
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
