"""Audit logs made by the dozen, tampered with, and verified."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from runtime.audit.anchors import Anchors, read
from runtime.audit.verification import Verdict, verify
from runtime.database import audit_entries, audit_rows
from runtime.database.audit_entries import Entry

Connection = psycopg.Connection[Any]


def entry(sequence: int, **change: object) -> Entry:
    """An entry as the uploads make it."""
    return {
        "sequence": sequence,
        "at": 1.7e9 + sequence,
        "actor": f"operator {sequence % 3}",
        "role": "operator",
        "protocol": "rest",
        "address": "10.0.0.7",
        "action": "set Mode",
        "object": "North/11/Mode",
        "result": "executed",
        "reason": None if sequence % 5 == 0 else f"grund ü {sequence}",
        "correlation": str(sequence),
        "details": '{"value":  1.0}',
    } | change


def append(connection: Connection, numbers: Sequence[int], source: str = "test") -> None:
    audit_entries.append(connection, source, [entry(number) for number in numbers])


def verdict(connection: Connection, *directories: Path) -> Verdict:
    anchors = read(directories) if directories else Anchors()
    with audit_rows.snapshot(connection) as log:
        return verify(log, anchors)


def named(found: Verdict) -> list[tuple[str, int, int]]:
    return [(finding.kind, finding.first, finding.last) for finding in found.findings]


class Intruder:
    """A superuser who knows how it all works."""

    def __init__(self, dsn: str) -> None:
        self.kept = False
        self.connection: Connection = psycopg.connect(dsn, autocommit=True)
        self.does("ALTER TABLE audit_log DROP CONSTRAINT audit_log_pkey")
        self.disarm()

    def disarm(self) -> None:
        """Switch the triggers off that refuse changes."""
        tables = self.connection.execute(
            "SELECT 'audit_log' UNION SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'audit_log'::regclass"
        ).fetchall()
        for (table,) in tables:
            self.does(f"ALTER TABLE {table} DISABLE TRIGGER ALL")

    def does(self, statement: str, *values: object) -> None:
        self.connection.execute(statement, values)

    def rehash(self, first: int, last: int) -> None:
        """Make hashes fit: of `first` alone, or of all that follow it up to `last`."""
        for number in range(first, last + 1):
            if number > first:
                self.does(
                    "UPDATE audit_log SET previous = (SELECT hash FROM audit_log"
                    " WHERE audit_id = %s) WHERE audit_id = %s",
                    number - 1,
                    number,
                )
            self.does(
                "UPDATE audit_log AS entry SET hash = audit_hash(entry) WHERE audit_id = %s", number
            )

    def keep(self) -> None:
        """Keep the log, so that it can be put back."""
        self.kept = True
        self.does("CREATE TABLE kept AS SELECT * FROM audit_log")

    def put_back(self, count: int) -> None:
        """Put the first entries of the log back, as if there had never been more of them."""
        self.does("DELETE FROM audit_log")
        self.does("INSERT INTO audit_log SELECT * FROM kept WHERE audit_id <= %s", count)
        self.follow()

    def is_as_kept(self, count: int) -> bool:
        """Whether the log is as it was put back."""
        kept = "(SELECT * FROM kept WHERE audit_id <= %(count)s)"
        differences = self.connection.execute(
            f"(SELECT * FROM audit_log EXCEPT ALL {kept})"
            f" UNION ALL ({kept} EXCEPT ALL SELECT * FROM audit_log)",
            {"count": count},
        )
        return differences.rowcount == 0

    def follow(self) -> None:
        """Make the head fit the last entry."""
        self.does(
            "UPDATE audit_head SET (audit_id, hash) ="
            " (SELECT audit_id, hash FROM audit_log ORDER BY audit_id DESC LIMIT 1)"
        )
