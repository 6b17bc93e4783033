"""Alarms: active while their tag is true, with the time they began, and counted."""

from __future__ import annotations

import math

import pytest

from runtime.tag import Tag
from runtime.tags import SHOWN, Pump, Station, System
from tests.plc import Plc


@pytest.fixture
def plc() -> Plc:
    plc = Plc(period=1.0)
    for slot in range(4):
        plc.plan(slot, speed=45.0, seconds=1e9)
    plc.before_scan = follow
    plc.run_for(60.0)
    assert plc[System.ActiveAlarms][0] == 0
    return plc


def follow(plc: Plc) -> None:
    plc[Pump.MeasuredSpeed][:] = plc[Pump.Setpoint]


def counts(plc: Plc) -> tuple[int, list[int]]:
    return int(plc[System.ActiveAlarms][0]), plc[Station.ActiveAlarms].tolist()


@pytest.mark.parametrize(
    ("tag", "slot", "expected"),
    [
        (System.EmergencyStop, 0, (1, [0, 0])),
        (Station.EmergencyStop, 1, (1, [0, 1])),
        (Pump.EmergencyStop, 2, (1, [0, 1])),
    ],
)
def test_an_alarm_counts_where_it_belongs_and_keeps_the_time_of_its_beginning(
    plc: Plc, tag: Tag, slot: int, expected: tuple[int, list[int]]
) -> None:
    (since,) = (table.tag(tag.since) for table in SHOWN if table.__name__ == tag.table)
    stop = plc.ask(tag, slot, 1)
    plc.step()
    began = plc[System.TimeUtc][0]
    plc.run_for(60.0)
    assert counts(plc) == expected
    assert plc[since][slot] == began
    plc.ask(tag, slot, 0, reference=stop)
    plc.step()
    assert plc[since][slot] == 0.0
    plc.ask(tag, slot, 1)
    plc.step()
    assert plc[since][slot] == plc[System.TimeUtc][0] > began


def test_alarms_add_up(plc: Plc) -> None:
    plc[Pump.MeasuredLevel][:2] = math.nan
    plc[Station.PlanTime][1] = 0.0
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc.ask(Pump.EmergencyStop, 3, 1)
    plc.ask(System.EmergencyStop, 0, 1)
    plc.step()
    assert plc[Pump.FeedbackLost].tolist() == [True, True, False, False]
    assert counts(plc) == (6, [3, 2])


def test_a_retired_pump_has_no_alarms_and_its_stop_is_remembered(plc: Plc) -> None:
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step()
    plc[Pump.Configured][0] = False
    plc.step()
    assert counts(plc) == (0, [0, 0])
    assert plc[Pump.EmergencyStopSince][0] == 0.0
    plc[Pump.Configured][0] = True
    plc.step()
    assert counts(plc) == (1, [1, 0])


def test_a_trip_by_level_is_an_alarm_of_each_pump_that_it_stops(plc: Plc) -> None:
    plc[Pump.MeasuredLevel][:2] = 0.2
    plc.step()
    assert counts(plc) == (2, [2, 0])
    assert (plc[Pump.LevelTripSince][:2] == plc[System.TimeUtc][0]).all()


def test_a_lost_database_is_an_alarm_of_the_system(plc: Plc) -> None:
    def lose(plc: Plc) -> None:
        follow(plc)
        plc[System.DatabaseTime][0] = plc[System.Now][0] - 3.5

    plc.before_scan = lose
    plc.step()
    assert plc[System.DatabaseLost][0]
    assert counts(plc) == (1, [0, 0])


def test_the_wall_clock_may_step_without_changing_when_an_alarm_began(plc: Plc) -> None:
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc.step()
    began = plc[Pump.EmergencyStopSince][0]
    plc.clock.step_utc(-3600.0)
    plc.step(2)
    assert plc[Pump.EmergencyStopSince][0] == began
