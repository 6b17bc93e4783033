"""Edges on their way through the recorder: on disk before they leave the ring, each once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.events import CAPACITY
from runtime.layout import Capacity
from runtime.places import Places
from runtime.progress import State
from runtime.recorder import Recorder
from runtime.spool import Kind
from runtime.tags import Pump, Station
from tests.processes import until
from tests.runtime.by_hand import SIZE, Plant, a_place, spooled, steps


@pytest.fixture
def places() -> Iterator[Places]:
    with a_place() as places:
        yield places


@pytest.fixture
def plant(places: Places) -> Plant:
    return Plant(places)


@pytest.fixture
def recorder(places: Places) -> Iterator[Recorder]:
    recorder = Recorder(places, SIZE)
    yield recorder
    recorder.finish()


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
