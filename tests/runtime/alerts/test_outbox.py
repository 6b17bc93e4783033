"""The outbox: at least once, by one sender at a time, and not for ever; through crashes."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.alerts import tidying
from runtime.alerts.outbox import EXPIRY, FIRST, GRACE, LONGEST, Order, Outbox, pause
from runtime.alerts.tidying import forget
from runtime.alerts.wording import Words
from runtime.spoolfile import SpoolReader

WORDS = Words("title", "text", "short", {"event": "raised"})
PATIENCE = 10.0  # s of an attempt
NOW = 1.7e9


def order(key: str, channel: str = "duty", **more: object) -> Order:
    return Order(key, channel, "raised", 2, WORDS, **more)  # type: ignore[arg-type]


def add(outbox: Outbox, one: Order, now: float = NOW) -> bool:
    with outbox.transaction():
        return outbox.add(one, now)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.db"


@given(attempt=st.integers(1, 200), draw=st.floats(0, 1))
def test_pauses_double_from_5_s_to_15_min_with_jitter(attempt: int, draw: float) -> None:
    assert FIRST <= pause(attempt, draw) <= LONGEST
    assert pause(attempt, 0.5) == min(FIRST * 2.0 ** min(attempt - 1, 20), LONGEST)
    assert pause(attempt, 0.0) <= pause(attempt, 1.0)


def test_a_message_is_wanted_once(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        assert add(outbox, order("a"))
        assert not add(outbox, order("a"))
        claim = outbox.claim("duty", NOW, PATIENCE)
        assert claim is not None
        outbox.settle(claim, NOW, NOW, None)
        assert not add(outbox, order("a"))
        assert outbox.claim("duty", NOW + EXPIRY / 2, PATIENCE) is None


def test_critical_messages_go_first_and_each_channel_has_its_own(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        add(outbox, order("low"))
        add(outbox, Order("high", "duty", "raised", 1, WORDS))
        add(outbox, order("other", channel="boss"))
        claims = [outbox.claim("duty", NOW, PATIENCE) for _ in range(3)]
        assert [claim.key if claim else None for claim in claims] == ["high", "low", None]


def test_success_brings_the_others_forward(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        add(outbox, order("a"))
        now = NOW
        for _ in range(12):
            claim = outbox.claim("duty", now, PATIENCE)
            assert claim is not None
            outbox.settle(claim, now, now, "refused")
            now += LONGEST
        claim = outbox.claim("duty", now, PATIENCE)
        assert claim is not None
        outbox.settle(claim, now, now, "refused")
        add(outbox, order("b"), now)
        claim = outbox.claim("duty", now, PATIENCE)
        assert claim is not None
        assert claim.key == "b"
        outbox.settle(claim, now, now, None)
        claim = outbox.claim("duty", now + FIRST, PATIENCE)
        assert claim is not None
        assert claim.key == "a"


def test_a_clock_that_is_set_back_holds_up_nothing(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        add(outbox, order("a"))
        claim = outbox.claim("duty", NOW, PATIENCE)
        assert claim is not None
        outbox.settle(claim, NOW, NOW, "refused")
        add(outbox, order("b"))
        assert outbox.claim("duty", NOW, PATIENCE)  # and dies with it
        back = NOW - 86_400.0
        claims = [outbox.claim("duty", back, PATIENCE) for _ in range(3)]
        assert {claim.key for claim in claims if claim} == {"a", "b"}


def test_what_a_dead_process_was_attempting_is_free_at_the_start(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        add(outbox, order("a"))
        assert outbox.claim("duty", NOW, PATIENCE)
        assert outbox.claim("duty", NOW, PATIENCE) is None
        outbox.release()
        again = outbox.claim("duty", NOW, PATIENCE)
        assert again is not None
        assert again.attempt == 2


def test_a_sender_that_comes_back_late_with_a_failure_changes_nothing(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        add(outbox, order("a"))
        late = outbox.claim("duty", NOW, PATIENCE)
        now = NOW + PATIENCE + GRACE
        second = outbox.claim("duty", now, PATIENCE)
        assert late is not None
        assert second is not None
        outbox.settle(late, NOW, now, "refused")
        assert outbox.claim("duty", now + PATIENCE, PATIENCE) is None
        outbox.settle(second, now, now + 1.0, None)
        assert outbox.claim("duty", now + LONGEST, PATIENCE) is None


def test_what_ended_long_ago_is_forgotten_and_what_is_open_is_not(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        add(outbox, order("a"))
        add(outbox, order("b"))
        claim = outbox.claim("duty", NOW, PATIENCE)
        assert claim is not None
        outbox.settle(claim, NOW, NOW, None)
        forget(outbox.connection, NOW + 1.0)
        left = outbox.connection.execute("select key from message").fetchall()
        assert [row["key"] for row in left] == ["b"]
        assert outbox.connection.execute("select count(*) from attempt").fetchone()[0] == 0


def test_records_that_postgresql_does_not_take_are_bounded_and_the_loss_is_recorded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "RECORDS", 20)
    monkeypatch.setattr(tidying, "GIVEN_UP", 15)
    with closing(Outbox(path)) as outbox:
        for n in range(21):
            add(outbox, order(f"m{n}"))
        forget(outbox.connection, NOW)
    with closing(SpoolReader(path)) as reader:
        records = reader.batch(100)
    assert [record.body["key"] for record in records[:-1]] == [f"m{n}" for n in range(15, 21)]
    assert (records[-1].kind, records[-1].body) == ("lost", {"records": 15, "kind": "alert"})


def test_every_change_is_spooled_in_the_same_transaction(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        add(outbox, order("a"))
        claim = outbox.claim("duty", NOW, PATIENCE)
        assert claim is not None
        outbox.settle(claim, NOW, NOW + 1.0, "refused")
        with suppress(KeyboardInterrupt), outbox.transaction():
            outbox.add(order("b"), NOW)
            raise KeyboardInterrupt
    with closing(SpoolReader(path)) as reader:
        bodies = [record.body for record in reader.batch(100)]
    assert [(body["key"], body["state"]) for body in bodies] == [("a", "pending")] * 2
    assert bodies[1]["attempt"] == {
        "number": 1,
        "at": NOW,
        "took": 1.0,
        "outcome": "failed",
        "error": "refused",
    }
