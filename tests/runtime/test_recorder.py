"""The recorder: latches are on disk before anybody is told, all of it at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime.places import Places
from runtime.progress import State, look
from runtime.recorder import Recorder
from runtime.retained import RetainedMark
from runtime.tags import Pump, System
from tests.processes import until
from tests.runtime import disk
from tests.runtime.by_hand import SIZE, Plant, restored, spooled, steps

RUN = """
import sys
from pathlib import Path
from types import SimpleNamespace
from config.records import History
from runtime.layout import Capacity
from runtime.places import Places
from runtime.recorder import main
config = SimpleNamespace(capacity=Capacity(stations=3, pumps=6), history=History())
main(config, Places(Path(sys.argv[1])))
"""


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
        steps(recorder, lambda: recorder.health[1].startswith("disk"))
        state, _ = recorder.health
        assert state is State.DEGRADED
        assert recorder.backlog == 1
        assert mark.scan == 1
    assert lines[0]["log_level"] == "error"
    steps(recorder, lambda: not recorder.backlog and recorder.health[0] is State.GOOD)
    assert mark.scan == 2
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
        assert process.wait(60.0) == 0
        assert restored(places)[System.EmergencyStop][0]
        assert restored(places).value(Pump.LevelIntegral, 1) == 4.0
        assert [r.body["tag"] for r in spooled(places)][-1] == "Pump.Mode"
    finally:
        process.kill()
        process.wait()
        for path in places.shared.iterdir():
            path.unlink()
        os.rmdir(places.shared)
