"""Tries one case on a runtime at work, and measures."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runtime.progress import State
from runtime.tag import Tag
from runtime.tags import Station, System
from tools.database_faults.case import Case
from tools.rig import bed, ledger, site
from tools.rig.bed import Bed
from tools.rig.ledger import Findings
from tools.rig.server import OwnServer, may_isolate
from tools.rig.whole import Whole, now, until

PATIENCE = (
    30.0  # s for what should come in 5: how long it took is measured, a busy machine no fault
)
FRESH = 1.0  # s since the database answered, at most, while it is not lost


@dataclass
class Seen:
    """When each came, in s from the fault; None: it did not."""

    health: float | None = None
    text: str = ""
    lost: float | None = None  # alarm DatabaseLost
    full: float | None = None  # alarm DatabaseFull
    failsafe: float | None = None
    plan_age: float | None = None  # s, when failsafe came


@dataclass(frozen=True)
class Measured:
    """What was seen of a case; `recovery` and `stored` in s from the server's return."""

    seen: Seen
    recovery: float
    stored: float  # until the spool was empty
    scans: int
    skipped: int
    overruns: int
    stalls: int  # periods that the machine itself missed meanwhile
    found: Findings

    @property
    def faults(self) -> list[str]:
        """What must not be. How long something took is no fault here: the machine may be busy."""
        found = list(self.found.faults)
        if not self.scans:
            found.append("the scan stands still")
        if self.skipped > self.stalls:
            found.append(
                f"{self.skipped} periods missed by the scan, {self.stalls} by the machine itself"
            )
        return found


class Stand:
    """A runtime and its server, for one case after the other."""

    def __init__(self, server: OwnServer, running: Bed) -> None:
        self.server = server
        self.bed = running

    def attempt(self, case: Case) -> Measured:
        """Strike, look, heal, look, compare."""
        until(self._well, PATIENCE, lambda: f"good health before the case; found: {self._text()}")
        before, began = self._counts(), time.monotonic()
        case.strike(self.server)
        struck = time.monotonic()
        try:
            seen = self._look(case, struck)
            kept = ledger.kept_samples(self.bed.whole.places)
        finally:
            case.heal(self.server)
        returned = time.monotonic()
        until(self._well, PATIENCE, lambda: f"recovery from {case.name}; found: {self._text()}")
        recovery = time.monotonic() - returned
        self.bed.operators.rest()
        self.bed.plant.resting.set()
        places = self.bed.whole.places
        until(lambda: not ledger.waiting(places), PATIENCE, "empty spools", 0.05)
        stored = time.monotonic() - returned
        found = self.bed.settled(kept)
        after = self._counts()
        scans, skipped, overruns = (b - a for a, b in zip(before, after, strict=True))
        stalls = self.bed.stalled(began)
        return Measured(seen, recovery, stored, scans, skipped, overruns, stalls, found)

    def _look(self, case: Case, struck: float) -> Seen:
        """Look until all has come that should, and note when each did."""
        seen = Seen()
        wanted = ["health", "full"] if case.answers else ["health", "lost", "failsafe"]
        texts: dict[str, None] = {}

        def all_came() -> bool:
            texts[self._text()] = None
            failsafe = self._failsafe()
            since = time.monotonic() - struck
            if seen.health is None and case.told_by(self._text()):
                seen.health, seen.text = since, self._text()
            if seen.lost is None and self.bed.view.columns.value(System.DatabaseLost):
                seen.lost = since
            if seen.full is None and self.bed.view.columns.value(System.DatabaseFull):
                seen.full = since
            if seen.failsafe is None and failsafe:
                seen.failsafe = since
                seen.plan_age = float(self.bed.view.columns[Station.PlanAge].max())
            return all(getattr(seen, name) is not None for name in wanted)

        until(
            all_came,
            PATIENCE,
            lambda: f"{wanted}; found {seen}; health was to say {case.health!r}, said {[*texts]}",
        )
        return seen

    def _text(self) -> str:
        """What GET /healthz says of the database process."""
        listen = self.bed.whole.config.servers.rest.listen
        try:
            with urllib.request.urlopen(f"http://{listen}/healthz", timeout=2) as reply:
                told = json.load(reply)["processes"]
        except OSError as error:
            return f"no answer: {error}"
        return next(str(one["text"]) for one in told if one["process"] == "database")

    def _well(self) -> bool:
        health = self.bed.whole.health("database")
        good = health is not None and health.state is State.GOOD
        return good and self._value(System.DatabaseAge) < FRESH and not self._failsafe()

    def _failsafe(self) -> bool:
        self.bed.view.refresh()
        return bool(self.bed.view.columns[Station.Failsafe].any())

    def _value(self, tag: Tag) -> float:
        return now(self.bed.view, tag)

    def _counts(self) -> tuple[int, int, int]:
        self.bed.view.refresh()
        value = self.bed.view.columns.value
        return int(value(System.Scan)), int(value(System.Skipped)), int(value(System.Overruns))


@contextmanager
def stand() -> Iterator[Stand]:
    """A server and a runtime at work, until the end of the block."""
    with bed.directory() as root:
        server = OwnServer(root, isolated=may_isolate())
        whole = Whole(root, {})
        try:
            server.prepare()
            with server.connect() as connection:
                site.enter(connection)
            whole = Whole(root, {"CALEJO_DATABASE": server.runtime_dsn()})
            whole.start()
            whole.wait_for("scan", "recorder", "database", "rest", "standby")
            plant = site.Plant(lambda: server.dsn("calejo_owner"))
            with bed.running(whole, server.dsn("calejo_owner"), plant) as running:
                yield Stand(server, running)
        finally:
            whole.end()
            server.remove()
