"""Sessions: who has signed in, for as long as he does something, and by an ever new token.

    begun ──renewed, used──▶ begun        idle, over, signed out, revoked ──▶ ended for good

A token is 256 random bits, of which only the SHA-256 is kept. Renewing issues a successor; the old
token goes on until the successor has been used (the reply with it may have been lost), and GRACE
longer, for requests that were on their way. Whoever shows it after that has a copy of it: the whole
session ends, because nobody can tell thief from owner.

PostgreSQL keeps sessions over a restart. What is known here is honoured without asking it, so that
nothing waits for a database that is away or slow; what changes meanwhile is told every EXCHANGE
seconds, and what was revoked there is learnt then.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid4

IDLE = 15 * 60.0  # s without doing anything
LASTS = 12 * 3600.0  # s at most: a shift
GRACE = 60.0  # s
EXCHANGE = 5.0  # s
MOST = 1_000  # sessions at a time


class TooMany(Exception):
    """There are as many sessions as may be."""


@dataclass(frozen=True)
class KeptToken:
    """A token of a kept session, and for how many s its successor has been used; None: not yet."""

    hash: bytes
    superseded: float | None


@dataclass(frozen=True)
class Kept:
    """A session as it was kept. Times in s; `tokens` in the order of their issue."""

    id: UUID
    user: str
    address: str
    revoked: bool
    age: float
    idle: float
    left: float
    tokens: list[KeptToken]


@dataclass(frozen=True)
class Changes:
    """What to tell the store: for how long each session is idle, what ended, and why."""

    idle: dict[UUID, float]
    superseded: list[bytes]
    ended: dict[UUID, str]


class Store(Protocol):
    """Where sessions are kept."""

    def begin(self, session: UUID, user: str, address: str, token: bytes, lasts: float) -> None: ...
    def renew(self, session: UUID, token: bytes) -> bool: ...
    def find(self, token: bytes) -> Kept | None: ...
    def exchange(self, changes: Changes) -> Future[list[dict[str, Any]]]: ...


@dataclass
class Session:
    """A session in force. Times by the clock of `Sessions`."""

    id: UUID
    user: str
    address: str
    began: float
    used: float
    ends: float
    tokens: dict[bytes, float | None] = field(default_factory=dict)
    """By order of issue: when each was superseded; None: it has not been."""


class Sessions:
    """The sessions of a server. Thread-safe."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[UUID, Session] = {}
        self._of_token: dict[bytes, Session] = {}
        self._superseded: list[bytes] = []
        self._ended: dict[UUID, str] = {}
        self._exchanged = clock()
        self._exchanging = False

    def __iter__(self) -> Iterator[Session]:
        """Those in force, the oldest first."""
        with self._lock:
            self._drop_dead()
            return iter(sorted(self._known.values(), key=lambda session: session.began))

    def begin(self, user: str, address: str) -> tuple[Session, str]:
        """A new session and its token. Raises TooMany, and what the store raises."""
        with self._lock:
            self._drop_dead()
            if len(self._known) >= MOST:
                raise TooMany(f"{MOST} sessions are in force already")
        token, now = secrets.token_urlsafe(32), self._clock()
        session = Session(uuid4(), user, address, now, now, now + LASTS)
        self._store.begin(session.id, user, address, _hash(token), LASTS)
        with self._lock:
            self._know(session, {_hash(token): None})
        return session, token

    def of(self, token: str, active: bool) -> Session | None:
        """The session of a token; `active`: its user does something. None: none is in force.

        Raises what the store raises, if only the store can know.
        """
        mark = _hash(token)
        with self._lock:
            known = mark in self._of_token
        if not known:
            self._recall(mark)
        with self._lock:
            session = self._of_token.get(mark)
            if session is None or not self._may_go_on(session, mark):
                return None
            if active:
                session.used = self._clock()
        self._exchange_if_due()
        return session

    def renew(self, session: Session) -> str | None:
        """A new token of a session; None if it has been revoked. Raises what the store raises."""
        token = secrets.token_urlsafe(32)
        if not self._store.renew(session.id, _hash(token)):
            self.end(session, "revoked")
            return None
        with self._lock:
            session.used = self._clock()
            session.tokens[_hash(token)] = None
            if session.id in self._known:
                self._of_token[_hash(token)] = session
        return token

    def end(self, session: Session, why: str) -> None:
        """End a session for good, at once."""
        with self._lock:
            self._forget(session, why)
        self._exchange_if_due(0.0)

    def end_all(self, user: str, why: str, but: Session | None = None) -> None:
        """End the sessions of a user, or all but one of them."""
        with self._lock:
            for session in [s for s in self._known.values() if s.user == user and s is not but]:
                self._forget(session, why)
        self._exchange_if_due(0.0)

    def _may_go_on(self, session: Session, mark: bytes) -> bool:
        now = self._clock()
        if over := self._over(session, now):
            self._forget(session, over)
            return False
        superseded = session.tokens[mark]
        if superseded is not None and now - superseded > GRACE:
            self._forget(session, "an old token was used again")
            return False
        for earlier in session.tokens:
            if earlier == mark:
                break
            if superseded is None and session.tokens[earlier] is None:
                session.tokens[earlier] = now
                self._superseded.append(earlier)
        return True

    @staticmethod
    def _over(session: Session, now: float) -> str:
        if now >= session.ends:
            return "over"
        return "idle" if now - session.used >= IDLE else ""

    def _drop_dead(self) -> None:
        now = self._clock()
        for session in list(self._known.values()):
            if over := self._over(session, now):
                self._forget(session, over)

    def _know(self, session: Session, tokens: dict[bytes, float | None]) -> None:
        session.tokens = tokens
        self._known[session.id] = session
        self._of_token |= dict.fromkeys(tokens, session)

    def _forget(self, session: Session, why: str) -> None:
        if self._known.pop(session.id, None) is None:
            return
        for mark in session.tokens:
            self._of_token.pop(mark, None)
        self._ended[session.id] = why

    def _recall(self, mark: bytes) -> None:
        """Take over what the store has kept from before a restart."""
        kept = self._store.find(mark)
        if kept is None or kept.revoked:
            return
        now = self._clock()
        session = Session(
            kept.id, kept.user, kept.address, now - kept.age, now - kept.idle, now + kept.left
        )
        with self._lock:
            if kept.id not in self._known and kept.id not in self._ended:
                tokens = {
                    t.hash: None if t.superseded is None else now - t.superseded
                    for t in kept.tokens
                }
                self._know(session, tokens)

    def _exchange_if_due(self, period: float = EXCHANGE) -> None:
        with self._lock:
            now = self._clock()
            if self._exchanging or now - self._exchanged < period:
                return
            self._exchanging, self._exchanged = True, now
            changes = Changes(
                {session.id: now - session.used for session in self._known.values()},
                list(self._superseded),
                dict(self._ended),
            )
        told = self._store.exchange(changes)
        told.add_done_callback(lambda future: self._exchanged_with(changes, future))

    def _exchanged_with(self, changes: Changes, told: Future[list[dict[str, Any]]]) -> None:
        with self._lock:
            self._exchanging = False
            if told.cancelled() or told.exception() is not None:
                return  # the store is away: all is told again next time
            self._superseded = self._superseded[len(changes.superseded) :]
            for over in changes.ended:
                self._ended.pop(over, None)
            in_force = {row["session_id"] for row in told.result()}
            for identity in changes.idle:
                if identity not in in_force and identity in self._known:
                    self._forget(self._known[identity], "revoked")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
