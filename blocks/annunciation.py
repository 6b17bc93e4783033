"""Annunciation: how the state of each alarm moves in a scan.

Part of the block `alarms`; its manual is there. The tables of the state machine are in
`runtime/alarm.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blocks.arithmetic import row, smaller
from blocks.block import Pins
from blocks.flood import count_announced
from blocks.requests import EXECUTED, REQUESTS
from runtime.alarm import ACTIVE, CONSEQUENCE, ENDED, ENDED_LATCHING, WISHED, AlarmState
from runtime.compiled import compiled
from runtime.tags import System

SETTLING = System.MemoryAge.high  # s in which conditions that take their time come back

_NORMAL, _UNACKNOWLEDGED = int(AlarmState.NORMAL), int(AlarmState.UNACKNOWLEDGED)
_ACKNOWLEDGED, _CLEARED = int(AlarmState.ACKNOWLEDGED), int(AlarmState.CLEARED)
_LATCHED, _SHELVED = int(AlarmState.LATCHED), int(AlarmState.SHELVED)
_SUPPRESSED = int(AlarmState.SUPPRESSED)


class Columnwise(NamedTuple):
    """The columns of the alarms: one for each, but for `timer` and `unless`, which few have.

    The last of `since`, `timer` and `unless` is one row that says no.
    """

    condition: tuple[NDArray[np.bool_], ...]
    since: tuple[NDArray[np.float64], ...]
    state: tuple[NDArray[np.uint8], ...]
    until: tuple[NDArray[np.uint32], ...]
    timer: tuple[NDArray[np.float64], ...]
    unless: tuple[NDArray[np.bool_], ...]


class Rules(NamedTuple):
    """What is declared of the alarms, one after the other; columns by their place in Columnwise."""

    number: NDArray[np.int64]  # of the state, by which requests name it
    table: NDArray[np.int64]  # its place in Places
    timer: NDArray[np.int64]
    unless: NDArray[np.int64]
    cause: NDArray[np.int64]  # whose `since` says whether the cause stands
    on_delay: NDArray[np.float64]
    off_delay: NDArray[np.float64]
    latching: NDArray[np.bool_]


class Places(NamedTuple):
    """For system, stations and pumps: which rows are in use, and where their alarms count."""

    used: tuple[NDArray[np.bool_], ...]
    of: tuple[NDArray[np.int64], ...]
    active: tuple[NDArray[np.uint32], ...]
    unacknowledged: tuple[NDArray[np.uint32], ...]
    shelved: tuple[NDArray[np.uint32], ...]


@compiled
def _grant(system: Pins, request: Pins, columns: Columnwise, rules: Rules) -> None:
    """Do what is asked for: admission has seen to it that it makes sense."""
    for count in range(system.Requests[0] - system.RequestsTaken[0], system.Requests[0]):
        r = count % REQUESTS
        if request.Result[r] != EXECUTED:
            continue
        for a in range(len(rules.number)):
            if request.Tag[r] == rules.number[a]:
                slot = request.Slot[r]
                after = WISHED[columns.state[a][slot]][int(request.Value[r])]
                columns.state[a][slot] = after
                shelving = int(system.ControlTime[0]) + int(request.Reference[r])
                columns.until[a][slot] = shelving if after == _SHELVED else 0


@compiled
def _lasting(
    active: bool, holds: bool, time: float, elapsed: float, on_delay: float, off_delay: float
) -> tuple[bool, float]:
    """Whether an alarm with delays is active, and for how long its condition has said otherwise."""
    if active == holds:
        return active, 0.0
    time += elapsed
    if time > (on_delay if holds else off_delay):
        return holds, 0.0
    return active, time


@compiled
def _next(state: int, active: bool, suppressed: bool, latching: bool) -> int:
    """The state that the condition leads to."""
    if active:
        return CONSEQUENCE[state] if suppressed else ACTIVE[state]
    return ENDED_LATCHING[state] if latching else ENDED[state]


@compiled
def _evaluate(system: Pins, columns: Columnwise, rules: Rules, places: Places, a: int) -> int:
    """One alarm, for all rows of its table; how many of them are announced."""
    utc, elapsed, control = system.TimeUtc[0], system.Elapsed[0], system.ControlTime[0]
    settling = system.MemoryAge[0] < SETTLING
    condition, since, state, until = (
        columns.condition[a],
        columns.since[a],
        columns.state[a],
        columns.until[a],
    )
    timer, unless = columns.timer[rules.timer[a]], columns.unless[rules.unless[a]]
    timed = rules.timer[a] < len(columns.timer) - 1
    cause = columns.since[rules.cause[a]]
    on_delay, off_delay, latching = rules.on_delay[a], rules.off_delay[a], rules.latching[a]
    comes_late = on_delay > 0.0  # so that time may run while nothing else shows it
    own_flag, own_cause = len(unless) > 1, len(cause) > 1  # else one row for all
    t = rules.table[a]
    used, of = places.used[t], places.of[t]
    announced = 0
    for i in range(len(state)):
        if not condition[i] and state[i] == _NORMAL and not (comes_late and timer[i] > 0.0):
            continue
        if not used[i]:
            since[i] = 0.0
            if timed:
                timer[i] = 0.0
            continue
        before, was, active = int(state[i]), since[i] != 0.0, condition[i]
        if timed:
            active, timer[i] = _lasting(was, active, timer[i], elapsed, on_delay, off_delay)
        if not active:
            since[i] = 0.0
            restored = before in (_UNACKNOWLEDGED, _ACKNOWLEDGED)
            active = settling and restored and not was
        elif not was:
            since[i] = utc
        if before == _SHELVED and control >= until[i]:
            before, until[i] = _SUPPRESSED, 0
        suppressed = unless[i if own_flag else 0] or cause[i if own_cause else 0] != 0.0
        after = _next(before, active, suppressed, latching)
        state[i] = after
        announced += after == _UNACKNOWLEDGED and before != _UNACKNOWLEDGED
        s = row(of[i], len(places.active[t]))
        places.active[t][s] += active
        waits = after in (_UNACKNOWLEDGED, _CLEARED, _LATCHED)
        places.unacknowledged[t][s] += waits
        places.shelved[t][s] += after == _SHELVED
    return announced


@compiled
def annunciate(
    system: Pins,
    station: Pins,
    request: Pins,
    annunciation: Pins,
    columns: Columnwise,
    rules: Rules,
    places: Places,
) -> None:
    system.MemoryAge[0] = smaller(system.MemoryAge[0] + system.Elapsed[0], SETTLING)
    _grant(system, request, columns, rules)
    for t in range(len(places.active)):
        places.active[t][:] = 0
        places.unacknowledged[t][:] = 0
        places.shelved[t][:] = 0
    announced = 0
    for a in range(len(columns.state)):
        announced += _evaluate(system, columns, rules, places, a)
    for s in range(len(station.ActiveAlarms)):
        system.ActiveAlarms[0] += station.ActiveAlarms[s]
        system.UnacknowledgedAlarms[0] += station.UnacknowledgedAlarms[s]
        system.ShelvedAlarms[0] += station.ShelvedAlarms[s]
    count_announced(system, annunciation, announced)
