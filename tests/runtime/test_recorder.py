"""The recorder: latches are on disk before anybody is told, edges before they leave the ring."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime import retained
from runtime.events import CAPACITY, EventWriter
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.progress import State, look
from runtime.recorder import Recorder
from runtime.region import Writer
from runtime.requests import Result
from runtime.retained import RetainedMark
from runtime.spool import Kind
from runtime.spoolfile import Record, SpoolReader
from runtime.tag import Tag
from runtime.tags import NUMBER, Pump, Request, Station, System
from tests.conftest import fast_directory
from tests.processes import until
from tests.runtime import disk

SIZE = Capacity(stations=3, pumps=6)
RUN = """
import sys
from pathlib import Path
from types import SimpleNamespace
from runtime.layout import Capacity
from runtime.places import Places
from runtime.recorder import main
main(SimpleNamespace(capacity=Capacity(stations=3, pumps=6)), Places(Path(sys.argv[1])))
"""


class Plant:
    """The scan's side, by hand."""

    def __init__(self, places: Places, capacity: Capacity = SIZE) -> None:
        self.columns = Columns(Layout(capacity))
        layout = self.columns.layout
        self.image = Writer(places.image, layout.size, layout.hash)
        self.events = EventWriter(places.events, self.columns)

    def scan(self) -> int:
        """Publish and emit; the number of the scan."""
        self.columns[System.Scan][0] += 1
        number = int(self.columns[System.Scan][0])
        self.image.publish(self.columns.arena)
        self.events.emit(number, 1e9 + number)
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
        self.columns[tag][slot] = value
        return identity


@pytest.fixture
def places() -> Iterator[Places]:
    with tempfile.TemporaryDirectory(prefix="calejo-", dir=fast_directory()) as name:
        places = Places(Path(name) / "var")
        places.shared = Path(name) / "shared"
        for part in ("inputs", "image", "events", "retained_mark"):
            setattr(places, part, places.shared / part)
        places.prepare()
        yield places


@pytest.fixture
def plant(places: Places) -> Plant:
    return Plant(places)


@pytest.fixture
def recorder(places: Places) -> Iterator[Recorder]:
    recorder = Recorder(places, SIZE)
    yield recorder
    recorder.finish()


def spooled(places: Places) -> list[Record]:
    try:
        with closing(SpoolReader(places.spool / "recorder.db")) as reader:
            return reader.batch(1_000_000)
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


def test_an_emergency_stop_is_on_disk_when_the_mark_reaches_its_scan(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    mark = RetainedMark(places.retained_mark)
    plant.scan()
    recorder.step()
    assert mark.scan == 1
    plant.columns[Pump.EmergencyStop][3] = True
    plant.columns[Pump.EmergencyStopId][3] = 2**62 + 5
    number = plant.scan()
    assert mark.scan == number - 1
    recorder.step()
    assert mark.scan == number
    assert restored(places)[Pump.EmergencyStopId].tolist() == [0, 0, 0, 2**62 + 5, 0, 0]


def test_the_mark_follows_the_scan_while_nothing_retained_changes(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    plant.scan()
    recorder.step()
    before = places.retained[0].read_bytes()
    for integral in range(1, 5):
        plant.columns[Pump.LevelIntegral][0] = integral
        number = plant.scan()
        recorder.step()
        assert RetainedMark(places.retained_mark).scan == number
    assert places.retained[0].read_bytes() == before
    assert not places.retained[1].exists()


def test_integrals_are_saved_too_but_not_at_once(
    places: Places, plant: Plant, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.scan()
    recorder.step()
    monkeypatch.setattr("runtime.recorder.SAVE", 0.0)
    plant.columns[Pump.LevelIntegral][0] = 7.0
    plant.scan()
    recorder.step()
    assert restored(places).value(Pump.LevelIntegral) == 7.0


def test_a_mark_left_by_an_earlier_run_says_nothing(places: Places, plant: Plant) -> None:
    RetainedMark(places.retained_mark).scan = 1_000
    recorder = Recorder(places, SIZE)
    assert RetainedMark(places.retained_mark).scan == 0
    recorder.finish()


def test_at_the_end_the_last_image_is_saved_with_its_exact_number(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    plant.scan()
    recorder.step()
    plant.columns[Pump.LevelIntegral][0] = 3.0
    plant.columns[Pump.Mode][0] = 1
    number = plant.scan()
    recorder.finish()
    assert restored(places).value(Pump.LevelIntegral) == 3.0
    assert restored(places).value(System.Scan) == number
    assert [r.body["tag"] for r in spooled(places)] == ["System.FirstScan", "Pump.Mode"]


def test_edges_are_spooled_with_what_explains_them(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    columns = plant.columns
    plant.scan()
    stop = plant.take(0, Pump.EmergencyStop, 4, 1.0)
    columns[Station.Failsafe][1] = True
    columns[Station.PlanAge][1] = 1_234.5
    columns[Pump.Station][2] = 1
    columns[Station.Level][1] = 0.4
    columns[Pump.Limited][2] = 0b101
    columns[Pump.Demand][2], columns[Pump.HighLimit][2] = 60.0, 50.0
    set_in = plant.scan()
    steps(recorder)
    clear = plant.take(1, Pump.EmergencyStop, 4, 0.0, reference=stop)
    plant.scan()
    steps(recorder)

    first, failsafe, stopped, limited, cleared = spooled(places)
    assert first.kind == Kind.SAFETY
    assert failsafe.body["plan_age"] == 1_234.5
    assert stopped.body == {
        "seq": 2,
        "scan": set_in,
        "utc": 1e9 + set_in,
        "tag": "Pump.EmergencyStop",
        "slot": 4,
        "old": 0.0,
        "new": 1.0,
        "request": stop,
        "reference": 0,
    }
    assert limited.body["limits"]["speed"] == [50.0, 60.0]
    assert limited.body["limits"]["level"] == [None, 0.4]
    assert (cleared.body["request"], cleared.body["reference"]) == (clear, stop)


def test_alarms_and_limits_are_safety_records_and_a_mode_is_not(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    plant.scan()
    plant.columns[Pump.NotFollowing][0] = True
    plant.columns[Pump.Mode][0] = 1
    plant.columns[Pump.Limited][0] = 2
    plant.scan()
    steps(recorder)
    kinds = {record.body["tag"]: record.kind for record in spooled(places)}
    assert kinds == {
        "System.FirstScan": Kind.SAFETY,
        "Pump.Mode": Kind.EDGE,
        "Pump.Limited": Kind.SAFETY,
        "Pump.NotFollowing": Kind.SAFETY,
    }


def test_a_recorder_that_died_before_it_acknowledged_spools_nothing_twice(
    places: Places, plant: Plant
) -> None:
    plant.scan()
    dead = Recorder(places, SIZE)
    dead.step()  # spooled; never acknowledged
    until(lambda: len(spooled(places)) == 1)
    assert dead.backlog == 1
    plant.columns[Pump.Mode][0] = 1
    plant.scan()
    successor = Recorder(places, SIZE)
    steps(successor)
    successor.finish()
    assert [r.body["seq"] for r in spooled(places)] == [0, 1]


def test_edges_that_the_ring_had_to_drop_are_recorded_as_lost(places: Places) -> None:
    capacity = Capacity(stations=1, pumps=40_000)
    plant = Plant(places, capacity)
    for mode in (1, 0):
        plant.columns[Pump.Mode][:] = mode
        plant.scan()
    recorder = Recorder(places, capacity)
    steps(recorder)
    plant.columns[Pump.Mode][7] = 1
    number = plant.scan()
    steps(recorder)
    recorder.finish()
    lost = [record for record in spooled(places) if record.kind == Kind.LOST]
    assert [r.body for r in lost] == [{"records": 80_001 - CAPACITY, "scan": number}]
    assert recorder.health[0] is State.DEGRADED
    assert "dropped" in recorder.health[1]


def test_a_new_ring_is_drained_after_what_is_left_in_the_old_one(
    places: Places, plant: Plant, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.recorder.ATTACH", 0.0)
    plant.scan()
    steps(recorder)
    plant.columns[Pump.Mode][0] = 1
    plant.scan()
    places.events.unlink()
    places.image.unlink()
    fresh = Plant(places)
    fresh.scan()
    steps(recorder, lambda: len(spooled(places)) == 3)
    assert [r.body["tag"] for r in spooled(places)] == [
        "System.FirstScan",
        "Pump.Mode",
        "System.FirstScan",
    ]


def test_a_disk_that_takes_nothing_is_said_and_nothing_is_lost(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    mark = RetainedMark(places.retained_mark)
    plant.scan()
    steps(recorder)
    assert recorder.health[0] is State.GOOD
    with disk.full(), capture_logs() as lines:
        plant.columns[Pump.EmergencyStop][0] = True
        plant.scan()
        steps(recorder, lambda: recorder.health[0] is State.DEGRADED)
        assert "disk" in recorder.health[1]
        assert recorder.backlog == 1
        assert mark.scan == 1
    assert lines[0]["log_level"] == "error"
    steps(recorder, lambda: mark.scan == 2 and not recorder.backlog)
    assert recorder.health[0] is State.GOOD
    assert restored(places)[Pump.EmergencyStop][0]
    assert spooled(places)[-1].body["tag"] == "Pump.EmergencyStop"


def test_without_a_scan_it_waits_and_saves_nothing(places: Places, recorder: Recorder) -> None:
    recorder.step()
    assert recorder.health[0] is State.STARTING
    recorder.finish()
    assert not any(path.exists() for path in places.retained)


def test_the_process_ends_by_sigterm_with_all_on_disk(tmp_path: Path) -> None:
    places = Places(tmp_path / "var")
    places.prepare()
    process = subprocess.Popen([sys.executable, "-c", RUN, str(places.root)])
    try:
        plant = Plant(places)
        plant.columns[System.EmergencyStop][0] = True
        plant.scan()
        until(lambda: RetainedMark(places.retained_mark).scan == 1)
        plant.columns[Pump.LevelIntegral][1] = 4.0
        plant.columns[Pump.Mode][0] = 1
        plant.scan()
        until(lambda: (health := look(places.progress("recorder"))) and health.state is State.GOOD)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20.0) == 0
        assert restored(places)[System.EmergencyStop][0]
        assert restored(places).value(Pump.LevelIntegral, 1) == 4.0
        assert [r.body["tag"] for r in spooled(places)][-1] == "Pump.Mode"
    finally:
        process.kill()
        process.wait()
        for path in places.shared.iterdir():
            path.unlink()
        os.rmdir(places.shared)
