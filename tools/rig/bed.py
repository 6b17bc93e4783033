"""What a trial stands on: one runtime with its server, its plant and its operators."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from runtime.events import EventReader
from runtime.servers.mirror import View
from runtime.tags import Pump
from tools.rig import ledger, pacer
from tools.rig.ledger import Connection, Findings
from tools.rig.operators import Operators
from tools.rig.site import Plant
from tools.rig.whole import Whole, until

SETTLES = 45.0  # s for all records to be in the tables; most of it is room for a busy machine


@dataclass
class Bed:
    """All of it, running."""

    whole: Whole
    plant: Plant
    operators: Operators
    view: View
    dsn: str  # of the owner, by a way that no fault touches
    stalls: Path

    def stalled(self, since: float) -> int:
        """How many periods the machine itself missed since then, for whoever ran on it."""
        period = self.whole.config.period
        lates = pacer.stalls(self.stalls, since, time.monotonic())
        return sum(1 + int(late / period) for late in lates)

    def settled(self, kept: Sequence[tuple[str, int, float]] = ()) -> Findings:
        """Let all come to rest, and compare what was recorded with what the tables hold."""
        self.operators.rest()
        self.plant.resting.set()
        deadline = time.monotonic() + SETTLES
        try:
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                found = self._account(connection, kept)
                while found.faults and time.monotonic() < deadline:
                    time.sleep(0.2)
                    found = self._account(connection, kept)
        finally:
            self.plant.resting.clear()
            self.operators.resting.clear()
        return found

    def _account(self, connection: Connection, kept: Sequence[tuple[str, int, float]]) -> Findings:
        ring = EventReader(self.whole.places.events, self.view.layout)
        produced = ring.position + ring.backlog + ring.dropped
        return ledger.account(connection, self.whole.places, produced, self.operators.told, kept)


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A directory for a trial, in memory if there is room: the disk is no part of it."""
    memory = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(prefix="calejo-", dir=memory if memory.is_dir() else None))
    root.chmod(0o711)  # an embedded server of root runs as somebody else
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def running(whole: Whole, owner: str, plant: Plant) -> Iterator[Bed]:
    """A runtime that has begun its work, at a site whose equipment is entered."""
    stalls = whole.log.with_name("stalls")
    command = [sys.executable, "-P", "-m", "tools.rig.pacer", str(stalls), str(whole.config.period)]
    beside = subprocess.Popen(command)
    operators = Operators(whole)
    bed = Bed(whole, plant, operators, whole.view(), owner, stalls)
    try:
        plant.start()
        until(lambda: followed(bed), 60.0, f"plans in force; the log says\n{whole.tail()}")
        operators.start()
        yield bed
    finally:
        operators.end()
        plant.end()
        beside.kill()
        beside.wait()


def followed(bed: Bed) -> bool:
    """Whether pumps run by their plans."""
    bed.view.refresh()
    return bool((bed.view.columns[Pump.Authority] == Pump.Authority.number("Plan")).any())
