"""The outbox: messages from being wanted to being delivered, each at least once.

All times are UTC in s. A clock that is set back must not hold up anything: what is due, or leased,
later than it could be by any rule counts as due, or free.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from runtime import spoolfile
from runtime.alerts import tables
from runtime.alerts.wording import Words
from runtime.spool import Kind

FIRST, LONGEST = 5.0, 900.0  # s between attempts, doubled each time
JITTER = 0.2  # share by which a pause is longer or shorter, so that not all come back at once
EXPIRY = 86_400.0  # s
GRACE = 10.0  # s beyond the time that an attempt may take, until its lease has run out
LONGEST_LEASE = 120.0  # s
SHOWN = 500  # characters of an error that are kept

_CLAIM = """
    update message set lease = :now + :lease, attempts = attempts + 1 where number = (
        select number from message as wanted
        where channel = :channel and state = 'pending' and ended is null and expires > :now
            and (:key is null or key = :key)
            and (due <= :now or due > :now + :farthest)
            and (lease <= :now or lease > :now + :longest)
            and not (kind = 'cleared' and exists (
                select 1 from message as before
                where before.alarm = wanted.alarm and before.channel = wanted.channel
                    and before.state = 'pending' and before.kind = 'raised'))
        order by priority, number limit 1
    ) returning *
"""


@dataclass(frozen=True)
class Order:
    """A message that is wanted."""

    key: str
    channel: str
    kind: str
    priority: int
    words: Words
    alarm: str | None = None
    escalation: bool = False


@dataclass(frozen=True)
class Claim:
    """A message to be delivered now by whoever claimed it, and the number of this attempt."""

    key: str
    channel: str
    priority: int
    title: str
    text: str
    short: str
    fields: Mapping[str, object]
    attempt: int


def pause(attempt: int, draw: float) -> float:
    """Time in s until the next attempt after number `attempt` has failed; `draw` is from 0 to 1."""
    doubled = FIRST * 2.0 ** min(attempt - 1, 20)
    return min(max(doubled * (1 + JITTER * (2 * draw - 1)), FIRST), LONGEST)


class Outbox:
    """One connection to the file of the outbox; each thread has its own."""

    def __init__(self, path: Path) -> None:
        self.connection = tables.connect(path)

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with spoolfile.transaction(self.connection):
            yield

    def add(self, order: Order, now: float, *, gathered: bool = False) -> bool:
        """Want a message, inside a transaction; False if it is there already, told or not."""
        added = self.connection.execute(
            "insert into message (key, channel, kind, alarm, escalation, priority, title, text,"
            " short, fields, state, created, expires, due)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
            (
                order.key,
                order.channel,
                order.kind,
                order.alarm,
                order.escalation,
                order.priority,
                order.words.title,
                order.words.text,
                order.words.short,
                orjson.dumps(dict(order.words.fields)).decode(),
                "gathered" if gathered else "pending",
                now,
                now + EXPIRY,
                now,
            ),
        )
        if added.rowcount:
            self._record(order.key)
        return bool(added.rowcount)

    def claim(
        self, channel: str, now: float, patience: float, key: str | None = None
    ) -> Claim | None:
        """Take the message of a channel that matters most, or that of a key.

        It is for an attempt of `patience` (s).
        """
        with self.transaction():
            row = self.connection.execute(
                _CLAIM,
                {
                    "channel": channel,
                    "key": key,
                    "now": now,
                    "lease": patience + GRACE,
                    "longest": LONGEST_LEASE,
                    "farthest": LONGEST * (1 + JITTER),
                },
            ).fetchone()
        if row is None:
            return None
        return Claim(
            row["key"],
            row["channel"],
            row["priority"],
            row["title"],
            row["text"],
            row["short"],
            orjson.loads(row["fields"]),
            row["attempts"],
        )

    def settle(self, claim: Claim, began: float, now: float, error: str | None) -> None:
        """Say what became of an attempt: `error` is None if the receiver took the message."""
        kept = error[:SHOWN] if error is not None else None
        outcome = "delivered" if error is None else "failed"
        with self.transaction():
            attempt = (claim.key, claim.attempt, began, now - began, outcome, kept)
            self.connection.execute("insert or ignore into attempt values (?,?,?,?,?,?)", attempt)
            if error is None:
                self._end(claim.key, "delivered", now)
                # The receiver is back: what waits for a later attempt need not wait so long.
                self.connection.execute(
                    "update message set due = min(due, ?) where channel = ? and state = 'pending'",
                    (now + FIRST, claim.channel),
                )
            else:
                due = now + pause(claim.attempt, random.random())
                self.connection.execute(
                    "update message set lease = 0, due = ?, error = ?"
                    " where key = ? and attempts = ? and state = 'pending'",
                    (due, kept, claim.key, claim.attempt),
                )
            self._record(claim.key, claim.attempt)

    def end(self, key: str, state: str, now: float) -> None:
        """End a message that is not to be delivered any more."""
        with self.transaction():
            self._end(key, state, now)
            self._record(key)

    def release(self) -> None:
        """Give back all leases: for the one process that delivers, when it starts."""
        with self.transaction():
            self.connection.execute("update message set lease = 0 where lease > 0")

    def expire(self, now: float) -> int:
        """End what nobody took in time and nobody is attempting; how many."""
        late = "state = 'pending' and expires <= ? and lease <= ?"
        if not self.connection.execute(
            f"select 1 from message where {late}", (now, now)
        ).fetchone():
            return 0
        with self.transaction():
            keys = self._keys(late, (now, now))
            for key in keys:
                self._end(key, "expired", now)
                self._record(key)
        return len(keys)

    def withdraw(self, alarm: str, now: float) -> None:
        """End the escalations of an alarm that were not delivered; inside a transaction."""
        needless = "alarm = ? and escalation and state in ('pending', 'gathered') and lease <= ?"
        for key in self._keys(needless, (alarm, now)):
            self._end(key, "withdrawn", now)
            self._record(key)

    def digest(self, order: Order, members: list[str], now: float) -> None:
        """Want a digest in place of gathered messages; inside a transaction."""
        self.add(order, now)
        for key in members:
            self.connection.execute("update message set digest = ? where key = ?", (order.key, key))
            self._end(key, "digested", now)
            self._record(key)

    def _keys(self, condition: str, parameters: tuple[object, ...]) -> list[str]:
        found = self.connection.execute(f"select key from message where {condition}", parameters)
        return [row[0] for row in found.fetchall()]

    def _end(self, key: str, state: str, now: float) -> None:
        self.connection.execute(
            "update message set state = ?, ended = ?, lease = 0"
            " where key = ? and state in ('pending', 'gathered')",
            (state, now, key),
        )

    def _record(self, key: str, attempt: int | None = None) -> None:
        """Write down for PostgreSQL how a message is, and its attempt."""
        body = dict(self.connection.execute(_STATE, (key,)).fetchone())
        body["fields"] = orjson.loads(body["fields"])
        if attempt is not None:
            row = self.connection.execute(_ATTEMPT, (key, attempt)).fetchone()
            body["attempt"] = dict(row)
        self.connection.execute(spoolfile.INSERT, (Kind.ALERT, orjson.dumps(body)))


_STATE = """
    select key, channel, kind, alarm, priority, title, text, fields, state, created, attempts,
           error, ended, digest
    from message where key = ?
"""
_ATTEMPT = "select number, at, took, outcome, error from attempt where message = ? and number = ?"
