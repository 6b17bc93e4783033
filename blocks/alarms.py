"""Alarms: the state of each, since when it is active, and how many there are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blocks.arithmetic import row, smaller
from blocks.block import Block, Pins
from blocks.flood import count_announced
from blocks.requests import EXECUTED, REQUEST_PINS, REQUESTS
from runtime.alarm import ACTIVE, CONSEQUENCE, ENDED, ENDED_LATCHING, WISHED, AlarmState
from runtime.compiled import compiled
from runtime.layout import Columns
from runtime.tag import Table, Tag
from runtime.tags import (
    ALARMS,
    NUMBER,
    Annunciation,
    Pump,
    Request,
    Station,
    System,
)

SETTLING = System.MemoryAge.high  # s in which conditions that take their time come back

_NORMAL, _UNACKNOWLEDGED = int(AlarmState.NORMAL), int(AlarmState.UNACKNOWLEDGED)
_ACKNOWLEDGED, _CLEARED = int(AlarmState.ACKNOWLEDGED), int(AlarmState.CLEARED)
_LATCHED, _SHELVED = int(AlarmState.LATCHED), int(AlarmState.SHELVED)
_SUPPRESSED = int(AlarmState.SUPPRESSED)
_TABLES: tuple[type[Table], ...] = (System, Station, Pump)
_TIMERS = tuple(alarm.timer for alarm in ALARMS if alarm.timer is not None)
_UNLESS = tuple(dict.fromkeys(alarm.unless for alarm in ALARMS if alarm.unless is not None))


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
    t = rules.table[a]
    used, of = places.used[t], places.of[t]
    announced = 0
    for i in range(len(state)):
        if not condition[i] and state[i] == _NORMAL and not (timed and timer[i] > 0.0):
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
        suppressed = unless[i % len(unless)] or cause[i % len(cause)] != 0.0
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
def _annunciate(
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


class Alarms(Block):
    """The state of each alarm (ISA-18.2), of rows that are in use.

    An alarm is a boolean tag, its condition, that declares one. It is active when the condition has
    held for longer than its on-delay, and until it has not held for longer than its off-delay;
    without delays it is the condition. <name>Since is the UTC of the scan in which it became
    active, 0 while it is not. <name>State moves so:

    | state                  | active            | ended                      | request → state    |
    |------------------------|-------------------|----------------------------|--------------------|
    | normal                 | unacknowledged    | normal                     | shelve, take out   |
    |                        | active; or        |                            |                    |
    |                        | suppressed        |                            |                    |
    | unacknowledged active  | same              | unacknowledged cleared;    | acknowledge →      |
    |                        |                   | latching: latched          | acknowledged       |
    |                        |                   | unacknowledged             | active; shelve,    |
    |                        |                   |                            | take out           |
    | acknowledged active    | same              | normal; latching: latched  | shelve, take out   |
    |                        |                   | acknowledged               |                    |
    | unacknowledged cleared | unacknowledged    | same                       | acknowledge →      |
    |                        | active            |                            | normal; shelve,    |
    |                        |                   |                            | take out           |
    | latched unacknowledged | unacknowledged    | same                       | acknowledge →      |
    |                        | active            |                            | latched            |
    |                        |                   |                            | acknowledged; take |
    |                        |                   |                            | out                |
    | latched acknowledged   | unacknowledged    | same                       | reset → normal;    |
    |                        | active            |                            | take out           |
    | shelved                | same              | same                       | unshelve → normal; |
    |                        |                   |                            | shelve; take out   |
    | suppressed by design   | same while the    | normal                     | shelve, take out   |
    |                        | cause stands,     |                            |                    |
    |                        | then              |                            |                    |
    |                        | unacknowledged    |                            |                    |
    |                        | active            |                            |                    |
    | out of service         | same              | same                       | return → normal    |

    Requests come first, then conditions, in the same scan: who unshelves an active alarm, or
    returns it to service, sees it announced anew. A shelved alarm comes back by itself when
    ControlTime reaches <name>ShelvedUntil: whole seconds, cut, so never later than asked for; time
    without control does not count. While an alarm is hidden, <name>Since goes on telling the truth.

    Suppressed by design is what becomes active while the flag that it declares as `unless` is true
    or the alarm that it declares as `caused_by` is active. What is announced already stays so: only
    an acknowledgement takes it back. A cause of the same row is declared before its consequence, so
    that both are judged by the same scan.

    States are retained. After a cold start, an alarm that was active counts as active until its
    condition, which may take its time, comes back, for as long as MemoryAge is below SETTLING
    (300 s): what was acknowledged is not announced again. In a row that is not in use states stand
    still and count nowhere. Fault is announced by the scan itself, as no block runs any more; here
    it is found to have ended.

    ActiveAlarms counts the active ones, hidden or not, UnacknowledgedAlarms those in the three
    states that wait for somebody, ShelvedAlarms the shelved ones: of a station with its pumps, and
    of the whole system. Annunciations counts each way into `unacknowledged active`; AlarmFlood is
    described in `blocks/flood.py`.
    """

    reads = (
        *REQUEST_PINS,
        Request.Reference,
        System.ControlTime,
        System.Elapsed,
        System.TimeUtc,
        Station.Configured,
        Pump.Configured,
        Pump.Station,
        *_UNLESS,
        *(alarm.tag for alarm in ALARMS),
    )
    writes = (
        System.MemoryAge,
        *(System.ActiveAlarms, System.UnacknowledgedAlarms, System.ShelvedAlarms),
        *(System.Annunciations, System.AlarmFlood, Annunciation.At),
        *(Station.ActiveAlarms, Station.UnacknowledgedAlarms, Station.ShelvedAlarms),
        *(tag for alarm in ALARMS for tag in (alarm.since, alarm.state, alarm.shelved_until)),
        *_TIMERS,
    )
    law = staticmethod(_annunciate)

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns, self._columnwise(columns), _rules(), self._places(columns))

    def _columnwise(self, columns: Columns) -> Columnwise:
        def of(*tags: Tag) -> tuple[NDArray[Any], ...]:
            return tuple(self._column(columns, tag) for tag in tags)

        never = np.zeros(1, bool)
        never.flags.writeable = False
        return Columnwise(
            of(*(alarm.tag for alarm in ALARMS)),
            (*of(*(alarm.since for alarm in ALARMS)), np.zeros(1)),
            of(*(alarm.state for alarm in ALARMS)),
            of(*(alarm.shelved_until for alarm in ALARMS)),
            (*of(*_TIMERS), np.zeros(1)),
            (*of(*_UNLESS), never),
        )

    def _places(self, columns: Columns) -> Places:
        all_used = np.ones(1, bool)
        alone = np.zeros(1, np.int64)
        stations = np.arange(columns.rows(Station))
        for constant in (all_used, alone, stations):
            constant.flags.writeable = False

        def counts(of_system: Tag, of_station: Tag) -> tuple[NDArray[Any], ...]:
            system, station = (self._column(columns, tag) for tag in (of_system, of_station))
            return system, station, station

        used = (self._column(columns, table.Configured) for table in (Station, Pump))
        return Places(
            (all_used, *used),
            (alone, stations, self._column(columns, Pump.Station)),
            counts(System.ActiveAlarms, Station.ActiveAlarms),
            counts(System.UnacknowledgedAlarms, Station.UnacknowledgedAlarms),
            counts(System.ShelvedAlarms, Station.ShelvedAlarms),
        )


def _rules() -> Rules:
    """The declarations as columns. What an alarm does not have is the place after the last."""
    declared = [alarm.alarm for alarm in ALARMS]
    conditions = tuple(alarm.tag for alarm in ALARMS)

    def places(among: tuple[Tag, ...], some: list[Tag | None]) -> NDArray[np.int64]:
        return np.array([len(among) if tag is None else among.index(tag) for tag in some])

    return Rules(
        np.array([NUMBER[alarm.state] for alarm in ALARMS]),
        np.array([_TABLES.index(alarm.table) for alarm in ALARMS]),
        places(_TIMERS, [alarm.timer for alarm in ALARMS]),
        places(_UNLESS, [alarm.unless for alarm in ALARMS]),
        places(conditions, [alarm.caused_by for alarm in ALARMS]),
        np.array([alarm.on_delay for alarm in declared]),
        np.array([alarm.off_delay for alarm in declared]),
        np.array([alarm.latching for alarm in declared]),
    )
