"""Supervision: a pump that does something else than it is told is noticed, and not too soon."""

from __future__ import annotations

import pytest

from blocks.supervision import Supervision
from runtime.tag import Tag
from runtime.tags import Pump, System
from tests.blocks.alone import Alone

FOLLOWS: dict[Tag, float] = {
    Pump.Setpoint: 45.0,
    Pump.LowLimit: 25.0,
    Pump.Running: True,
    Pump.RunningQuality: 2,
    Pump.Speed: 45.0,
    Pump.SpeedQuality: 2,
    Pump.Power: 30.0,
    Pump.PowerQuality: 2,
    Pump.ExpectedPower: 30.0,
    Pump.Flow: 200.0,
    Pump.FlowQuality: 2,
    Pump.HardMaxFlow: 400.0,
}
STANDS: dict[Tag, float] = {
    Pump.Setpoint: 0.0,
    Pump.Running: False,
    Pump.Speed: 0.0,
    Pump.Power: 0.0,
    Pump.Flow: 0.0,
    Pump.ExpectedPower: 0.0,
}
AT_FAULT: dict[Tag, dict[Tag, float]] = {
    Pump.NotFollowing: {Pump.Speed: 42.9},
    Pump.RunsUncommanded: {**STANDS, Pump.Running: True},
    Pump.NoFlow: {Pump.Flow: 19.9},
    Pump.PowerDeviates: {Pump.Power: 39.1},
    Pump.Failed: {**STANDS, Pump.Setpoint: 25.0, Pump.SpeedQuality: 0},
}
DELAYS = {
    Pump.NotFollowing: 15,
    Pump.RunsUncommanded: 15,
    Pump.NoFlow: 60,
    Pump.PowerDeviates: 60,
    Pump.Failed: 30,
}
TIMES = {
    Pump.NotFollowing: Pump.DeviationTime,
    Pump.RunsUncommanded: Pump.UncommandedTime,
    Pump.NoFlow: Pump.NoFlowTime,
    Pump.PowerDeviates: Pump.PowerDeviationTime,
    Pump.Failed: Pump.FailedTime,
}


def change(station: Alone, values: dict[Tag, float]) -> None:
    for tag, value in values.items():
        station[tag][0] = value


@pytest.fixture
def station() -> Alone:
    """Pump 0 runs at 45 Hz as it is asked to; every second is a scan."""
    station = Alone(Supervision)
    change(station, FOLLOWS)
    return station


def found(station: Alone) -> list[Tag]:
    """What pump 0 is found to do wrong; its neighbour has done nothing."""
    assert not any(station[tag][1] for tag in AT_FAULT)
    return [tag for tag in AT_FAULT if station[tag][0]]


def test_a_pump_that_does_what_it_is_told_is_left_alone(station: Alone) -> None:
    station.step(10_000)
    assert found(station) == []
    change(station, STANDS)
    station.step(10_000)
    assert found(station) == []


@pytest.mark.parametrize("fault", AT_FAULT, ids=repr)
def test_a_fault_is_found_after_its_delay_and_no_sooner(station: Alone, fault: Tag) -> None:
    change(station, AT_FAULT[fault])
    station.step(DELAYS[fault])
    assert found(station) == []
    station.step()
    assert found(station) == [fault]
    change(station, FOLLOWS)
    station.step()
    assert found(station) == []
    assert station[TIMES[fault]][0] == 0.0


@pytest.mark.parametrize("fault", AT_FAULT, ids=repr)
def test_each_time_that_a_fault_ends_its_delay_begins_anew(station: Alone, fault: Tag) -> None:
    for _ in range(5):
        change(station, AT_FAULT[fault])
        station.step(DELAYS[fault])
        change(station, FOLLOWS)
        station.step()
    assert found(station) == []


WITHIN: dict[str, dict[Tag, float]] = {
    "slow by the tolerance": {Pump.Speed: 43.0},
    "fast by the tolerance": {Pump.Speed: 47.0},
    "the least flow": {Pump.Flow: 20.0},
    "the least power": {Pump.Power: 21.0},
    "the most power": {Pump.Power: 39.0},
    "any power where nothing is expected": {Pump.Power: 300.0, Pump.ExpectedPower: 0.0},
    "no flow below the lowest speed": {**FOLLOWS, Pump.LowLimit: 45.1, Pump.Flow: 0.0},
    "no flow where none is asked for": {
        **STANDS,
        Pump.Running: True,
        Pump.LocalControl: True,
        Pump.LowLimit: 0.0,
    },
}


@pytest.mark.parametrize("what", WITHIN)
def test_what_is_within_bounds_is_no_fault(station: Alone, what: str) -> None:
    change(station, WITHIN[what])
    station.step(1000)
    assert found(station) == []


@pytest.mark.parametrize(("speed", "power"), [(47.1, 30.0), (0.0, 30.0), (45.0, 20.9)])
def test_too_fast_is_as_bad_as_too_slow(station: Alone, speed: float, power: float) -> None:
    change(station, {Pump.Speed: speed, Pump.Power: power})
    station.step(61)
    assert len(found(station)) == 1


def test_a_pump_that_moves_nothing_at_its_lowest_speed_is_found(station: Alone) -> None:
    change(station, {Pump.Setpoint: 25.0, Pump.Speed: 25.0, Pump.Flow: 0.0})
    station.step(61)
    assert found(station) == [Pump.NoFlow]


def test_the_power_of_a_pump_that_does_not_follow_is_not_judged(station: Alone) -> None:
    change(station, {Pump.Speed: 40.0, Pump.Power: 90.0})
    station.step(1000)
    assert found(station) == [Pump.NotFollowing]


EXCUSES: list[tuple[Tag, Tag, float]] = [
    (Pump.NotFollowing, Pump.SpeedQuality, 1),
    (Pump.NotFollowing, Pump.LocalControl, True),
    (Pump.RunsUncommanded, Pump.RunningQuality, 0),
    (Pump.RunsUncommanded, Pump.LocalControl, True),
    (Pump.NoFlow, Pump.RunningQuality, 0),
    (Pump.NoFlow, Pump.Running, False),
    (Pump.NoFlow, Pump.FlowQuality, 1),
    (Pump.PowerDeviates, Pump.RunningQuality, 0),
    (Pump.PowerDeviates, Pump.Running, False),
    (Pump.PowerDeviates, Pump.PowerQuality, 1),
    (Pump.PowerDeviates, Pump.SpeedQuality, 1),
    (Pump.Failed, Pump.RunningQuality, 0),
    (Pump.Failed, Pump.LocalControl, True),
    *((fault, Pump.Configured, False) for fault in AT_FAULT),
]


@pytest.mark.parametrize(("fault", "excuse", "value"), EXCUSES)
def test_a_pump_with_an_excuse_is_not_blamed(
    station: Alone, fault: Tag, excuse: Tag, value: float
) -> None:
    change(station, AT_FAULT[fault])
    station.step(DELAYS[fault])
    station[excuse][0] = value
    station.step(20)
    assert fault not in found(station)
    assert station[TIMES[fault]][0] == 0.0


def test_a_failed_pump_is_tried_again_after_a_while(station: Alone) -> None:
    change(station, AT_FAULT[Pump.Failed])
    station.step(31)
    station[Pump.Setpoint][0] = 0.0
    station.step(1799)
    assert found(station) == [Pump.Failed]
    station.step()
    assert found(station) == []
    change(station, AT_FAULT[Pump.Failed])
    station.step(30)
    assert found(station) == []
    station.step()
    assert found(station) == [Pump.Failed]


@pytest.mark.parametrize("heard", [False, True])
def test_a_failed_pump_is_cleared_by_running_where_that_is_known(
    station: Alone, heard: bool
) -> None:
    change(station, AT_FAULT[Pump.Failed])
    station.step(31)
    station[Pump.Running][0] = True
    station[Pump.RunningQuality][0] = 2 * heard
    station.step()
    assert (found(station) == []) == heard


def test_a_failed_pump_stays_failed_while_time_stands_still(station: Alone) -> None:
    change(station, AT_FAULT[Pump.Failed])
    station.step(31)
    station[System.Elapsed][0] = 0.0
    station.step()
    assert found(station) == [Pump.Failed]


def test_settings_say_what_is_a_fault_and_when() -> None:
    station = Alone(
        Supervision,
        tolerance=10.0,
        delay=2.0,
        start_delay=3.0,
        retry=4.0,
        no_flow=0.5,
        power_tolerance=2.0,
        flow_delay=5.0,
    )
    change(station, {**FOLLOWS, Pump.Speed: 35.0, Pump.Power: 90.0, Pump.Flow: 199.0})
    station.step(5)
    assert found(station) == []
    station.step()
    assert found(station) == [Pump.NoFlow]
    change(station, {Pump.Speed: 34.9, Pump.Running: False})
    station.step(3)
    assert found(station) == [Pump.NotFollowing]
    station.step()
    assert found(station) == [Pump.NotFollowing, Pump.Failed]
    station.step(4)
    assert found(station) == [Pump.NotFollowing]
