"""Anchors: written as the log grows, copied elsewhere, and what retention leaves of a log."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runtime.audit.anchors import ANCHOR, START, AnchorFile, Key, KeyFileError, anchor, read
from runtime.audit.chain import Point
from runtime.database import anchoring, audit_rows
from runtime.database.anchoring import AnchorCopies, Anchorer
from runtime.database.changes import Changes
from runtime.database.connection import Guard
from runtime.database.findings import Findings
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.spoolfile import SpoolReader, position
from runtime.tags import System
from tests.conftest import Database
from tests.processes import until
from tests.runtime.database.audit_logs import Connection, Intruder, append, named, verdict

YEAR = 366 * 86400.0


@pytest.fixture
def log(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        yield connection


@pytest.fixture
def findings() -> Findings:
    return Findings()


@pytest.fixture
def changes(places: Places) -> Iterator[Changes]:
    changes = Changes(places)
    yield changes
    changes.close()


@pytest.fixture
def start(
    database: Database,
    places: Places,
    findings: Findings,
    changes: Changes,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], Anchorer]]:
    monkeypatch.setattr(anchoring, "LOOK_S", 0.01)
    started: list[Anchorer] = []

    def start() -> Anchorer:
        started.append(anchorer(database, places, findings, changes))
        started[-1].start()
        return started[-1]

    yield start
    for worker in started:
        worker.stop()
        worker.join()


def anchorer(database: Database, places: Places, findings: Findings, changes: Changes) -> Anchorer:
    return Anchorer(lambda: database.runtime, Guard(), places, YEAR, findings, changes)


def numbers(places: Places, kind: str = ANCHOR) -> list[int]:
    return [said.number for said in read([places.audit]).signed if said.kind == kind]


def test_new_entries_are_anchored_once_and_after_a_restart_only_newer_ones(
    log: Connection, places: Places, start: Callable[[], Anchorer], monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, range(1, 4))
    worker = start()
    until(lambda: numbers(places) == [3], what="for the first anchor")
    append(log, range(4, 6))  # less than a minute, and than a thousand entries, later
    append(log, range(6, 4 + anchoring.ENTRIES))
    until(lambda: len(numbers(places)) == 2, what="for the second anchor")
    assert numbers(places) == [3, 3 + anchoring.ENTRIES]
    worker.stop()
    worker.join()
    monkeypatch.setattr(anchoring, "INTERVAL_S", 0.0)
    start()
    append(log, [4 + anchoring.ENTRIES])
    until(lambda: len(numbers(places)) == 3, what="for the third anchor")
    assert numbers(places)[-1] == 4 + anchoring.ENTRIES
    found = verdict(log, places.audit)
    assert (found.intact, found.anchors) == (True, 3)


def test_the_key_is_readable_by_its_owner_only_and_its_public_half_lies_beside(
    log: Connection, places: Places, start: Callable[[], Anchorer]
) -> None:
    append(log, [1])
    start()
    until(lambda: numbers(places) == [1], what="for the first anchor")
    key = places.audit / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    (public,) = places.audit.glob("*.pem")
    assert public.stem == Key(key).fingerprint
    key.write_text("none")
    with pytest.raises(KeyFileError, match="allowed an Ed25519 private key"):
        Key(key)


def test_a_log_that_contradicts_its_last_anchor_is_told_at_the_start_before_it_is_signed(
    log: Connection,
    places: Places,
    findings: Findings,
    start: Callable[[], Anchorer],
    capsys: pytest.CaptureFixture[str],
) -> None:
    append(log, range(1, 6))
    file = AnchorFile(places.audit, Key(places.audit / "key"))
    file.append(anchor(ANCHOR, audit_rows.identity(log), 5, b"x" * 32))
    assert not contradicted(findings)
    start()
    until(lambda: numbers(places) == [5, 5], what="for the next anchor")
    assert contradicted(findings)
    assert "the audit log contradicts its last anchor" in capsys.readouterr().out
    (noted,) = until(lambda: notes(places), what="for the note of it")
    assert (noted["action"], noted["details"]["entry"]) == ("contradict anchor", 5)
    assert not verdict(log, places.audit).intact, "the anchor stays, and so does the contradiction"


def test_a_log_cut_while_the_runtime_works_is_found_out_with_the_next_entry(
    log: Connection,
    database: Database,
    places: Places,
    findings: Findings,
    changes: Changes,
) -> None:
    append(log, range(1, 6))
    worker = anchorer(database, places, findings, changes)
    worker.begin(log)
    worker.anchor(log)
    intruder = Intruder(database.dsn("postgres"))
    intruder.does("DELETE FROM audit_log WHERE audit_id > 3")
    intruder.follow()
    intruder.connection.close()
    worker.anchor(log)
    assert contradicted(findings)
    assert numbers(places) == [5], "told, and not yet signed"
    worker.anchor(log)
    assert numbers(places) == [5, 3]


def contradicted(findings: Findings) -> bool:
    """What the scan would see."""
    columns = Columns(Layout(Capacity(1, 1)))
    findings.put(columns)
    return bool(columns.value(System.AuditContradicted))


def notes(places: Places) -> list[dict[str, Any]]:
    path = places.spool / "database.db"
    if position(path) is None:
        return []  # the thread that writes it has not made it yet
    with closing(SpoolReader(path)) as reader:
        return [record.body for record in reader.batch(100)]


def test_copies_of_anchors_make_up_for_what_they_missed_and_stay_when_the_original_is_cut(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = AnchorFile(places.audit, Key(places.audit / "key"))
    there = tmp_path / "mount" / "anchors"
    copies = AnchorCopies(places, there)
    for number in range(1, 4):
        file.append(anchor(ANCHOR, "database", number, bytes(32)))
        if number != 2:
            copies.copy()
    assert [said.number for said in read([there]).signed] == [1, 2, 3]
    assert not (there / "key").exists()
    file.path.write_bytes(b"".join(file.path.read_bytes().splitlines(keepends=True)[:1]))
    copies.copy()
    copies.copy()
    assert capsys.readouterr().out.count("it was cut off") == 1
    assert len(read([there]).signed) == 3


def test_a_line_torn_by_a_crash_spoils_no_other_and_accuses_nobody(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path, Key(tmp_path / "key"))
    file.append(anchor(ANCHOR, "database", 1, bytes(32)))
    with file.path.open("ab") as torn:
        torn.write(b'{"kind": "anc')
    file.append(anchor(ANCHOR, "database", 2, bytes(32)))
    found = read([tmp_path])
    assert [said.number for said in found.signed] == [1, 2]
    assert found.problems == []
    assert len(found.notes) == 1


def test_a_forged_anchor_is_told(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path, Key(tmp_path / "key"))
    file.append(anchor(ANCHOR, "database", 1, bytes(32)))
    file.path.write_bytes(file.path.read_bytes().replace(b'"number":1', b'"number":2'))
    other = AnchorFile(tmp_path, Key(tmp_path / "other"))
    other.append(anchor(ANCHOR, "database", 7, bytes(32)))
    (problem,) = read([tmp_path]).problems
    assert problem.startswith(f"{file.path}:1: not signed by a key that is trusted")
    assert len(read([tmp_path], [file.public]).problems) == 2


class TestRetention:
    """Three months: two of them long past, and now."""

    @pytest.fixture
    def intruder(self, database: Database, log: Connection) -> Iterator[Intruder]:
        append(log, range(1, 5))
        intruder = Intruder(database.dsn("postgres"))
        for first in (5, 9):
            intruder.does("UPDATE audit_head SET month = month - interval '1 month'")
            append(log, range(first, first + 4))
        intruder.disarm()
        intruder.does(
            "UPDATE audit_log SET recorded_at = recorded_at - interval '2 years'"
            " WHERE audit_id <= 8"
        )
        intruder.rehash(1, 12)
        intruder.follow()
        assert verdict(log).intact
        yield intruder
        intruder.connection.close()

    @pytest.fixture
    def worker(
        self,
        log: Connection,
        intruder: Intruder,
        database: Database,
        places: Places,
        findings: Findings,
        changes: Changes,
    ) -> Anchorer:
        worker = anchorer(database, places, findings, changes)
        worker.begin(log)
        worker.anchor(log)
        return worker

    def test_old_months_go_and_the_rest_stays_verifiable(
        self, worker: Anchorer, log: Connection, places: Places
    ) -> None:
        worker.retain(log)
        rows = log.execute("SELECT audit_id, action FROM audit_log ORDER BY 1").fetchall()
        assert [row[0] for row in rows] == [9, 10, 11, 12, 13]
        assert rows[-1][1] == "drop audit entries"
        assert numbers(places, START) == [8]
        worker.retain(log)
        assert numbers(places, START) == [8]
        append(log, [20])
        for directories in ([], [places.audit]):
            found = verdict(log, *directories)
            assert (found.intact, found.walked.start.number) == (True, 8)
        assert verdict(log, places.audit).anchors == 1

    def test_entries_that_are_gone_without_retention_are_named(
        self, worker: Anchorer, log: Connection, intruder: Intruder, places: Places
    ) -> None:
        intruder.does("DROP TABLE audit_log_1")
        assert named(verdict(log)) == [("removed", 1, 4)]

    def test_entries_that_go_beside_those_of_retention_are_named(
        self, worker: Anchorer, log: Connection, intruder: Intruder, places: Places
    ) -> None:
        worker.retain(log)
        intruder.does("DELETE FROM audit_log WHERE audit_id IN (9, 10)")
        assert named(verdict(log, places.audit)) == [("removed", 9, 10)]

    def test_retention_without_a_signature_is_named(
        self, worker: Anchorer, log: Connection, places: Places
    ) -> None:
        log.execute("SELECT audit_drop(8, interval '1 year')")
        assert verdict(log).intact
        assert named(verdict(log, places.audit)) == [("removed", 1, 8)]

    @pytest.mark.parametrize(
        ("through", "keep", "words"),
        [
            (8, "1 day", "allowed 30 days and more"),
            (4, "1 year", "found entries up to 4, allowed those up to 8"),
            (12, "1 year", "found entries up to 12, allowed those up to 8"),
            (8, "9 years", "found entries up to 8, allowed those up to none"),
        ],
    )
    def test_nobody_drops_more_than_what_is_too_old(
        self, worker: Anchorer, log: Connection, through: int, keep: str, words: str
    ) -> None:
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=words):
            log.execute("SELECT audit_drop(%s, %s::interval)", [through, keep])
        assert audit_rows.head(log) != Point()

    def test_the_newest_month_stays_however_old_it_is(
        self, worker: Anchorer, log: Connection, intruder: Intruder
    ) -> None:
        row = log.execute("SELECT through FROM audit_expired(%s)", [timedelta(0)]).fetchone()
        assert row == (8,)
