"""Property test of the outbox: senders that succeed, fail, die and come back late."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from runtime.alerts.outbox import EXPIRY, GRACE, LONGEST, Claim, Outbox
from tests.conftest import fast_directory
from tests.runtime.alerts.test_outbox import NOW, PATIENCE, add, order


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
    @rule(late=st.booleans())
    def fail(self, late: bool) -> None:
        claim, _ = self.held.pop(0 if late else -1)
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
