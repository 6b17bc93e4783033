"""Level control of several pumps: one controller, one speed, and no bump when the lead changes."""

from __future__ import annotations

import pytest

from blocks.level_control import LevelControl
from runtime.tag import Quality, Tag
from runtime.tags import Pump, Station
from tests.blocks.alone import Alone

TARGET, GAIN, RESET = 1.2, 20.0, 100.0
LOW, HIGH = 25.0, 50.0
SECOND = 1  # the second station


@pytest.fixture
def group() -> Alone:
    """Pumps 0 and 1 run at 40 Hz at the target; pump 0 leads. Pumps 2 and 3 stand."""
    alone = Alone(LevelControl)
    for tag, value in {
        Station.Level: TARGET,
        Station.LevelQuality: Quality.GOOD,
        Pump.LevelEngaged: True,
        Pump.TargetLevel: TARGET,
        Pump.LevelGain: GAIN,
        Pump.LevelResetTime: RESET,
        Pump.LevelTrackingTime: 60.0,
        Pump.LowLimit: LOW,
        Pump.HighLimit: HIGH,
    }.items():
        alone[tag][:] = value
    alone[Pump.LevelRun][:2] = True
    alone[Pump.Setpoint][:2] = 40.0
    alone[Station.LeadPump][0], alone[Station.PumpsWanted][0] = 1, 2
    step(alone)
    return alone


def step(group: Alone, count: int = 1) -> None:
    for _ in range(count):
        group.step()
        group[Pump.Setpoint][:] = group[Pump.LevelDemand]


def test_all_that_run_have_the_speed_of_the_lead_and_the_others_stand(group: Alone) -> None:
    group[Station.Level][0] += 0.1
    step(group)
    expected = 40.0 + GAIN / 2 * 0.1 * (1.0 + 1.0 / RESET)
    assert list(group[Pump.LevelDemand]) == pytest.approx([expected, expected, 0.0, 0.0])
    assert list(group[Pump.LevelPumps]) == [2, 0, 0, 0]


def test_only_the_parameters_and_the_target_of_the_lead_count(group: Alone) -> None:
    group[Pump.TargetLevel][1] = 0.0
    group[Pump.LevelGain][1] = 1000.0
    step(group, 10)
    assert list(group[Pump.LevelDemand][:2]) == [40.0, 40.0]


def test_each_pump_stays_inside_its_own_limits(group: Alone) -> None:
    group[Pump.HighLimit][1] = 38.0
    step(group)
    assert list(group[Pump.LevelDemand][:2]) == [40.0, 38.0]
    group[Pump.LowLimit][1] = group[Pump.HighLimit][1] = 45.0
    step(group)
    assert list(group[Pump.LevelDemand][:2]) == [40.0, 45.0]


def test_a_new_lead_goes_on_where_the_old_one_was(group: Alone) -> None:
    group[Station.Level][0] += 0.1
    step(group, 50)
    before = float(group[Pump.LevelDemand][0])
    group[Pump.LevelGain][1] = 55.0
    group[Pump.TargetLevel][1] = 0.7
    group[Station.LeadPump][0] = 2
    step(group)
    assert list(group[Pump.LevelDemand][:2]) == pytest.approx([before, before], abs=1e-12)
    step(group)
    integrated = 55.0 / 2 * 0.6 / RESET
    assert group[Pump.LevelDemand][0] == pytest.approx(before + integrated, abs=1e-9)


def test_while_a_station_has_no_lead_its_pumps_keep_their_speed(group: Alone) -> None:
    """For the one scan between the stop of the lead and the choice of another."""
    group[Pump.LevelRun][0] = False
    group[Station.Level][0] += 0.5
    step(group)
    assert list(group[Pump.LevelDemand][:2]) == [0.0, 40.0]


def test_a_pump_that_others_are_in_charge_of_is_left_as_it_is(group: Alone) -> None:
    group[Pump.LevelEngaged][1] = False
    group[Pump.Setpoint][1] = 33.0
    group[Station.PumpsWanted][0] = 1
    step(group)
    assert list(group[Pump.LevelDemand][:2]) == [40.0, 33.0]


@pytest.mark.parametrize("tag", [Pump.LevelIntegral, Pump.LevelOutput])
def test_a_pump_that_does_not_lead_tracks_what_is_in_force(group: Alone, tag: Tag) -> None:
    group[Pump.Setpoint][1] = 44.0
    group[Pump.LevelEngaged][1] = False
    group[Station.Level][:] += 0.1
    step(group)
    proportional = GAIN * 0.1
    expected = 44.0 if tag is Pump.LevelOutput else 44.0 - proportional
    assert group[tag][1] == pytest.approx(expected, abs=1e-12)
    assert group[tag][2] == pytest.approx(expected - 44.0 + LOW, abs=1e-12), "it would start so"


def test_a_station_that_leads_does_not_move_another(group: Alone) -> None:
    group[Station.Level][SECOND] += 5.0
    group[Pump.LevelRun][3] = True
    group[Station.LeadPump][SECOND], group[Station.PumpsWanted][SECOND] = 4, 1
    step(group, 5)
    assert list(group[Pump.LevelDemand][:3]) == [40.0, 40.0, 0.0]
    assert group[Pump.LevelDemand][3] > LOW
