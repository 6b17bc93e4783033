"""Edges on their way through the recorder: on disk before they leave the ring, each once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runtime.alarm import AlarmState
from runtime.events import CAPACITY
from runtime.layout import Capacity
from runtime.places import Places
from runtime.progress import State
from runtime.recorder import Recorder
from runtime.spool import Kind
from runtime.tags import Pump, Request, Station, System
from tests.processes import until
from tests.runtime.by_hand import SIZE, Plant, spooled, steps


def test_edges_are_spooled_with_what_explains_them(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    columns = plant.columns
    plant.scan()
    stop = plant.take(0, Pump.EmergencyStop, 4, 1.0)
    columns[Station.Failsafe][1] = True
    columns[Station.PlanAge][1] = 1_234.5
    columns[Pump.Station][2] = 1
    columns[Pump.Limited][2] = 0b101
    columns[Pump.SpeedExtreme][2], columns[Pump.HighLimit][2] = 60.0, 50.0
    columns[Pump.LevelExtreme][2], columns[Pump.HardMinLevel][2] = 0.4, 0.5
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
    assert limited.body["limits"] == {"speed": [50.0, 60.0], "level": [0.5, 0.4]}
    assert (cleared.body["request"], cleared.body["reference"]) == (clear, stop)


def test_a_stop_that_a_successor_of_the_scan_tells_of_later_names_its_own_request(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    plant.scan()
    earlier = plant.take(0, Pump.EmergencyStop, 4, 1.0)
    plant.scan()
    clear = plant.take(1, Pump.EmergencyStop, 4, 0.0, reference=earlier)
    plant.scan()
    stop = plant.take(2, Pump.EmergencyStop, 4, 1.0)
    plant.columns[System.Scan][0] += 1  # the scan that took it was killed before it could tell
    plant.scan()
    steps(recorder)
    requests = [record.body.get("request") for record in spooled(places)]
    assert requests == [None, earlier, clear, stop]


def test_a_stop_goes_by_the_request_that_set_it_whoever_joined_it_before_it_was_told_of(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    plant.scan()
    stop = plant.take(0, Pump.EmergencyStop, 4, 1.0)
    plant.columns[System.Scan][0] += 1  # the scan that took it was killed before it could tell
    plant.take(1, Pump.EmergencyStop, 4, 1.0)
    plant.scan()
    steps(recorder)
    assert spooled(places)[-1].body["request"] == stop


def test_a_stop_and_its_clearing_go_by_their_own_requests_in_an_image_that_is_younger(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    plant.scan()
    asked = []
    for row in range(0, 6, 3):
        asked.append(plant.take(row, Pump.EmergencyStop, 4, 1.0))
        plant.take(row + 1, Pump.EmergencyStop, 4, 1.0)
        plant.scan()
        asked.append(plant.take(row + 2, Pump.EmergencyStop, 4, 0.0, reference=asked[-1]))
        plant.scan()
    plant.take(6, Pump.EmergencyStop, 4, 1.0)
    plant.image.publish(plant.columns.arena)
    steps(recorder)
    _, *edges = spooled(places)
    assert [edge.body["request"] for edge in edges] == asked


def test_a_stop_is_told_of_with_its_request_when_the_image_has_room_for_it_no_more(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    plant.scan()
    stop = plant.take(0, Pump.EmergencyStop, 4, 1.0)
    plant.columns[System.Scan][0] += 1
    plant.take(0, Pump.Mode, 1, 1.0)  # in the row of the first
    plant.columns[Request.Id][0] += 1_000
    plant.scan()
    steps(recorder)
    found = {edge.body["tag"]: edge.body.get("request") for edge in spooled(places)}
    assert found["Pump.EmergencyStop"] == stop


def test_the_state_of_an_alarm_is_recorded_with_the_request_that_it_follows_from(
    places: Places, plant: Plant, recorder: Recorder
) -> None:
    state = Pump.tag(Pump.Failed.state)
    plant.columns[state][4] = AlarmState.CLEARED
    plant.scan()
    asked = plant.take(0, state, 4, AlarmState.ACKNOWLEDGED)
    plant.columns[state][4] = AlarmState.NORMAL  # what becomes of it
    plant.scan()
    steps(recorder)
    *_, edge = spooled(places)
    assert (edge.kind, edge.body["tag"]) == (Kind.SAFETY, "Pump.FailedState")
    assert (edge.body["old"], edge.body["new"]) == (3.0, 0.0)
    assert edge.body["request"] == asked


def limits_recorded(
    places: Places, plant: Plant, recorder: Recorder, old: Sequence[str], new: Sequence[str]
) -> dict[str, list[float]]:
    """What is recorded of the limits of pump 2 as they change."""
    for words in (old, new):
        plant.columns[Pump.Limited][2] = sum(1 << Pump.Limited.number(word) for word in words)
        plant.scan()
        steps(recorder)
    found: dict[str, list[float]] = spooled(places)[-1].body["limits"]
    return found


@pytest.fixture
def measured(plant: Plant) -> Plant:
    """A plant whose pump 2, of station 1, has limits and measures all of its own."""
    columns = plant.columns
    columns[Pump.Station][2] = 1
    for number, tag in enumerate(
        (
            *(Pump.HighLimit, Pump.SpeedExtreme, Pump.LowLimit),
            *(Pump.MaxSpeedChange, Pump.RateExtreme, Pump.LevelExtreme),
            *(Pump.HardMaxPower, Pump.PowerExtreme, Pump.HardMaxFlow, Pump.FlowExtreme),
            *(Pump.MaxStartsPerHour, Pump.StartsLastHour, Pump.MinOff, Pump.OffTime),
            *(Pump.MinRun, Pump.RunTime, Pump.MaxRun),
            *(Pump.StartLevel, Pump.StopLevel, Pump.AllRunLevel, Pump.LostExtreme),
        ),
        1,
    ):
        columns[tag][2] = number
    columns[Pump.HardMinLevel][2], columns[Pump.EmergencyStopLevel][2] = 31.0, 30.0
    columns[Pump.DryRunLevel][2], columns[Pump.HardMaxLevel][2] = 32.0, 33.0
    columns[Pump.GuardExtreme][2], columns[Station.LevelHold][1] = 34.0, 35.0
    return plant


def test_a_limit_that_begins_to_act_is_recorded_with_its_value_and_how_far_it_went(
    places: Places, measured: Plant, recorder: Recorder
) -> None:
    flags = Pump.Limited.flags or {}
    assert limits_recorded(places, measured, recorder, [], list(flags.values())) == {
        "speed": [1.0, 2.0],
        "rate": [4.0, 5.0],
        "level": [32.0, 6.0],
        "power": [7.0, 8.0],
        "flow": [9.0, 10.0],
        "starts per hour": [11.0, 12.0],
        "minimum off time": [13.0, 14.0],
        "minimum run time": [15.0, 16.0],
        "maximum run time": [17.0, 16.0],
        "level guard": [20.0, 34.0],
        "level lost": [35.0, 21.0],
    }


def test_a_limit_that_ceases_to_act_is_recorded_with_its_extreme(
    places: Places, measured: Plant, recorder: Recorder
) -> None:
    flags = Pump.Limited.flags or {}
    assert limits_recorded(places, measured, recorder, list(flags.values()), []) == {
        "speed": [1.0, 2.0],
        "rate": [4.0, 5.0],
        "level": [32.0, 6.0],
        "power": [7.0, 8.0],
        "flow": [9.0, 10.0],
        "level guard": [20.0, 34.0],
        "level lost": [35.0, 21.0],
    }


def test_only_limits_that_changed_are_explained(
    places: Places, measured: Plant, recorder: Recorder
) -> None:
    found = limits_recorded(places, measured, recorder, ["power", "flow"], ["power", "rate"])
    assert found == {"flow": [9.0, 10.0], "rate": [4.0, 5.0]}


def test_a_demand_below_the_lowest_speed_is_held_against_that(
    places: Places, measured: Plant, recorder: Recorder
) -> None:
    measured.columns[Pump.SpeedExtreme][2] = 0.5
    assert limits_recorded(places, measured, recorder, [], ["speed"]) == {"speed": [3.0, 0.5]}


def test_the_level_that_trips_a_filling_pump_is_its_lower_upper_one(
    places: Places, measured: Plant, recorder: Recorder
) -> None:
    measured.columns[Station.FlowDirection][1] = Station.FlowDirection.number("filling")
    assert limits_recorded(places, measured, recorder, [], ["level"]) == {"level": [30.0, 6.0]}


@pytest.mark.parametrize(
    ("guards", "level"),
    [
        (["start level"], 18.0),
        (["stop level"], 19.0),
        (["all-run level"], 20.0),
        (["start level", "all-run level", "maximum run time"], 20.0),
    ],
)
def test_a_level_guard_is_recorded_with_the_level_that_it_guards(
    places: Places, measured: Plant, recorder: Recorder, guards: list[str], level: float
) -> None:
    bits = sum(1 << Pump.Guarded.number(word) for word in guards)
    measured.columns[Pump.Guarded][2] = bits
    found = limits_recorded(places, measured, recorder, [], ["level guard"])
    assert found == {"level guard": [level, 34.0]}


@pytest.mark.parametrize("filling", [False, True])
@pytest.mark.parametrize(
    ("reached", "guard"), [(0.4, 0.5), (0.5, 0.5), (0.6, 2.0), (2.9, 2.0), (3.0, 3.0), (3.1, 3.0)]
)
def test_a_level_guard_that_ceased_is_the_last_that_the_level_reached(
    places: Places,
    measured: Plant,
    recorder: Recorder,
    filling: bool,
    reached: float,
    guard: float,
) -> None:
    sign = -1.0 if filling else 1.0
    columns = measured.columns
    columns[Station.FlowDirection][1] = filling
    levels = {Pump.StopLevel: 0.5, Pump.StartLevel: 2.0, Pump.AllRunLevel: 3.0}
    for tag, level in (levels | {Pump.GuardExtreme: reached}).items():
        columns[tag][2] = sign * level
    found = limits_recorded(places, measured, recorder, ["level guard"], [])
    assert found == {"level guard": [sign * guard, sign * reached]}


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
