"""Alarms as the image shows them: keys, what has been said of them, what they are judged by."""

from __future__ import annotations

import pytest

from config import Config
from runtime.alarm import AlarmState
from runtime.alerts.evidence import EVIDENCE, seen
from runtime.alerts.occurrences import Occurrence, standing
from runtime.places import Places
from runtime.servers.mirror import View
from runtime.tags import ALARMS, FOREVER, DeclaredAlarm, Pump, Station, System
from tests.runtime.alerts.plant import Watched, configured
from tests.runtime.by_hand import SIZE


@pytest.fixture
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return configured(tmp_path_factory.mktemp("config"), {})


def found(places: Places) -> list[Occurrence]:
    """What a process that has just started sees."""
    view = View(places, SIZE)
    view.refresh()
    return list(standing(view))


def test_every_process_gives_an_occurrence_the_same_key(places: Places, watched: Watched) -> None:
    since = watched.raise_alarm(Pump.NoFlow, 3)
    (first,), (second,) = found(places), found(places)
    assert first.key == second.key == f"Pump.NoFlow/South/14/{since}"


def test_the_same_alarm_again_has_another_key(places: Places, watched: Watched) -> None:
    watched.raise_alarm(System.EmergencyStop)
    (first,) = found(places)
    watched.clear(System.EmergencyStop)
    assert found(places) == []
    watched.raise_alarm(System.EmergencyStop)
    (second,) = found(places)
    assert first.key != second.key


def test_an_alarm_with_a_delay_is_there_when_it_is_active_not_when_its_condition_holds(
    places: Places, watched: Watched
) -> None:
    watched.set(Pump.NotFollowing, 2, True)
    watched.plant.scan()
    assert found(places) == []
    watched.raise_alarm(Pump.NotFollowing, 2)
    watched.set(Pump.NotFollowing, 2, False)
    watched.plant.scan()
    assert len(found(places)) == 1


@pytest.mark.parametrize(
    ("state", "acknowledged", "silent"),
    [
        (AlarmState.UNACKNOWLEDGED, False, False),
        (AlarmState.ACKNOWLEDGED, True, False),
        (AlarmState.SHELVED, False, True),
        (AlarmState.SUPPRESSED, False, True),
        (AlarmState.OUT_OF_SERVICE, False, True),
        (AlarmState.LATCHED, False, False),
        (AlarmState.LATCHED_ACKNOWLEDGED, True, False),
    ],
)
def test_what_has_been_said_of_an_alarm_is_read_from_its_state(
    places: Places, watched: Watched, state: AlarmState, acknowledged: bool, silent: bool
) -> None:
    watched.raise_alarm(Station.Failsafe, 1)
    watched.set(Station.tag(Station.Failsafe.state), 1, state)
    watched.plant.scan()
    (one,) = found(places)
    assert (one.acknowledged, one.silent) == (acknowledged, silent)


def test_value_and_limits_are_told_with_names_and_units(
    places: Places, watched: Watched, configuration: Config
) -> None:
    columns = watched.plant.columns
    watched.set(Station.PlanAge, 1, 1201.0)
    watched.set(Station.WatchdogTimeout, 1, 1200.0)
    watched.set(Station.Level, 1, 0.412)
    watched.set(Pump.AllRunLevel, 3, 0.4)
    watched.set(Pump.FeedbackAge, 3, FOREVER)
    assert seen(columns, configuration, Station.Failsafe, 1) == (
        ["PlanAge 1201 s"],
        ["WatchdogTimeout 1200 s"],
    )
    assert seen(columns, configuration, Pump.AllRun, 3) == (
        ["Level 0.412 m"],
        ["AllRunLevel 0.4 m"],
    )
    assert seen(columns, configuration, Pump.FeedbackLost, 3) == ([], ["feedback.max_age 30 s"])
    assert seen(columns, configuration, System.EmergencyStop, 0) == ([], [])


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: repr(alarm.tag))
def test_what_an_alarm_is_judged_by_can_be_told_of_each(
    watched: Watched, configuration: Config, alarm: DeclaredAlarm
) -> None:
    value, limits = seen(watched.plant.columns, configuration, alarm.tag, 0)
    evidence = EVIDENCE.get(alarm.tag)
    assert len(value) == (evidence is not None)
    assert len(limits) == (len(evidence.limits) if evidence else 0)
