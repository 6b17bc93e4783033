"""The outbox: at least once, by one sender at a time, and not for ever; through crashes."""

from __future__ import annotations

import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from runtime.alerts import tidying
from runtime.alerts.outbox import EXPIRY, FIRST, GRACE, LONGEST, Claim, Order, Outbox, pause
from runtime.alerts.tidying import forget
from runtime.alerts.wording import Words
from runtime.spoolfile import SpoolReader
from tests.conftest import fast_directory

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


class Deliveries(RuleBasedStateMachine):
    """Senders that claim, succeed, fail, die and come back late, while time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=fast_directory())
        self.path = Path(self.folder.name) / "alerts.db"
        self.outbox = Outbox(self.path)
        self.now = NOW
        self.made: dict[str, float] = {}
        self.sent: dict[str, int] = {}
        self.held: list[tuple[Claim, float]] = []  # with the end of the lease
        self.gone: list[Claim] = []

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()

    @rule()
    def want(self) -> None:
        key = f"m{len(self.made)}"
        self.made[key] = self.now
        add(self.outbox, order(key), self.now)

    @rule()
    def claim(self) -> None:
        claim = self.outbox.claim("duty", self.now, PATIENCE)
        if claim is None:
            return
        leases = [held for held, until in self.held if until > self.now]
        assert claim.key not in [held.key for held in leases], "two senders at one time"
        assert self.made[claim.key] + EXPIRY > self.now
        assert not self.sent.get(claim.key), "sent again although it was settled"
        self.held.append((claim, self.now + PATIENCE + GRACE))

    @precondition(lambda self: self.held)
    @rule()
    def succeed(self) -> None:
        claim, _ = self.held.pop(0)
        self.outbox.settle(claim, self.now, self.now, None)
        self.sent[claim.key] = self.sent.get(claim.key, 0) + 1

    @precondition(lambda self: self.held)
    @rule()
    def fail(self) -> None:
        claim, _ = self.held.pop()
        self.outbox.settle(claim, self.now, self.now, "refused")

    @rule()
    def crash(self) -> None:
        """The process is killed: what it held is nobody's, and its file is opened anew."""
        self.outbox.close()
        self.held.clear()
        self.outbox = Outbox(self.path)
        self.outbox.release()

    @rule(seconds=st.sampled_from((0.1, 4.0, 21.0, 950.0, 30_000.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.outbox.expire(self.now)

    @invariant()
    def nothing_is_lost(self) -> None:
        rows = self.outbox.connection.execute("select * from message").fetchall()
        assert {row["key"] for row in rows} == set(self.made)
        for row in rows:
            key = row["key"]
            if row["state"] == "delivered":
                assert self.sent[key] >= 1
            elif row["state"] == "expired":
                assert self.now - self.made[key] >= EXPIRY
            else:
                assert row["state"] == "pending"
                assert not self.sent.get(key)
                assert row["due"] <= self.now + LONGEST


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
