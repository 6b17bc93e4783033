"""What there is to be allowed, and which role may it: the same in every protocol.

    role            may
    viewer          look
    operator        what viewers may; stop and clear, command pumps, acknowledge and shelve alarms,
                    read the audit log
    engineer        what operators may; hide any alarm
    administrator   look, read the audit log, and administer users and certificates; no control of
                    the process

What is not named here nobody may. The scan judges requests again by the role that they carry.
"""

from __future__ import annotations

from enum import Enum

from runtime.alarm import AlarmState
from runtime.requests import Role
from runtime.tag import Access, Tag
from runtime.tags import ALARM_OF_STATE


class Permission(Enum):
    """Something that a role may or may not do."""

    LOOK = "see values, states, alarms and history"
    READ_AUDIT = "read the audit log, and all that became of a request"
    STOP = "set an emergency stop"
    CLEAR = "clear an emergency stop"
    COMMAND = "take pumps into manual mode and command them"
    ACKNOWLEDGE = "acknowledge, confirm, comment and reset alarms"
    SHELVE = "shelve alarms for a time, and bring them back"
    SUPPRESS = "take alarms out of service, and shelve critical ones"
    BEAT = "say that a supervising system is alive"
    RESET_STATISTICS = "reset the statistics of the scan"
    ADMINISTER = "change users and the certificates that are trusted"


_VIEWER = frozenset({Permission.LOOK})
_OPERATOR = _VIEWER | {
    Permission.READ_AUDIT,
    Permission.STOP,
    Permission.CLEAR,
    Permission.COMMAND,
    Permission.ACKNOWLEDGE,
    Permission.SHELVE,
    Permission.BEAT,
    Permission.RESET_STATISTICS,
}
RIGHTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.ENGINEER: _OPERATOR | {Permission.SUPPRESS},
    Role.ADMINISTRATOR: _VIEWER | {Permission.READ_AUDIT, Permission.ADMINISTER},
}

_OF_TAG = {
    "Mode": Permission.COMMAND,
    "ManualSetpoint": Permission.COMMAND,
    "Heartbeat": Permission.BEAT,
    "StatisticsReset": Permission.RESET_STATISTICS,
}
_OF_STATE: dict[float, Permission] = {
    AlarmState.SHELVED: Permission.SHELVE,
    AlarmState.OUT_OF_SERVICE: Permission.SUPPRESS,
}
_OF_ALARM = frozenset({Permission.ACKNOWLEDGE, *_OF_STATE.values()})


def may(role: Role | None, permission: Permission) -> bool:
    """Whether a role has a permission; None, nobody we know, has none."""
    return role is not None and permission in RIGHTS[role]


def needed(tag: Tag, value: float) -> Permission | None:
    """The permission that asking for `value` in a tag needs; None: nobody may ask."""
    if tag.access is not Access.REQUEST:
        return None
    if tag.name == "EmergencyStop":
        return Permission.STOP if value else Permission.CLEAR
    if tag in ALARM_OF_STATE:
        return _OF_STATE.get(value, Permission.ACKNOWLEDGE)
    return _OF_TAG.get(tag.name)


def about(tag: Tag) -> frozenset[Permission]:
    """All permissions of which one or the other value of a tag needs one; empty: read-only."""
    if tag.access is not Access.REQUEST:
        return frozenset()
    if tag.name == "EmergencyStop":
        return frozenset({Permission.STOP, Permission.CLEAR})
    if tag in ALARM_OF_STATE:
        return _OF_ALARM
    return frozenset({_OF_TAG[tag.name]}) if tag.name in _OF_TAG else frozenset()
