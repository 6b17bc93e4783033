"""Events that found no room: an alarm in the image, which ends by itself."""

from __future__ import annotations

import pytest

from runtime.events import CAPACITY, EventReader
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.scan_process import EVENTS_LOST, SharedMemory
from runtime.tags import Pump, System

SIZE = Capacity(stations=1, pumps=40_000)


class Scanning:
    """A leading scan without its blocks."""

    def __init__(self, places: Places) -> None:
        self.columns = Columns(Layout(SIZE))
        self._ports = SharedMemory(places, self.columns)
        self.columns[Pump.Configured].fill(True)

    def scan(self, now: float) -> bool:
        """Emit and publish at `now`; whether the alarm stands."""
        self.columns[System.Scan][0] += 1
        self.columns[System.Now][0] = now
        self._ports.emit(self.columns)
        self._ports.publish(self.columns)
        return bool(self.columns[System.EventsLost][0])

    def overflow(self, now: float) -> None:
        """Change more than the ring has room for."""
        for mode in (1, 0):
            self.columns[Pump.Mode][:] = mode
            self.scan(now)


@pytest.fixture
def scanning(places: Places) -> Scanning:
    return Scanning(places)


def test_while_nothing_is_dropped_there_is_no_alarm(scanning: Scanning) -> None:
    scanning.columns[Pump.Mode][:] = 1
    assert not scanning.scan(1000.0)


def test_events_that_find_no_room_raise_an_alarm_that_ends_ten_minutes_after_the_last(
    places: Places, scanning: Scanning
) -> None:
    scanning.overflow(1000.0)
    assert scanning.scan(1001.0)
    reader = EventReader(places.events, scanning.columns.layout)
    reader.acknowledge(CAPACITY)
    assert scanning.scan(1002.0)
    assert scanning.scan(1000.9 + EVENTS_LOST)
    assert not scanning.scan(1001.1 + EVENTS_LOST)


def test_a_scan_that_takes_over_keeps_the_alarm(places: Places, scanning: Scanning) -> None:
    scanning.overflow(1000.0)
    scanning.scan(1001.0)
    EventReader(places.events, scanning.columns.layout).acknowledge(CAPACITY)
    successor = Scanning(places)
    assert successor.scan(1002.0)
    assert not successor.scan(1002.0 + EVENTS_LOST)


def test_the_alarm_is_itself_an_event_as_soon_as_there_is_room(
    places: Places, scanning: Scanning
) -> None:
    scanning.overflow(1000.0)
    reader = EventReader(places.events, scanning.columns.layout)
    reader.acknowledge(CAPACITY)
    scanning.columns[Pump.Mode][3] = 1
    scanning.scan(1001.0)
    numbers = [int(edge["tag"]) for edge in reader.take(10)]
    assert len(numbers) == 2
