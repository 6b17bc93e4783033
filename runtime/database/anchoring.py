"""Anchors the audit log, keeps the copy of the anchors, and lets go of what is too old."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from psycopg import Connection

from runtime.audit.anchors import ANCHOR, START, Anchor, AnchorFile, Key, anchor, mend_copy
from runtime.audit.chain import Point
from runtime.database import audit_rows
from runtime.database.changes import Changes, note
from runtime.database.connection import Guard, Source, Worker
from runtime.database.findings import Findings
from runtime.places import Places

INTERVAL_S = 60.0  # from one anchor to the next, if there is anything new
ENTRIES = 1_000  # new entries that don't wait for it
LOOK_S = 5.0
RETENTION_S = 3600.0
COPY_S = 5.0

logger = structlog.get_logger()


class Anchorer(Worker):
    """Signs the newest entry every minute if there is a new one, and every 1,000 entries.

    Before, it looks whether the newest anchor still fits: a log that contradicts it is found out
    within a minute of its next entry. That is told first, and the log as it then is signed only a
    look later, so that a process that dies in between finds it again. Old anchors stay: whoever
    verifies the log meets the contradiction as long as they are kept.

    It also drops entries that are older than `keep` (s), once their successor's starting point is
    signed: nothing is gone that no signature accounts for.
    """

    limit_s = 10.0

    def __init__(
        self,
        source: Source,
        guard: Guard,
        places: Places,
        keep: float,
        findings: Findings,
        changes: Changes,
    ) -> None:
        super().__init__("anchors", source, guard)
        self._findings = findings
        self._changes = changes
        self._directory = places.audit
        self._keep = timedelta(seconds=keep)
        self._file: AnchorFile | None = None
        self._database = ""
        self._last: Anchor | None = None
        self._contradicted: Anchor | None = None
        self._fresh = True
        self._anchored = self._retained = -float("inf")

    def begin(self, connection: Connection[Any]) -> None:
        if self._file is None:
            self._file = AnchorFile(self._directory, Key(self._directory / "key"))
        self._database = audit_rows.identity(connection)
        self._last = self._file.last(self._database)
        self._fresh = True

    def work(self, connection: Connection[Any]) -> None:
        with self.limited():
            self.anchor(connection)
            if time.monotonic() - self._retained >= RETENTION_S:
                self._retained = time.monotonic()
                self.retain(connection)
        self.pause(LOOK_S)

    def anchor(self, connection: Connection[Any]) -> None:
        """Sign the newest entry, if there is one and its time has come."""
        head = audit_rows.head(connection)
        due = self._is_due(head)
        if (due or self._fresh) and self._is_contradicted(connection):
            self._tell()
        elif due:
            self._sign(head)
        self._fresh = False

    def _is_due(self, head: Point) -> bool:
        signed = (self._last.number, self._last.hash) if self._last else (0, "")
        new = head.number - signed[0]
        due = time.monotonic() - self._anchored >= INTERVAL_S or not 0 <= new < ENTRIES
        return bool(head.number) and due and signed != (head.number, head.hash.hex())

    def _sign(self, head: Point) -> None:
        assert self._file is not None
        self._last = anchor(ANCHOR, self._database, head.number, head.hash)
        self._file.append(self._last)
        self._anchored = time.monotonic()

    def _is_contradicted(self, connection: Connection[Any]) -> bool:
        """Whether the log is not what was signed last, and nobody was told so yet."""
        last = self._last
        if last is None or last == self._contradicted:
            return False
        return not _still_holds(connection, last)

    def _tell(self) -> None:
        last = self._contradicted = self._last
        assert last is not None
        about = {"entry": last.number, "anchor": last.time}
        logger.error(
            "the audit log contradicts its last anchor: run `calejo audit verify`", **about
        )
        self._changes.note([note("contradict anchor", "found", about, "audit_log")])
        self._findings.contradicted_at = time.monotonic()

    def retain(self, connection: Connection[Any]) -> None:
        """Drop what is too old, after signing where the log then starts."""
        assert self._file is not None
        row = connection.execute(
            "SELECT through, hash FROM audit_expired(%s)", [self._keep]
        ).fetchone()
        if row is None or row[0] is None:
            return
        through, digest = row
        self._file.append(anchor(START, self._database, through, bytes(digest)))
        dropped = connection.execute("SELECT audit_drop(%s, %s)", [through, self._keep]).fetchone()
        logger.warning("audit entries dropped by retention", through=through, entries=dropped)


def _still_holds(connection: Connection[Any], last: Anchor) -> bool:
    row = connection.execute(
        "SELECT hash FROM audit_log WHERE audit_id = %s", [last.number]
    ).fetchone()
    return row is not None and bytes(row[0]).hex() == last.hash


class AnchorCopies(threading.Thread):
    """Keeps a copy of the anchors in a second directory; what it missed, it makes up for.

    A thread of its own, since a directory on another machine may hang.
    """

    def __init__(self, places: Places, directory: Path) -> None:
        super().__init__(name="anchor copies", daemon=True)
        self._from = places.audit
        self._to = directory
        self._problem = ""

    def run(self) -> None:
        while True:
            self.copy()
            time.sleep(COPY_S)

    def copy(self) -> None:
        """Bring the copies up to date; a problem is logged once."""
        problem = ""
        for pattern in ("*.pem", "*.jsonl"):
            for path in sorted(self._from.glob(pattern)):
                try:
                    mend_copy(path, self._to / path.name)
                except (OSError, ValueError) as error:
                    problem = str(error)
        if problem and problem != self._problem:
            logger.error("anchors not copied", directory=str(self._to), problem=problem)
        self._problem = problem
