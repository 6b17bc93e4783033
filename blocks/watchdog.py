"""Watchdog: notices that plans, or the database, stop coming."""

from __future__ import annotations

import numpy as np

from blocks.block import Block, scratch
from runtime.layout import Columns
from runtime.tags import FOREVER, Station, System

DATABASE_PATIENCE = 3.0  # s; several read cycles, and well inside the 5 s in which health must tell


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

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.now = self.real(System.Now)
        self.database_time = self.real(System.DatabaseTime)
        self.database_age = self.real(System.DatabaseAge)
        self.database_lost = self.flag(System.DatabaseLost)
        self.configured = self.flag(Station.Configured)
        self.time = self.real(Station.PlanTime)
        self.timeout = self.real(Station.WatchdogTimeout)
        self.age = self.real(Station.PlanAge)
        self.failsafe = self.flag(Station.Failsafe)
        self.never = scratch(self.age, "?")
        self.database_never = scratch(self.database_age, "?")

    def execute(self) -> None:
        np.subtract(self.now, self.database_time, out=self.database_age)
        np.equal(self.database_time, 0.0, out=self.database_never)
        np.copyto(self.database_age, FOREVER, where=self.database_never)
        np.fmin(self.database_age, FOREVER, out=self.database_age)
        np.maximum(self.database_age, 0.0, out=self.database_age)
        np.greater(self.database_age, DATABASE_PATIENCE, out=self.database_lost)

        np.subtract(self.now, self.time, out=self.age)
        np.equal(self.time, 0.0, out=self.never)
        np.copyto(self.age, FOREVER, where=self.never)
        np.fmin(self.age, FOREVER, out=self.age)  # of a time that is no number, too
        np.maximum(self.age, 0.0, out=self.age)
        np.less(self.age, self.timeout, out=self.failsafe)
        np.logical_not(self.failsafe, out=self.failsafe)
        np.logical_and(self.failsafe, self.configured, out=self.failsafe)
