"""Simulated time for what reads the database, and its threads taken through their work by turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import psycopg
from psycopg.conninfo import make_conninfo

from runtime.clock import Clock
from runtime.database import feedback, inputs, plan_times, plans
from runtime.database.connection import Worker
from runtime.database.feedback import FeedbackReader
from runtime.database.plans import PlanReader

PATIENCE = 30.0  # s of real time for one round of work

# What the readers' statements call now() and clock_timestamp() is a row that we set.
_CLOCK = """
CREATE SCHEMA simulated;
CREATE UNLOGGED TABLE simulated.clock (at timestamptz NOT NULL) WITH (fillfactor = 10);
INSERT INTO simulated.clock VALUES ('epoch');
CREATE FUNCTION simulated.now() RETURNS timestamptz STABLE
    LANGUAGE sql AS 'SELECT at FROM simulated.clock';
CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz STABLE
    LANGUAGE sql AS 'SELECT at FROM simulated.clock';
GRANT USAGE ON SCHEMA simulated TO PUBLIC;
GRANT SELECT ON simulated.clock TO PUBLIC;
GRANT UPDATE ON simulated.clock TO feedback_writer;
"""
SET_CLOCK = "UPDATE simulated.clock SET at = %(now)s"
_SEARCH_PATH = "-c search_path=simulated,pg_catalog,public"


def simulate_clock(superuser: str) -> None:
    """Give the database a clock that is set by hand; `superuser` is the DSN of one."""
    with psycopg.connect(superuser) as connection:
        connection.execute(_CLOCK)


def by_simulated_clock(dsn: str) -> str:
    """The DSN of a connection that sees the clock that is set by hand."""
    return make_conninfo(dsn, options=_SEARCH_PATH)


class _Time:
    """What the readers know of the module `time`."""

    def __init__(self, clock: Clock) -> None:
        self.monotonic = clock.now


@contextmanager
def simulated_time(clock: Clock) -> Iterator[None]:
    """Have everything that puts the database's times on the scan clock use `clock` for it."""
    with ExitStack() as stack:
        for reader in (feedback, inputs, plan_times, plans):
            stack.enter_context(patch.object(reader, "time", _Time(clock)))
        yield


class ByTurns(Worker):
    """A worker that begins each further round of its work when it is told to."""

    def take_turn(self) -> None:
        """Have it go through one round of its work."""
        self._go.release()
        self.wait()

    def wait(self) -> None:
        """Wait until it has gone through its round."""
        if not self._done.acquire(timeout=PATIENCE):
            raise TimeoutError(f"{self.name}: no round of work within {PATIENCE:g} s")
        if not self.connected:
            raise ConnectionError(f"{self.name}: {self.status}")

    def start(self) -> None:
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        super().start()

    def stop(self) -> None:
        super().stop()
        self._go.release(2)  # from its round, and from its end

    def pause(self, seconds: float) -> None:
        self._done.release()
        self._go.acquire()


class FeedbackByTurns(ByTurns, FeedbackReader):
    """The reader of feedback, by turns."""


class PlansByTurns(ByTurns, PlanReader):
    """The reader of plans, by turns. It waits for a notification, so one has to be there."""
