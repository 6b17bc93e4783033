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


NONE = -1  # where an alarm has no timer, flag or cause
_WORD = 8  # bytes


class Memory(NamedTuple):
    """All columns, seen as each type that those of the alarms have.

    So many columns, each an argument of its own, would cost more than to evaluate them.
    """

    flags: NDArray[np.bool_]
    states: NDArray[np.uint8]
    seconds: NDArray[np.uint32]
    numbers: NDArray[np.float64]
    words: NDArray[np.uint64]


class Rules(NamedTuple):
    """What is declared of the alarms, one after the other.

    Columns by their first element in Memory; those that not all alarms have may be NONE.
    """

    number: NDArray[np.int64]  # of the state, by which requests name it
    table: NDArray[np.int64]  # its place in Places
    condition: NDArray[np.int64]
    state: NDArray[np.int64]
    since: NDArray[np.int64]
    until: NDArray[np.int64]
    timer: NDArray[np.int64]
    unless: NDArray[np.int64]
    cause: NDArray[np.int64]  # the `since` that says whether the cause stands
    cause_of_all: NDArray[np.bool_]  # it is one of the system
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
    stirring: NDArray[np.int64]  # for the rows that have to be looked at


@compiled
def _grant(system: Pins, request: Pins, memory: Memory, rules: Rules) -> None:
    """Do what is asked for: admission has seen to it that it makes sense."""
    for count in range(system.Requests[0] - system.RequestsTaken[0], system.Requests[0]):
        r = count % REQUESTS
        if request.Result[r] != EXECUTED:
            continue
        for a in range(len(rules.number)):
            if request.Tag[r] == rules.number[a]:
                state = rules.state[a] + int(request.Slot[r])
                after = WISHED[memory.states[state]][int(request.Value[r])]
                memory.states[state] = after
                shelving = int(system.ControlTime[0]) + int(request.Reference[r])
                until = rules.until[a] + int(request.Slot[r])
                memory.seconds[until] = shelving if after == _SHELVED else 0


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
def _is_suppressed(memory: Memory, rules: Rules, a: int, i: int) -> bool:
    """Whether what becomes active in a row is so by design: its flag or its cause stands."""
    if rules.unless[a] != NONE and memory.flags[rules.unless[a] + i]:
        return True
    if rules.cause[a] == NONE:
        return False
    since = memory.numbers[rules.cause[a] + (0 if rules.cause_of_all[a] else i)]
    return bool(since != 0.0)


@compiled
def _stirring(memory: Memory, rules: Rules, a: int, stirring: NDArray[np.int64], rows: int) -> int:
    """Find the rows in which an alarm is not at rest; how many they are. Most rest, words of them.

    At rest is what is normal, without its condition, and with no time running towards its end.
    """
    condition, state, timer = rules.condition[a], rules.state[a], rules.timer[a]
    comes_late = rules.on_delay[a] > 0.0
    count = 0
    for first in range(0, rows, _WORD):
        conditions = memory.words[(condition + first) // _WORD]
        states = memory.words[(state + first) // _WORD]
        if conditions == 0 and states == 0 and not comes_late:
            continue
        for i in range(first, min(first + _WORD, rows)):
            resting = not memory.flags[condition + i] and memory.states[state + i] == _NORMAL
            if not resting or (comes_late and memory.numbers[timer + i] > 0.0):
                stirring[count] = i
                count += 1
    return count


@compiled
def _evaluate(system: Pins, memory: Memory, rules: Rules, places: Places, a: int) -> int:
    """One alarm, for all rows of its table; how many of them are announced."""
    utc, elapsed, control = system.TimeUtc[0], system.Elapsed[0], system.ControlTime[0]
    settling = system.MemoryAge[0] < SETTLING
    numbers, timed = memory.numbers, rules.timer[a] != NONE
    on_delay, off_delay, latching = rules.on_delay[a], rules.off_delay[a], rules.latching[a]
    t = rules.table[a]
    used, of = places.used[t], places.of[t]
    announced = 0
    for k in range(_stirring(memory, rules, a, places.stirring, len(used))):
        i = places.stirring[k]
        since, timer = rules.since[a] + i, rules.timer[a] + i
        if not used[i]:
            numbers[since] = 0.0
            if timed:
                numbers[timer] = 0.0
            continue
        state, until = rules.state[a] + i, rules.until[a] + i
        before, was = int(memory.states[state]), numbers[since] != 0.0
        active = memory.flags[rules.condition[a] + i]
        if timed:
            active, numbers[timer] = _lasting(
                was, active, numbers[timer], elapsed, on_delay, off_delay
            )
        if not active:
            numbers[since] = 0.0
            restored = before in (_UNACKNOWLEDGED, _ACKNOWLEDGED)
            active = settling and restored and not was
        elif not was:
            numbers[since] = utc
        if before == _SHELVED and control >= memory.seconds[until]:
            before, memory.seconds[until] = _SUPPRESSED, 0
        after = _next(before, active, _is_suppressed(memory, rules, a, i), latching)
        memory.states[state] = after
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
    memory: Memory,
    rules: Rules,
    places: Places,
) -> None:
    system.MemoryAge[0] = smaller(system.MemoryAge[0] + system.Elapsed[0], SETTLING)
    _grant(system, request, memory, rules)
    for t in range(len(places.active)):
        places.active[t][:] = 0
        places.unacknowledged[t][:] = 0
        places.shelved[t][:] = 0
    announced = 0
    for a in range(len(rules.number)):
        announced += _evaluate(system, memory, rules, places, a)
    for s in range(len(station.ActiveAlarms)):
        system.ActiveAlarms[0] += station.ActiveAlarms[s]
        system.UnacknowledgedAlarms[0] += station.UnacknowledgedAlarms[s]
        system.ShelvedAlarms[0] += station.ShelvedAlarms[s]
    count_announced(system, annunciation, announced)
