"""Reading the history of one tag: values as they were stored, or what they make per interval.

A value holds until the next of its series, but no longer than `held` s: then nothing was recorded.

Nothing here holds up its caller. Queries run on an event loop in a thread of their own, because
nothing else bounds one against a server that has frozen; at most LIMIT of them at a time, and one
more is refused at once. Each takes a fresh connection that can only read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Any

import psycopg

from runtime.database.postmaster import ServerError

LIMIT = 4
CONNECT = 0.5  # s
STATEMENT = 2.0  # s
PATIENCE = 3.0  # s until there is no answer

_RAW = """
    SELECT extract(epoch FROM occurred_at)::float8, value, quality
    FROM history JOIN history_series USING (series_id)
    WHERE tag = %(tag)s AND slot = %(slot)s AND {bounds}
    ORDER BY occurred_at {order} LIMIT %(most)s
"""
_INTERVALS = """
    WITH found AS (
        SELECT extract(epoch FROM occurred_at)::float8 AS at, value, quality
        FROM history JOIN history_series USING (series_id)
        WHERE tag = %(tag)s AND slot = %(slot)s
            AND occurred_at >= to_timestamp(%(low)s) AND occurred_at < to_timestamp(%(high)s)
    ), placed AS (
        SELECT *, floor((at - %(origin)s) / %(step)s)::integer AS place,
               quality >= %(least)s AND value <> 'NaN' AS good
        FROM found
    ), held AS (
        SELECT *, lead(at) OVER series IS NULL AS last,
               least(
                   coalesce(lead(at) OVER series, %(origin)s + (place + 1) * %(step)s),
                   at + %(held)s, %(high)s
               ) - at AS lasted
        FROM placed WINDOW series AS (PARTITION BY place ORDER BY at)
    )
    SELECT place, count(*), count(*) FILTER (WHERE good), sum(value) FILTER (WHERE good),
           min(value) FILTER (WHERE good), max(value) FILTER (WHERE good),
           coalesce(sum(value * lasted) FILTER (WHERE good), 0),
           coalesce(sum(lasted) FILTER (WHERE good), 0),
           min(at), max(at), max(value) FILTER (WHERE last AND good)
    FROM held GROUP BY place ORDER BY place
"""


class Away(Exception):
    """The database doesn't answer; the message says why."""


class Busy(Exception):
    """As many queries run as may."""


@dataclass(frozen=True)
class Sample:
    """A stored value: at, in s since 1970; quality as in the image."""

    at: float
    value: float
    quality: int


@dataclass(frozen=True)
class Interval:
    """What the values of an interval make; `place` is its number, the first is 0.

    `count` is of all values, `good` of those that count. `area` is the sum of each of these times
    how long it held inside, `lasted` how long that was together. `held` is the last value if it
    counts: it goes on into the next interval.
    """

    place: int
    count: int
    good: int
    sum: float | None
    low: float | None
    high: float | None
    area: float
    lasted: float
    first_at: float
    last_at: float
    held: float | None


@dataclass(frozen=True)
class Series:
    """What is asked about: a tag, as `Pump.Setpoint`, in a row."""

    tag: str
    slot: int


class Historian:
    """Asks for history. `dsn` tells where the database is; it may raise ServerError."""

    def __init__(self, dsn: Callable[[], str]) -> None:
        self._dsn = dsn
        self._running = 0
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="history", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def raw(
        self, series: Series, low: float, high: float, newest_first: bool, most: int
    ) -> list[Sample]:
        """At most so many values from `low` up to, but without, `high` (reversed: without low)."""
        bounds = (
            "occurred_at > to_timestamp(%(low)s) AND occurred_at <= to_timestamp(%(high)s)"
            if newest_first
            else "occurred_at >= to_timestamp(%(low)s) AND occurred_at < to_timestamp(%(high)s)"
        )
        query = _RAW.format(bounds=bounds, order="DESC" if newest_first else "")
        wanted = {"tag": series.tag, "slot": series.slot, "low": low, "high": high, "most": most}
        return [Sample(*row) for row in await self.ask(query, wanted)]

    async def before(self, series: Series, at: float) -> Sample | None:
        """The value that was stored last, at or before a time."""
        query = _RAW.format(bounds="occurred_at <= to_timestamp(%(at)s)", order="DESC")
        wanted = {"tag": series.tag, "slot": series.slot, "at": at, "most": 1}
        return next((Sample(*row) for row in await self.ask(query, wanted)), None)

    async def after(self, series: Series, at: float) -> Sample | None:
        """The value that was stored first, at or after a time."""
        query = _RAW.format(bounds="occurred_at >= to_timestamp(%(at)s)", order="")
        wanted = {"tag": series.tag, "slot": series.slot, "at": at, "most": 1}
        return next((Sample(*row) for row in await self.ask(query, wanted)), None)

    async def intervals(
        self, series: Series, low: float, high: float, step: float, least: int, held: float
    ) -> list[Interval]:
        """The intervals from `low` to `high` that have values; qualities from `least` count."""
        wanted = {
            "tag": series.tag,
            "slot": series.slot,
            "low": low,
            "high": high,
            "origin": low,
            "step": step,
            "least": least,
            "held": held,
        }
        return [Interval(*row) for row in await self.ask(_INTERVALS, wanted)]

    async def ask(self, query: str, wanted: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Rows. Raises Busy, Away."""
        if self._running >= LIMIT:
            raise Busy(f"{LIMIT} histories are being read already")
        self._running += 1
        try:
            asked = asyncio.run_coroutine_threadsafe(self._bounded(query, wanted), self._loop)
            return await asyncio.wrap_future(asked)
        except TimeoutError:
            raise Away("it does not answer in time") from None
        except (psycopg.Error, ServerError, OSError) as error:
            raise Away(str(error).strip() or type(error).__name__) from None
        finally:
            self._running -= 1

    async def _bounded(self, query: str, wanted: dict[str, Any]) -> list[tuple[Any, ...]]:
        async with asyncio.timeout(PATIENCE):
            return await self._rows(query, wanted)

    async def _rows(self, query: str, wanted: dict[str, Any]) -> list[tuple[Any, ...]]:
        options = f"-c statement_timeout={STATEMENT * 1e3:.0f} -c default_transaction_read_only=on"
        async with asyncio.timeout(CONNECT):
            connection = await psycopg.AsyncConnection.connect(
                self._dsn(), autocommit=True, options=options
            )
        async with connection:
            return await (await connection.execute(query, wanted)).fetchall()
