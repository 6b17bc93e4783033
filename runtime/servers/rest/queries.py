"""What is asked of PostgreSQL: history. The only module of the servers that knows a database.

Nothing here may hold up a stop. At most LIMIT queries run at a time and one more is refused at
once. They run on an event loop of their own, because nothing else bounds a query against a server
that has frozen. Each takes a fresh connection: histories are asked for rarely, and so they are
there again as soon as the database is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Semaphore
from typing import Any

import psycopg
from psycopg.rows import dict_row

from runtime.audit.wanted import Wanted
from runtime.database import audit_search, trace
from runtime.database.asking import Row
from runtime.database.postmaster import ServerError
from runtime.equipment import Equipment
from runtime.places import Places
from runtime.servers.rest.asking import Loop

LIMIT = 4
DOORS = 4  # queries about who signs in: reports never keep anybody out
CONNECT = 0.5  # s
STATEMENT = 2.0  # s
PATIENCE = 3.0  # s until a client is told that there is no answer
SEARCHED = 2 << 20  # bytes of a spool that are looked through for a story

STOPS = """
    SELECT emergency_stop_id::text AS id, event, scope, station_id AS station, pump_id AS pump,
           occurred_at AS at, actor, role, protocol, address, reason, scan,
           round((latency_s * 1000)::numeric, 1)::float8 AS latency_ms
    FROM emergency_stop_events
    WHERE (%(id)s::bigint IS NULL OR emergency_stop_id = %(id)s)
    ORDER BY occurred_at DESC, emergency_stop_event_id DESC
    LIMIT %(limit)s
"""
VIOLATIONS = """
    SELECT station_id AS station, pump_id AS pump, limit_name AS limit, limit_value, extreme_value,
           started_at, ended_at, scan
    FROM safety_limit_violations
    WHERE (%(station)s::text IS NULL OR station_id = %(station)s)
      AND (%(pump)s::integer IS NULL OR pump_id = %(pump)s)
      AND (%(since)s::timestamptz IS NULL OR coalesce(ended_at, 'infinity') >= %(since)s)
    ORDER BY started_at DESC, violation_id DESC
    LIMIT %(limit)s
"""
ALERTS = """
    SELECT alert_key AS key, alarm_key, kind, channel, tag, station_id AS station,
           pump_id AS pump, priority, title, message, value, limit_value AS limit,
           raised_at AS since, created_at AS at, state, ended_at, digest_key AS digest,
           coalesce((
               SELECT json_agg(json_build_object(
                   'number', attempt, 'at', attempted_at, 'took_s', took_s, 'outcome', outcome,
                   'error', error) ORDER BY attempt)
               FROM alert_attempts WHERE alert_attempts.alert_key = alerts.alert_key
           ), '[]') AS attempts
    FROM alerts
    WHERE (%(station)s::text IS NULL OR station_id = %(station)s)
      AND (%(pump)s::integer IS NULL OR pump_id = %(pump)s)
      AND (%(channel)s::text IS NULL OR channel = %(channel)s)
      AND (%(state)s::text IS NULL OR state = %(state)s)
      AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
    ORDER BY created_at DESC, sequence DESC
    LIMIT %(limit)s
"""


class Away(Exception):
    """The database doesn't answer; the message says why."""


class Busy(Exception):
    """As many queries run as may."""

    def __str__(self) -> str:
        return f"{LIMIT} queries run already"


class Queries:
    """Runs queries for all threads. `dsn` tells where the database is; it may raise ServerError."""

    def __init__(self, dsn: Callable[[], str]) -> None:
        self._dsn = dsn
        self._loop = Loop("queries")
        self._room = Semaphore(LIMIT)
        self._doors = Semaphore(DOORS)

    def stops(self, limit: int, identity: int | None = None) -> list[Row]:
        """Emergency stops set and cleared, the newest first."""
        return self._ask(STOPS, {"limit": limit, "id": identity})

    def violations(self, wanted: Mapping[str, Any]) -> list[Row]:
        """Safety limits that acted, the newest first, by `station`, `pump`, `since`, `limit`."""
        return self._ask(VIOLATIONS, wanted)

    def alerts(self, wanted: Mapping[str, Any]) -> list[Row]:
        """Messages that told of alarms, by station, pump, channel, state and time."""
        return self._ask(ALERTS, wanted)

    def audit(self, wanted: Wanted, limit: int, before: int | None) -> list[Row]:
        """Entries of the audit log, the newest first, of those before a number."""
        return audit_search.newest(self._ask, wanted, limit, before)

    def story(
        self, places: Places, equipment: Equipment, identity: str
    ) -> tuple[trace.Story, bool]:
        """The story of an id, and whether the database was there to tell it."""
        try:
            return trace.tell(self._ask, places, equipment, identity, SEARCHED), True
        except Away:
            return trace.tell(None, places, equipment, identity, SEARCHED), False

    def sign_in(self, query: str, parameters: Mapping[str, Any]) -> list[Row]:
        """What a sign-in asks; reports take no room from it."""
        return self._ask(query, parameters, self._doors)

    def later(self, query: str, parameters: Mapping[str, Any]) -> Future[list[Row]]:
        """Ask, and wait for nothing."""
        return self._loop.submit(self._rows(query, parameters))

    def _ask(
        self, query: str, parameters: Mapping[str, Any], room: Semaphore | None = None
    ) -> list[Row]:
        room = room or self._room
        if not room.acquire(blocking=False):
            raise Busy
        try:
            asked = self._loop.submit(self._rows(query, parameters))
        except BaseException:
            room.release()
            raise
        asked.add_done_callback(lambda _: room.release())
        try:
            return asked.result(PATIENCE)
        except TimeoutError:
            raise Away("it does not answer in time") from None
        except (psycopg.Error, ServerError, OSError) as error:
            raise Away(str(error).strip() or type(error).__name__) from None

    async def _rows(self, query: str, parameters: Mapping[str, Any]) -> list[Row]:
        async with asyncio.timeout(CONNECT):
            connection = await psycopg.AsyncConnection.connect(
                self._dsn(),
                autocommit=True,
                options=f"-c statement_timeout={STATEMENT * 1000:.0f}",
                row_factory=dict_row,
            )
        async with connection, asyncio.timeout(CONNECT + STATEMENT):
            return await (await connection.execute(query, parameters)).fetchall()

    def close(self) -> None:
        self._loop.close()
