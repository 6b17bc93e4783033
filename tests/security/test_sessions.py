"""Sessions by a clock of the test, kept by a store in memory."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any
from uuid import UUID

import pytest

from runtime.security.sessions import (
    EXCHANGE,
    GRACE,
    IDLE,
    LASTS,
    Changes,
    Kept,
    Session,
    Sessions,
)


class Kitchen:
    """Clock and store. The store can be away, and can have revoked sessions by itself."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.away = False
        self.revoked: set[UUID] = set()
        self.told: list[Changes] = []

    def __call__(self) -> float:
        return self.now

    def begin(self, session: UUID, user: str, address: str, token: bytes, lasts: float) -> None:
        assert lasts == LASTS

    def renew(self, session: UUID, token: bytes) -> bool:
        return session not in self.revoked

    def find(self, token: bytes) -> Kept | None:
        if self.away:
            raise ConnectionError
        return None

    def exchange(self, changes: Changes) -> Future[list[dict[str, Any]]]:
        told: Future[list[dict[str, Any]]] = Future()
        if self.away:
            told.set_exception(ConnectionError())
        else:
            self.told.append(changes)
            told.set_result([{"session_id": i} for i in changes.idle if i not in self.revoked])
        return told


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


@pytest.fixture
def sessions(kitchen: Kitchen) -> Sessions:
    return Sessions(kitchen, kitchen)


def of(sessions: Sessions, token: str | None, active: bool = False) -> Session | None:
    assert token is not None
    return sessions.of(token, active)


def test_who_does_nothing_is_signed_out_though_he_looks(
    kitchen: Kitchen, sessions: Sessions
) -> None:
    session, token = sessions.begin("anna", "::1")
    kitchen.now += IDLE - 1
    assert of(sessions, token, active=True) is session
    kitchen.now += IDLE - 1
    assert of(sessions, token) is session
    kitchen.now += 1
    assert of(sessions, token, active=True) is None
    assert list(sessions) == []


def test_no_session_outlasts_a_shift(kitchen: Kitchen, sessions: Sessions) -> None:
    _, token = sessions.begin("anna", "::1")
    for _ in range(int(LASTS / (IDLE / 2)) - 1):
        kitchen.now += IDLE / 2
        assert of(sessions, token, active=True)
    kitchen.now += IDLE / 2
    assert of(sessions, token, active=True) is None


def test_an_old_token_serves_until_its_successor_is_used_and_a_moment_longer(
    kitchen: Kitchen, sessions: Sessions
) -> None:
    session, first = sessions.begin("anna", "::1")
    second = sessions.renew(session)
    kitchen.now += GRACE * 2
    assert of(sessions, first), "the reply with the second may have been lost"
    assert of(sessions, second)
    kitchen.now += GRACE
    assert of(sessions, first)
    kitchen.now += 1
    assert of(sessions, first) is None
    assert of(sessions, second) is None, "thief and owner look alike"
    assert kitchen.told[-1].ended == {} or session.id in kitchen.told[-1].ended


def test_what_the_store_revoked_ends_and_a_store_that_is_away_ends_nothing(
    kitchen: Kitchen, sessions: Sessions
) -> None:
    session, token = sessions.begin("anna", "::1")
    kitchen.away = True
    kitchen.now += EXCHANGE
    assert of(sessions, token)
    kitchen.revoked.add(session.id)
    assert of(sessions, token)
    kitchen.away = False
    kitchen.now += EXCHANGE
    of(sessions, token)
    assert of(sessions, token) is None
    assert sessions.renew(session) is None


def test_what_ended_while_the_store_was_away_is_told_later(
    kitchen: Kitchen, sessions: Sessions
) -> None:
    (gone, _), (_, token) = sessions.begin("anna", "::1"), sessions.begin("otto", "::1")
    kitchen.away = True
    sessions.end_all("anna", "signed out")
    kitchen.away = False
    kitchen.now += EXCHANGE
    assert of(sessions, token)
    assert kitchen.told[-1].ended == {gone.id: "signed out"}
