"""Watchdog: notices that plans, the database, or SCADA stop coming."""

from __future__ import annotations

from blocks.arithmetic import larger, smaller
from blocks.block import Block, Pins
from blocks.requests import EXECUTED, REQUEST_PINS, REQUESTS
from runtime.compiled import compiled
from runtime.layout import Columns
from runtime.tags import FOREVER, NUMBER, Station, System

DATABASE_PATIENCE = 3.0  # s; several read cycles, and well inside the 5 s in which health must tell
START_PATIENCE = 10.0  # s after a cold start: the database may be starting too
HEARTBEAT = NUMBER[System.Heartbeat]


@compiled
def _age(now: float, time: float) -> float:
    """How old something is; as old as can be if it never was or its time is no number."""
    return FOREVER if time == 0.0 else larger(smaller(FOREVER, now - time), 0.0)


@compiled
def _listen(system: Pins, request: Pins) -> None:
    """Take SCADA's signs of life; before the first there is patience from the first scan on."""
    for count in range(system.Requests[0] - system.RequestsTaken[0], system.Requests[0]):
        r = count % REQUESTS
        if request.Result[r] != EXECUTED or request.Tag[r] != HEARTBEAT:
            continue
        if system.Heartbeat[0] != request.Value[r]:
            system.Heartbeat[0] = int(request.Value[r])
            system.HeartbeatTime[0] = system.Now[0]
    if system.HeartbeatTime[0] == 0.0:
        system.HeartbeatTime[0] = system.Now[0]


@compiled
def _watch(
    system: Pins,
    station: Pins,
    request: Pins,
    scada_timeout: float,
    scada_needed: bool,
    scada_decides: bool,
) -> None:
    _listen(system, request)
    now = system.Now[0]
    system.HeartbeatAge[0] = _age(now, system.HeartbeatTime[0])
    system.ScadaLost[0] = scada_needed and not system.HeartbeatAge[0] < scada_timeout
    abandoned = scada_decides and system.ScadaLost[0]
    system.DatabaseAge[0] = _age(now, system.DatabaseTime[0])
    system.DatabaseLost[0] = system.DatabaseAge[0] > DATABASE_PATIENCE
    up = system.MemoryAge[0]
    news = system.DatabaseLost[0] and up >= START_PATIENCE
    in_alarm = system.DatabaseLostSince[0] != 0.0
    system.DatabaseAwaited[0] = up == 0.0 or (system.DatabaseAwaited[0] and in_alarm and not news)
    for s in range(len(station.Configured)):
        age = _age(now, station.PlanTime[s])
        in_time = age < station.WatchdogTimeout[s]  # false for a timeout that is no number
        station.PlanAge[s] = age
        station.Failsafe[s] = station.Configured[s] and (abandoned or not in_time)


class Watchdog(Block):
    """Judges each station by the age of its newest plan row or heartbeat, never by a connection.

    PlanAge = Now − PlanTime, from 0 to the greatest there is; the greatest before any plan.

    | state    | when                       | then                                            |
    |----------|----------------------------|-------------------------------------------------|
    | normal   | PlanAge < WatchdogTimeout  | the plan has authority                          |
    | failsafe | otherwise                  | default setpoints; normal again with a new plan |

    The state has no memory: the first plan that comes ends failsafe, and the rate limit makes the
    way back bumpless. A station that is not configured is not in failsafe. DatabaseLost tells when
    the database process has not heard from PostgreSQL for more than 3 s (DatabaseAge is measured as
    PlanAge is); it changes no output.

    After a cold start the database may be starting too. DatabaseAwaited keeps the loss from being
    announced, by the alarm of DatabaseLost, which is suppressed meanwhile:

    | DatabaseAwaited | followed by | when                                                       |
    |-----------------|-------------|------------------------------------------------------------|
    | no              | yes         | the first scan without memory: MemoryAge is 0              |
    | yes             | no          | lost, and MemoryAge ≥ 10 s: announced in that scan         |
    | yes             | no          | the alarm ended: found, and not lost for its off-delay     |

    SCADA shows that it lives by writing Heartbeat: what counts is that the number changes, since a
    gateway may repeat the last one for ever. HeartbeatAge counts from the last change, before the
    first one from the first scan.

    | without_scada | HeartbeatAge ≥ scada_timeout: ScadaLost | Failsafe                     |
    |---------------|-----------------------------------------|------------------------------|
    | none          | never                                   | as by the plan               |
    | alarm         | yes                                     | as by the plan               |
    | default       | yes                                     | of all stations, too         |

    The first change of the number ends both.
    """

    reads = (
        *REQUEST_PINS,
        System.Now,
        System.DatabaseTime,
        Station.Configured,
        Station.PlanTime,
        Station.WatchdogTimeout,
    )
    previous = (System.MemoryAge, System.DatabaseLostSince)
    writes = (
        System.Heartbeat,
        System.HeartbeatTime,
        System.HeartbeatAge,
        System.ScadaLost,
        System.DatabaseAge,
        System.DatabaseLost,
        System.DatabaseAwaited,
        Station.PlanAge,
        Station.Failsafe,
    )
    law = staticmethod(_watch)

    def __init__(
        self, columns: Columns, scada_timeout: float = 30.0, without_scada: str = "none"
    ) -> None:
        needed, decides = without_scada != "none", without_scada == "default"
        super().__init__(columns, scada_timeout, needed, decides)
