"""Watchdog: a station without plans, or a database without answers, is noticed by its age."""

from __future__ import annotations

import math

import pytest

from blocks.watchdog import Watchdog
from runtime.alarm import AlarmState
from runtime.tags import FOREVER, NUMBER, Request, Station, System
from tests.blocks.alone import Alone
from tests.blocks.panel import ALARM, Panel

LOST = True
NORMAL, SUPPRESSED, UNACKNOWLEDGED = (
    AlarmState.NORMAL,
    AlarmState.SUPPRESSED,
    AlarmState.UNACKNOWLEDGED,
)


class Plant(Panel):
    """An alarm panel with its watchdog, after a cold start."""

    def __init__(self) -> None:
        super().__init__()
        self.watchdog = Watchdog(self.columns)
        self.answers = False
        self.seen: set[AlarmState] = set()
        self[System.MemoryAge][0] = 0.0

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds / self.period)):
            if self.answers:
                self[System.DatabaseTime][0] = self.now
            self.watchdog.execute()
            self.step()
            self.seen.add(self.state(System.DatabaseLost))

    @property
    def said(self) -> tuple[bool, AlarmState]:
        return bool(self[System.DatabaseLost][0]), self.state(System.DatabaseLost)


@pytest.fixture
def watch() -> Alone:
    watch = Alone(Watchdog)
    watch[Station.WatchdogTimeout][:] = [1200.0, 60.0]
    return watch


@pytest.mark.parametrize(
    ("age", "failsafe"),
    [
        (-5.0, [False, False]),
        (0.0, [False, False]),
        (59.9, [False, False]),
        (60.0, [False, True]),
        (1199.9, [False, True]),
        (1200.0, [True, True]),
        (1e12, [True, True]),
    ],
)
def test_each_station_has_its_own_patience_and_loses_it_to_the_scan(
    watch: Alone, age: float, failsafe: list[bool]
) -> None:
    watch[System.Now][0] = 0.0
    watch[Station.PlanTime][:] = watch.period - age
    watch.step()
    assert watch[Station.Failsafe].tolist() == failsafe
    assert watch[Station.PlanAge].tolist() == pytest.approx([min(max(age, 0.0), FOREVER)] * 2)


@pytest.mark.parametrize("time", [0.0, -0.0, math.nan, -math.inf, -1e308])
def test_a_plan_that_never_came_is_as_old_as_can_be(watch: Alone, time: float) -> None:
    watch[Station.PlanTime][:] = time
    watch[System.DatabaseTime][0] = time
    watch.step()
    assert watch[Station.PlanAge].tolist() == [FOREVER, FOREVER]
    assert watch[Station.Failsafe].tolist() == [True, True]
    assert watch[System.DatabaseAge][0] == FOREVER
    assert watch[System.DatabaseLost][0]


def test_the_first_plan_that_comes_ends_failsafe(watch: Alone) -> None:
    watch.step()
    assert watch[Station.Failsafe].all()
    watch[Station.PlanTime][0] = watch.now
    watch.step()
    assert watch[Station.Failsafe].tolist() == [False, True]


@pytest.mark.parametrize("timeout", [math.nan, 0.0, -1.0])
def test_a_timeout_that_is_none_tolerates_nothing(watch: Alone, timeout: float) -> None:
    watch[Station.WatchdogTimeout][0] = timeout
    watch[Station.PlanTime][:] = watch.now
    watch.step()
    assert watch[Station.Failsafe].tolist() == [True, False]


def test_a_station_that_is_not_in_use_is_not_in_failsafe(watch: Alone) -> None:
    watch[Station.Configured][0] = False
    watch.step()
    assert watch[Station.Failsafe].tolist() == [False, True]


def alive(watch: Alone, count: int) -> None:
    """A request of SCADA that this scan has admitted."""
    row = int(watch[System.Requests][0])
    watch[Request.Tag][row] = NUMBER[System.Heartbeat]
    watch[Request.Value][row] = count
    watch[Request.Result][row] = Request.Result.number("executed")
    watch[System.Requests][0] = row + 1
    watch[System.RequestsTaken][0] = 1


@pytest.mark.parametrize(
    ("without_scada", "lost", "failsafe"),
    [("none", False, False), ("alarm", True, False), ("default", True, True)],
)
def test_a_heartbeat_that_never_comes_or_stands_still_leads_to_what_is_set(
    without_scada: str, lost: bool, failsafe: bool
) -> None:
    watch = Alone(Watchdog, scada_timeout=3.0, without_scada=without_scada)
    watch[Station.WatchdogTimeout][:] = 1e6
    watch[Station.PlanTime][:] = watch.now

    def lives() -> bool:
        late = bool(watch[System.HeartbeatAge][0] >= 3.0)
        assert watch[System.ScadaLost][0] == (late and lost)
        assert watch[Station.Failsafe].tolist() == [late and failsafe] * 2
        return not late

    watch.step(3)
    assert lives()  # there is patience from the first scan on
    watch.step()
    assert not lives()
    alive(watch, 7)
    watch.step()
    assert lives()
    watch[System.RequestsTaken][0] = 0
    watch.step(2)
    alive(watch, 7)  # a gateway may repeat what it was last told
    watch.step()
    assert not lives()
    alive(watch, 8)
    watch.step()
    assert lives()


def test_requests_of_other_kinds_or_refused_are_no_sign_of_life(watch: Alone) -> None:
    watch.step()
    alive(watch, 5)
    watch[Request.Tag][0] = NUMBER[System.EmergencyStop]
    watch.step()
    alive(watch, 5)
    watch[Request.Result][1] = Request.Result.number("value out of range")
    watch.step()
    assert (watch[System.Heartbeat][0], watch[System.HeartbeatAge][0]) == (0, 2.0)


@pytest.mark.parametrize(("age", "lost"), [(0.0, False), (3.0, False), (3.1, True)])
def test_a_database_is_lost_after_3_s(watch: Alone, age: float, lost: bool) -> None:
    watch[System.DatabaseTime][0] = watch.now + watch.period - age
    watch.step()
    assert watch[System.DatabaseAge][0] == pytest.approx(age)
    assert watch[System.DatabaseLost][0] == lost


def test_the_loss_of_the_database_is_no_news_for_10_s_after_a_cold_start() -> None:
    plant = Plant()
    plant.run(9.0)
    assert plant.said == (LOST, SUPPRESSED)
    plant.run(2.0)
    assert plant.said == (LOST, UNACKNOWLEDGED)


def test_a_database_that_is_found_in_time_is_never_said_to_have_been_lost() -> None:
    plant = Plant()
    plant.run(9.0)
    plant.answers = True
    plant.run(40.0)
    assert plant.said == (not LOST, NORMAL)
    assert plant.seen == {SUPPRESSED, NORMAL}


def test_a_database_that_was_found_after_a_cold_start_is_lost_after_3_s_again() -> None:
    plant = Plant()
    plant.answers = True
    plant.run(5.0)
    plant.answers = False
    plant.run(3.0)
    assert plant.said == (not LOST, NORMAL)
    plant.run(1.0)
    assert plant.said == (LOST, UNACKNOWLEDGED)


def test_a_database_lost_again_before_its_first_alarm_is_over_is_announced_at_once() -> None:
    plant = Plant()
    plant.run(5.0)
    plant.answers = True
    plant.run(10.0)
    assert plant.said == (not LOST, SUPPRESSED)
    plant.answers = False
    plant.run(4.0)
    assert plant.said == (LOST, UNACKNOWLEDGED)


def test_what_was_announced_before_a_cold_start_stays_announced() -> None:
    plant = Plant()
    plant[ALARM[System.DatabaseLost].state][0] = UNACKNOWLEDGED
    plant.run(2.0)
    assert plant.said == (LOST, UNACKNOWLEDGED)
