"""Alarms: active while their tag is true, with the time they began, and counted."""

from __future__ import annotations

import pytest

from blocks.alarms import Alarms
from runtime.tag import Tag
from runtime.tags import ALARMS, SHOWN, DeclaredAlarm, Pump, Station, System
from tests.blocks.alone import Alone
from tests.plc import Plc

UTC = 1.8e9


@pytest.fixture
def alarms() -> Alone:
    alarms = Alone(Alarms)
    alarms[System.TimeUtc][0] = UTC
    alarms[System.MemoryAge][0] = System.MemoryAge.high
    alarms.step()
    assert counts(alarms) == (0, [0, 0])
    return alarms


def counts(image: Alone | Plc) -> tuple[int, list[int]]:
    return int(image[System.ActiveAlarms][0]), image[Station.ActiveAlarms].tolist()


def since(tag: Tag) -> Tag:
    (table,) = (table for table in SHOWN if table.__name__ == tag.table)
    return table.tag(tag.since)


@pytest.mark.parametrize("declared", ALARMS, ids=lambda declared: repr(declared.tag))
def test_every_declared_alarm_counts_where_it_belongs_and_keeps_the_time_of_its_beginning(
    alarms: Alone, declared: DeclaredAlarm
) -> None:
    tag, since = declared.tag, declared.since
    raised, ended = (1 + int(delay) for delay in delays(declared))  # scans, of 1 s
    last = len(alarms[tag]) - 1  # the only row of the system, station 1, pump 3 of station 1
    alarms[tag][last] = True
    alarms.step(raised)
    assert alarms[since][last] == UTC
    assert counts(alarms) == (1, [0, 0 if tag.table == "System" else 1])
    alarms[System.TimeUtc][0] += 60.0
    alarms.step()
    assert alarms[since][last] == UTC
    assert counts(alarms)[0] == 1, "still one"
    alarms[tag][last] = False
    alarms.step(ended)
    assert alarms[since][last] == 0.0
    assert counts(alarms) == (0, [0, 0])
    alarms[tag][last] = True
    alarms.step(raised)
    assert alarms[since][last] == UTC + 60.0


def delays(declared: DeclaredAlarm) -> tuple[float, float]:
    return declared.alarm.on_delay, declared.alarm.off_delay


def test_alarms_add_up(alarms: Alone) -> None:
    alarms[Pump.FeedbackLost][:2] = True
    alarms[Pump.EmergencyStop][[0, 3]] = True
    alarms[Station.Failsafe][1] = True
    alarms[System.EmergencyStop][0] = True
    alarms[System.DatabaseLost][0] = True
    alarms.step()
    assert counts(alarms) == (7, [3, 2])


def test_a_retired_pump_has_no_alarms_and_its_stop_is_remembered(alarms: Alone) -> None:
    alarms[Pump.EmergencyStop][0] = True
    alarms.step()
    alarms[Pump.Configured][0] = False
    alarms.step()
    assert counts(alarms) == (0, [0, 0])
    assert alarms[Pump.EmergencyStopSince][0] == 0.0
    alarms[Pump.Configured][0] = True
    alarms.step()
    assert counts(alarms) == (1, [1, 0])


def test_a_retired_station_has_no_alarms_of_its_own(alarms: Alone) -> None:
    alarms[Station.Configured][1] = False
    alarms[Station.EmergencyStop][:] = True
    alarms.step()
    assert counts(alarms) == (1, [1, 0])
    assert alarms[Station.EmergencyStopSince].tolist() == [UTC, 0.0]


def test_a_pump_of_no_station_counts_all_the_same(alarms: Alone) -> None:
    alarms[Pump.Station][:] = [-1, 0, 1, 99]
    alarms[Pump.Failed][:] = True
    alarms.step()
    assert counts(alarms) == (4, [2, 2])


def test_the_wall_clock_may_step_without_changing_when_an_alarm_began(alarms: Alone) -> None:
    alarms[Pump.EmergencyStop][0] = True
    alarms.step()
    alarms[System.TimeUtc][0] -= 3600.0
    alarms.step()
    assert alarms[Pump.EmergencyStopSince][0] == UTC


def test_what_happens_in_a_scan_is_an_alarm_of_the_same_scan() -> None:
    plc = Plc(period=1.0)
    for slot in range(4):
        plc.plan(slot, speed=45.0, seconds=1e9)
    plc.before_scan = lose_the_database
    plc.step()
    plc.ask(System.EmergencyStop, 0, 1)
    plc.ask(Station.EmergencyStop, 1, 1)
    plc.ask(Pump.EmergencyStop, 0, 1)
    plc[Station.PlanTime][0] = 0.0
    plc.step()
    for tag, slot in (
        (System.EmergencyStop, 0),
        (System.DatabaseLost, 0),
        (Station.EmergencyStop, 1),
        (Station.Failsafe, 0),
        (Pump.EmergencyStop, 0),
    ):
        assert plc[since(tag)][slot] == plc[System.TimeUtc][0], tag
    assert counts(plc) == (5, [2, 1])


def lose_the_database(plc: Plc) -> None:
    plc[System.DatabaseTime][0] = plc[System.Now][0] - (3.5 if plc[System.Scan][0] > 1 else 0.0)
