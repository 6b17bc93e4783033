"""A condition: one alarm of one object, told to clients as Part 9 has it.

The states of the image (ISA-18.2) are the truth; this is how they read as a condition:

    state                     Active  Acked  Confirmed  Latched  Retain  besides
    normal                    no      yes    yes        no       no
    unacknowledged active     yes     no     yes        (1)      yes
    acknowledged active       yes     yes    yes        (1)      yes
    unacknowledged cleared    no      no     yes        no       yes
    latched unacknowledged    no      no     yes        yes      yes
    latched acknowledged      no      yes    no         yes      yes
    shelved                   (2)     yes    yes        no       yes     ShelvingState
    suppressed by design      yes     yes    yes        no       yes     SuppressedState
    out of service            (2)     yes    yes        no       no      not Enabled, OutOfService

(1) yes if the alarm is one that latches. (2) as its cause is: hiding stops nobody from seeing it.

Confirming is the reset of a latch: that is the only thing that anybody has to confirm here.

There are no branches. A condition that comes back before it was acknowledged is one alarm that
waits to be acknowledged, not two: whoever acknowledges has to name an event of its newest
occurrence, so nobody acknowledges what he hasn't seen, and nothing that was is left behind.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.alarm import LONGEST_SHELVING, STANDING, TO_ACKNOWLEDGE, WORDS, AlarmState
from runtime.servers.opcua.event import SEVERITY, Fields, flag, node, number, string, text, when
from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.references import node_id
from runtime.tags import DeclaredAlarm, System

NAME = "Condition"  # the last part of a condition's path
_S = AlarmState
LATCHED = frozenset({_S.LATCHED, _S.LATCHED_ACKNOWLEDGED})
HIDDEN = frozenset({_S.SHELVED, _S.SUPPRESSED})
GOOD, STILL = (
    ua.StatusCode(ua.UInt32(c)) for c in (StatusCodes.Good, StatusCodes.BadNoCommunication)
)


def _standard(name: str) -> ua.NodeId:
    return ua.NodeId(ua.Int32(getattr(ObjectIds, name)))


UNSHELVED, TIMED, ONE_SHOT = (
    _standard(f"ShelvedStateMachineType_{state}")
    for state in ("Unshelved", "TimedShelved", "OneShotShelved")
)
_SHELVING = {UNSHELVED: "Unshelved", TIMED: "Timed Shelved", ONE_SHOT: "One Shot Shelved"}
OF_SYSTEM = _standard("SystemOffNormalAlarmType")
OF_PROCESS = _standard("OffNormalAlarmType")


@dataclass(eq=False, slots=True)
class Condition:
    """What is known of a condition that is not normal, or that somebody has commented.

    `occurrence` is the first, `newest` the last event of the occurrence that is to be acknowledged.
    """

    declared: DeclaredAlarm
    place: Place
    state: AlarmState = AlarmState.NORMAL
    since: float = 0.0  # UTC, s; 0: not active
    changed: float = 0.0  # UTC of the scan from which the state is known
    unshelved: float = 0.0  # UTC until when it is shelved
    one_shot: bool = False
    quality: ua.StatusCode = field(default_factory=lambda: GOOD)
    comment: str = ""
    commented: float = 0.0
    user: str = ""
    occurrence: int = 0
    newest: int = 0

    @property
    def path(self) -> str:
        return f"{self.place.path}/{self.declared.tag.name}/{NAME}"

    @property
    def kind(self) -> ua.NodeId:
        return OF_SYSTEM if self.declared.table is System else OF_PROCESS

    @property
    def retained(self) -> bool:
        return self.state in STANDING or self.state in HIDDEN

    @property
    def shelving(self) -> ua.NodeId:
        if self.state is not _S.SHELVED:
            return UNSHELVED
        return ONE_SHOT if self.one_shot else TIMED

    def fields(self) -> Fields:
        """All but what tells one event of it from the next."""
        state, alarm = self.state, self.declared.alarm
        told = {
            "NodeId": node(node_id(self.path)),
            "EventType": node(self.kind),
            "SourceNode": node(node_id(self.place.path)),
            "SourceName": string(self.place.title),
            "Time": when(self.changed),
            "Message": text(f"{self.place.title}: {self.declared.tag.doc}"),
            "Severity": number(SEVERITY[alarm.priority], ua.VariantType.UInt16),
            "LastSeverity": number(SEVERITY[alarm.priority], ua.VariantType.UInt16),
            "ConditionClassId": node(_SYSTEM_CLASS if self.kind is OF_SYSTEM else _PROCESS_CLASS),
            "ConditionClassName": text("System" if self.kind is OF_SYSTEM else "Process"),
            "ConditionName": string(self.declared.tag.name),
            "BranchId": node(ua.NodeId()),
            "Retain": flag(self.retained),
            "Quality": ua.Variant(self.quality, ua.VariantType.StatusCode),
            "Comment": text(self.comment),
            "Comment/SourceTimestamp": when(self.commented),
            "ClientUserId": string(self.user),
            "InputNode": node(node_id(f"{self.place.path}/{self.declared.tag.name}")),
            "NormalState": node(ua.NodeId()),
            "SuppressedOrShelved": flag(state in HIDDEN),
            "MaxTimeShelved": number(LONGEST_SHELVING * 1e3, ua.VariantType.Double),
            "OnDelay": number(alarm.on_delay * 1e3, ua.VariantType.Double),
            "OffDelay": number(alarm.off_delay * 1e3, ua.VariantType.Double),
        }
        told |= _two_states(
            ("EnabledState", state is not _S.OUT_OF_SERVICE, "Enabled", "Disabled"),
            ("ActiveState", self.since > 0.0, "Active", "Inactive"),
            ("AckedState", state not in TO_ACKNOWLEDGE, "Acknowledged", "Unacknowledged"),
            ("ConfirmedState", state is not _S.LATCHED_ACKNOWLEDGED, "Confirmed", "Unconfirmed"),
            ("SuppressedState", state is _S.SUPPRESSED, "Suppressed", "Unsuppressed"),
            ("OutOfServiceState", state is _S.OUT_OF_SERVICE, "Out of Service", "In Service"),
            ("LatchedState", self._latched, "Latched", "Unlatched"),
        )
        told["EnabledState/EffectiveDisplayName"] = text(WORDS[state])
        told["ActiveState/TransitionTime"] = when(self.since)
        shelving = self.shelving
        told["ShelvingState/CurrentState"] = text(_SHELVING[shelving])
        told["ShelvingState/CurrentState/Id"] = node(shelving)
        if state is _S.SHELVED:
            left = max(0.0, self.unshelved - time.time()) * 1e3
            told["ShelvingState/UnshelveTime"] = number(left, ua.VariantType.Double)
        return told

    @property
    def _latched(self) -> bool:
        active = self.state in (_S.UNACKNOWLEDGED, _S.ACKNOWLEDGED)
        return self.state in LATCHED or (active and self.declared.alarm.latching)


_SYSTEM_CLASS = _standard("SystemConditionClassType")
_PROCESS_CLASS = _standard("ProcessConditionClassType")


def _two_states(*states: tuple[str, bool, str, str]) -> Fields:
    told = {}
    for name, value, yes, no in states:
        told[name] = text(yes if value else no)
        told[f"{name}/Id"] = flag(value)
    return told
