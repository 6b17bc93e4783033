"""Watchdog: notices that plans, or the database, stop coming."""

from __future__ import annotations

from blocks.arithmetic import larger, smaller
from blocks.block import Block, Pins
from runtime.compiled import compiled
from runtime.tags import FOREVER, Station, System

DATABASE_PATIENCE = 3.0  # s; several read cycles, and well inside the 5 s in which health must tell


@compiled
def _age(now: float, time: float) -> float:
    """How old something is; as old as can be if it never was or its time is no number."""
    return FOREVER if time == 0.0 else larger(smaller(FOREVER, now - time), 0.0)


@compiled
def _watch(system: Pins, station: Pins) -> None:
    now = system.Now[0]
    system.DatabaseAge[0] = _age(now, system.DatabaseTime[0])
    system.DatabaseLost[0] = system.DatabaseAge[0] > DATABASE_PATIENCE
    for s in range(len(station.Configured)):
        age = _age(now, station.PlanTime[s])
        in_time = age < station.WatchdogTimeout[s]  # false for a timeout that is no number
        station.PlanAge[s] = age
        station.Failsafe[s] = station.Configured[s] and not in_time


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
    """

    reads = (
        System.Now,
        System.DatabaseTime,
        Station.Configured,
        Station.PlanTime,
        Station.WatchdogTimeout,
    )
    writes = (System.DatabaseAge, System.DatabaseLost, Station.PlanAge, Station.Failsafe)
    law = staticmethod(_watch)
