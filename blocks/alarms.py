"""Alarms: the state of each, since when it is active, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blocks.annunciation import NONE, Memory, Places, Rules, annunciate
from blocks.block import Block
from blocks.requests import REQUEST_PINS
from runtime.layout import Columns
from runtime.tag import Table, Tag
from runtime.tags import ALARMS, NUMBER, Annunciation, Pump, Request, Station, System

_TABLES: tuple[type[Table], ...] = (System, Station, Pump)
_TIMERS = tuple(alarm.timer for alarm in ALARMS if alarm.timer is not None)
_UNLESS = tuple(dict.fromkeys(alarm.unless for alarm in ALARMS if alarm.unless is not None))


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
    law = staticmethod(annunciate)

    def __init__(self, columns: Columns) -> None:
        arena = columns.arena
        memory = Memory(
            flags=arena.view(np.bool_),
            states=arena,
            seconds=arena.view(np.uint32),
            numbers=arena.view(np.float64),
            words=arena.view(np.uint64),
        )
        super().__init__(columns, memory, _rules(columns), self._places(columns))

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
            np.empty(max(columns.rows(table) for table in _TABLES), np.int64),
        )


def _rules(columns: Columns) -> Rules:
    """The declarations as columns."""

    def first(tags: Iterable[Tag | None], size: int = 1) -> NDArray[np.int64]:
        offsets = columns.layout.offsets
        return np.array([NONE if tag is None else offsets[tag] // size for tag in tags])

    alarms, declared = ALARMS, [alarm.alarm for alarm in ALARMS]
    since = {alarm.tag: alarm.since for alarm in alarms}
    causes = [since[alarm.caused_by] if alarm.caused_by else None for alarm in alarms]
    return Rules(
        number=np.array([NUMBER[alarm.state] for alarm in alarms]),
        table=np.array([_TABLES.index(alarm.table) for alarm in alarms]),
        condition=first(alarm.tag for alarm in alarms),
        state=first(alarm.state for alarm in alarms),
        since=first((alarm.since for alarm in alarms), 8),
        until=first((alarm.shelved_until for alarm in alarms), 4),
        timer=first((alarm.timer for alarm in alarms), 8),
        unless=first(alarm.unless for alarm in alarms),
        cause=first(causes, 8),
        cause_of_all=np.array([cause is not None and cause.table == "System" for cause in causes]),
        on_delay=np.array([alarm.on_delay for alarm in declared]),
        off_delay=np.array([alarm.off_delay for alarm in declared]),
        latching=np.array([alarm.latching for alarm in declared]),
    )
