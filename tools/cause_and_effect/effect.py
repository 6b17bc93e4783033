"""What a cause does, found out by executing it."""

from __future__ import annotations

from dataclasses import dataclass

from tools.cause_and_effect.cause import Cause
from tools.cause_and_effect.course import told, told_of_second
from tools.cause_and_effect.snapshot import Flag
from tools.cause_and_effect.stand import Stand


@dataclass(frozen=True)
class Release:
    """What came of one step after the effects were read. `refused` is why its request was."""

    what: str
    setpoint: str
    latches: frozenset[Flag]
    refused: str


@dataclass(frozen=True)
class Effect:
    """One row of the table."""

    setpoint: str
    second: str
    second_guarded: frozenset[str]
    authority: str
    guarded: frozenset[str]
    limited: frozenset[str]
    alarms: frozenset[Flag]
    latches: frozenset[Flag]
    releases: tuple[Release, ...]


def effect(cause: Cause, control_type: str, direction: str) -> Effect:
    """Execute a cause on a station of its own."""
    stand = Stand(control_type, direction)
    cause.before(stand)
    stand.settle_parameters()
    stand.settle(cause.asked)
    cause.history(stand)
    was = stand.trace[-1]
    begun = len(stand.trace)
    cause.act(stand)
    stand.run(cause.lasts)
    trace = stand.trace[begun:]
    latched = trace[-1].latches - was.latches
    releases = []
    for step in cause.then:
        begun, asked = len(stand.trace), stand.requests_asked
        step.act(stand)
        stand.run(step.lasts)
        after = stand.trace[begun - 1 :]
        releases.append(
            Release(step.what, told(after), after[-1].latches - was.latches, stand.refused(asked))
        )
    return Effect(
        setpoint=told([was, *trace]),
        second=told_of_second([was, *trace]),
        second_guarded=frozenset().union(*(scan.second_guarded for scan in trace)),
        authority=trace[-1].authority,
        guarded=frozenset().union(*(scan.guarded for scan in trace)),
        limited=frozenset().union(*(scan.limited for scan in trace)),
        alarms=frozenset().union(*(scan.alarms for scan in trace)) - was.alarms,
        latches=latched,
        releases=tuple(releases),
    )
