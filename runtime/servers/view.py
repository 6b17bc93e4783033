"""The newest snapshot of the image and the equipment that it is of, for whoever only looks."""

from __future__ import annotations

from contextlib import suppress

from runtime import equipment
from runtime.equipment import Equipment, EquipmentError
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.region import STILL, STILL_PERIODS, Reader, RegionError
from runtime.tag import Quality, Tag
from runtime.tags import Pump, Station, System


class View:
    """The newest snapshot and the equipment: the half of a mirror that only looks."""

    def __init__(self, places: Places, capacity: Capacity) -> None:
        self._places = places
        self.layout = Layout(capacity)
        self.columns = Columns(self.layout)
        self.equipment = Equipment()
        self.sequence = 0
        self._reader: Reader | None = None
        self._stale_at = float("-inf")
        self._written = 0  # when the equipment last loaded was

    def is_current(self, now: float) -> bool:
        """Whether what was taken is the newest and not stale: soon asked, before each answer."""
        reader = self._reader
        return reader is not None and reader.sequence == self.sequence and now < self._stale_at

    def refresh(self) -> bool:
        """Take the newest snapshot; whether it differs from the last one taken."""
        fresh = self._take()
        self.columns[System.ImageAge][0] = self.age
        self.columns[System.Live][0] = not self.stale
        return fresh

    def _take(self) -> bool:
        try:
            if self._reader is None or (self.stale and self._reader.replaced):
                layout = self.layout
                self._reader = Reader(
                    self._places.image, layout.size, layout.hash, layout.parameters
                )
                self.sequence = 0
            if self._reader.sequence == self.sequence:
                return False
            self.sequence = self._reader.read(self.columns.arena)
        except RegionError:
            return False
        still = max(STILL, STILL_PERIODS * self.columns.value(System.Period))
        self._stale_at = self._reader.stamp + still
        self._renew_equipment()
        return True

    def _renew_equipment(self) -> None:
        """Load the list that the image is of, once: it may be of another version or unreadable."""
        if int(self.columns[System.PlantVersion][0]) == self.equipment.version:
            return
        with suppress(FileNotFoundError, EquipmentError):
            written = self._places.equipment.stat().st_mtime_ns
            if written != self._written:
                self._written = written
                self.equipment = equipment.load(self._places.equipment)

    @property
    def age(self) -> float:
        """Seconds since the scan last published; infinite before it ever has."""
        return self._reader.age if self._reader else float("inf")

    @property
    def stale(self) -> bool:
        """The scan stands still: what it said last must not be shown as if it were true now."""
        period = self.columns.value(System.Period)
        return self._reader is None or self._reader.stands_still(period)

    def quality(self, tag: Tag, slot: int) -> Quality:
        """How far the value can be trusted now, the age of the snapshot included."""
        table = {"Station": Station.Configured, "Pump": Pump.Configured}.get(tag.table)
        if self.stale or (table is not None and not self.columns[table][slot]):
            return Quality.BAD
        if tag.quality is None:
            return Quality.GOOD
        companion = {"Station": Station, "Pump": Pump}[tag.table].tag(tag.quality)
        return Quality(int(self.columns[companion][slot]))
