"""What a client may call on an object, and what that asks of the scan.

    SetEmergencyStop(Reason)                 system, station, pump
    ClearEmergencyStop(Reason)               system, station, pump; a reason is required
    Acknowledge(Alarm, Reason)               system, station, pump
    SetMode(Mode, Reason)                    pump
    SetManualSetpoint(ManualSetpoint, Reason) pump
    ResetStatistics(Reason)                  system

A method is a wish: what the tag shall become. That it can be asked for, from whom and in which
state, is decided by the scan, as for every other protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from runtime.alarm import AlarmState
from runtime.servers.opcua.arguments import Argument, one_of, reason, value_of
from runtime.tag import Table, Tag
from runtime.tags import ALARMS


@dataclass(frozen=True)
class Wish:
    """Which tag of the object shall become what; `refers` holds the id of what the wish is about,
    and without that (0) there is nothing to wish for."""

    tag: Tag
    value: float
    refers: Tag | None = None


@dataclass(frozen=True, eq=False)
class Method:
    """A method: its last argument is always the reason."""

    name: str
    doc: str
    inputs: tuple[Argument, ...]
    wish: Callable[[list[Any]], Wish]


OUTPUTS = (
    Argument("RequestId", ua.VariantType.UInt64, "Identity of the request in the audit trail."),
    Argument("Scan", ua.VariantType.UInt64, "Number of the scan that executed it."),
    Argument("Latency", ua.VariantType.Double, "Time from the call to the published image, in s."),
)


def methods_of(table: type[Table]) -> Iterator[Method]:
    """The methods of the objects of a table: they follow from its tags."""
    names = {tag.name for tag in table.tags()}
    if "EmergencyStop" in names:
        yield from _stops(table.tag("EmergencyStop"), table.tag("EmergencyStopId"))
    states = {alarm.tag.name: alarm.state for alarm in ALARMS if alarm.table is table}
    if states:
        alarm = one_of("Alarm", "Name of the tag of the alarm.", states)
        yield Method(
            "Acknowledge",
            "Acknowledge an alarm of this object that waits for it.",
            (alarm, reason()),
            lambda given: Wish(states[given[0]], AlarmState.ACKNOWLEDGED),
        )
    for name, tag in (("SetMode", "Mode"), ("SetManualSetpoint", "ManualSetpoint")):
        if tag in names:
            yield _setting(name, table.tag(tag))
    if "StatisticsReset" in names:
        tag_ = table.tag("StatisticsReset")
        yield Method("ResetStatistics", tag_.doc, (reason(),), lambda given: Wish(tag_, 1.0))


def _stops(latch: Tag, in_force: Tag) -> Iterator[Method]:
    yield Method(
        "SetEmergencyStop",
        "Stop in the next scan, latched until it is cleared.",
        (reason(),),
        lambda given: Wish(latch, 1.0),
    )
    yield Method(
        "ClearEmergencyStop",
        "Clear the emergency stop in force once what it stops stands; a reason is required.",
        (reason(required=True),),
        lambda given: Wish(latch, 0.0, refers=in_force),
    )


def _setting(name: str, tag: Tag) -> Method:
    return Method(
        name, tag.doc, (value_of(tag), reason()), lambda given: Wish(tag, float(given[0]))
    )
