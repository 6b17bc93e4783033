"""Which role may what."""

from __future__ import annotations

import pytest

from runtime.alarm import AlarmState
from runtime.requests import Role
from runtime.security.permissions import RIGHTS, Permission, about, may, needed
from runtime.tag import Access, Tag
from runtime.tags import ALARM_OF_STATE, TAGS, Pump, System


def test_each_role_may_what_the_one_before_may_but_the_administrator_controls_nothing() -> None:
    viewer, operator, engineer = (RIGHTS[role] for role in list(Role)[:3])
    assert viewer < operator < engineer
    assert RIGHTS[Role.ADMINISTRATOR] == {
        *(Permission.LOOK, Permission.READ_AUDIT, Permission.ADMINISTER)
    }


def test_somebody_may_everything_and_nobody_may_nothing() -> None:
    assert set().union(*RIGHTS.values()) == set(Permission)
    assert not any(may(None, permission) for permission in Permission)


@pytest.mark.parametrize("tag", [t for t in TAGS if t.access is Access.REQUEST], ids=repr)
def test_every_tag_that_can_be_asked_for_names_its_permissions(tag: Tag) -> None:
    wanted = {needed(tag, value) for value in range(9)}
    assert wanted == about(tag)
    assert wanted


@pytest.mark.parametrize("tag", [Pump.Setpoint, System.Scan, Pump.HardMaxSpeed], ids=repr)
def test_what_can_not_be_asked_for_nobody_may_ask(tag: Tag) -> None:
    assert needed(tag, 1.0) is None
    assert not about(tag)


def test_setting_a_stop_is_another_permission_than_clearing_it() -> None:
    assert needed(Pump.EmergencyStop, 1.0) is Permission.STOP
    assert needed(Pump.EmergencyStop, 0.0) is Permission.CLEAR


def test_hiding_an_alarm_for_good_needs_more_than_answering_it() -> None:
    state = next(iter(ALARM_OF_STATE))
    assert needed(state, AlarmState.ACKNOWLEDGED) is Permission.ACKNOWLEDGE
    assert needed(state, AlarmState.SHELVED) is Permission.SHELVE
    assert needed(state, AlarmState.OUT_OF_SERVICE) is Permission.SUPPRESS
