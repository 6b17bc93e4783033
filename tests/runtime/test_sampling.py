"""The recorder's history: sampled from the images it reads, in a spool of its own."""

from __future__ import annotations

from contextlib import closing

import pytest

from config.records import History
from runtime.places import Places
from runtime.progress import State
from runtime.recorder import Recorder
from runtime.samples import Samples, decode
from runtime.spoolfile import Record, SpoolReader
from runtime.tags import Pump, System
from tests.runtime.by_hand import SIZE, Plant, spooled, steps

EACH_IMAGE = History.model_construct(interval=0.0, silence=600.0)


def history(places: Places) -> list[Record]:
    with closing(SpoolReader(places.spool / "history.db")) as reader:
        return reader.batch(1_000_000)


def of_tag(record: Record, tag: str) -> Samples | None:
    return next((found for found in decode(record.data)[2] if found.tag == tag), None)


def test_samples_carry_scan_and_time_of_their_image(places: Places, plant: Plant) -> None:
    recorder = Recorder(places, SIZE, EACH_IMAGE)
    plant.columns[System.TimeUtc][0] = 1e9
    plant.columns[Pump.Setpoint][2] = 33.0
    number = plant.scan()
    recorder.step()
    recorder.finish()
    (record,) = history(places)
    scan, utc, _ = decode(record.data)
    assert (scan, utc) == (number, 1e9)
    setpoints = of_tag(record, "Pump.Setpoint")
    assert setpoints is not None
    assert setpoints.values.tolist() == [0, 0, 33.0, 0, 0, 0]


def test_samples_do_not_stand_among_the_edges(places: Places, plant: Plant) -> None:
    recorder = Recorder(places, SIZE, EACH_IMAGE)
    plant.scan()
    recorder.step()
    recorder.finish()
    assert {record.kind for record in spooled(places)} == {"safety"}
    assert {record.kind for record in history(places)} == {"sample"}


def test_an_image_that_does_not_change_gives_no_samples(places: Places, plant: Plant) -> None:
    recorder = Recorder(places, SIZE, EACH_IMAGE)
    plant.scan()
    for _ in range(20):
        recorder.step()
    recorder.finish()
    assert len(history(places)) == 1


def test_on_a_disk_that_fills_up_samples_end_first_and_are_counted(
    places: Places, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(places, SIZE, EACH_IMAGE)
    with monkeypatch.context() as full:
        full.setattr("runtime.sampling.RESERVE", 1 << 60)
        plant.columns[Pump.Mode][0] = 1
        plant.scan()
        recorder.step()
        state, words = recorder.health
        assert (state, "no history" in words) == (State.DEGRADED, True)
    plant.columns[Pump.Mode][0] = 0
    plant.scan()
    steps(recorder)
    assert recorder.health[0] is State.GOOD
    recorder.finish()
    lost, sample = history(places)
    assert (lost.kind, lost.body) == ("lost", {"records": 1, "kind": "sample"})
    modes = of_tag(sample, "Pump.Mode")
    assert modes is not None
    assert modes.values.tolist() == [0.0]
    assert [record.body["new"] for record in spooled(places)] == [1, 1, 0]
