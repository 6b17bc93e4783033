"""What is amiss with database and disk reaches the scan as inputs, and goes when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import errors

from runtime.database import findings, uploads
from runtime.database.board import Board
from runtime.database.changes import Changes
from runtime.database.connection import Guard
from runtime.database.findings import DiskWatch, Findings
from runtime.database.process import Uploader
from runtime.database.spool_watch import SpoolWatch
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.security.certificates import self_signed
from runtime.security.trust import Trust
from runtime.spool import Kind
from runtime.tag import Tag
from runtime.tags import Pump, System
from tests.conftest import Database
from tests.processes import until
from tests.runtime.database.spools import PLANT, Make


class Told:
    """Findings as the scan sees them."""

    def __init__(self) -> None:
        self.board = Board(PLANT, {})
        self.columns = Columns(Layout(Capacity(1, 1)))

    def __getitem__(self, tag: Tag) -> float:
        self.board.findings.put(self.columns)
        return self.columns.value(tag)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def uploader(database: Database, places: Places, told: Told) -> Iterator[Uploader]:
    changes = Changes(places)
    watch = SpoolWatch(places, changes)
    uploader = Uploader(told.board, lambda: database.runtime, Guard(), places, watch)
    yield uploader
    uploader.stop()
    uploader.join()
    changes.close()


def test_records_that_postgresql_refuses_are_counted_and_told(
    uploader: Uploader, told: Told, spool: Make
) -> None:
    recorder = spool("recorder")
    recorder.edge(Pump.Running, 4, 0, 1)
    recorder.append(Kind.EDGE, tag="Pump.Running")
    assert told[System.RecordsRefused] == 0
    uploader.start()
    until(lambda: told[System.RecordsRefused] == 1)
    assert told[System.RefusedRecords] == 1


def test_a_full_database_is_told_until_a_batch_is_stored(
    uploader: Uploader, told: Told, spool: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool("recorder").edge(Pump.Running, 4, 0, 1)
    drain = uploads.drain

    def full(*given: object) -> uploads.Drained:
        raise errors.DiskFull("could not extend file: No space left on device")

    monkeypatch.setattr(uploads, "drain", full)
    uploader.start()
    until(lambda: told[System.DatabaseFull] == 1)
    assert uploader.status.startswith("disk full: ")
    monkeypatch.setattr(uploads, "drain", drain)
    until(lambda: told[System.DatabaseFull] == 0)


def test_uploads_that_come_to_nothing_for_a_minute_are_stalled(told: Told) -> None:
    told.board.findings.stored -= findings.STALLED_S - 5.0
    assert told[System.UploadsStalled] == 0
    told.board.findings.stored -= 6.0
    assert told[System.UploadsStalled] == 1


def test_a_disk_with_little_room_is_told(
    told: Told, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = DiskWatch(places.spool, places.certificates, told.board.findings)
    monkeypatch.setattr(findings, "LOW", 0)
    watch.look()
    assert told[System.DiskLow] == 0
    monkeypatch.setattr(findings, "LOW", 1 << 62)
    watch.look()
    assert told[System.DiskLow] == 1


@pytest.mark.parametrize(
    ("days", "stages"),
    [
        (31, (0, 0, 0)),
        (29, (0, 0, 1)),
        (6, (0, 1, 1)),
        (0.9, (1, 1, 1)),
        (-5, (1, 1, 1)),
    ],
)
def test_the_end_of_a_certificate_is_told_30_and_7_days_and_a_day_ahead(
    told: Told, places: Places, days: float, stages: tuple[int, int, int]
) -> None:
    begin = datetime.now(UTC) - timedelta(days=10)
    made = self_signed("Panel", "urn:panel", (), begin, timedelta(days=10 + days))
    Trust(places.certificates / "opcua").add(made.certificate)
    DiskWatch(places.spool, places.certificates, told.board.findings).look()
    assert told[System.CertificateEnd] == made.certificate.not_valid_after_utc.timestamp()
    assert tuple(told[tag] for tag in findings.AHEAD) == stages


def test_without_certificates_none_ends(told: Told, places: Places) -> None:
    DiskWatch(places.spool, places.certificates, told.board.findings).look()
    assert told[System.CertificateEnd] == 0.0
    assert not any(told[tag] for tag in findings.AHEAD)


def test_a_new_process_goes_on_with_what_the_one_before_told() -> None:
    columns = Columns(Layout(Capacity(1, 1)))
    before, after = Findings(), Findings()
    before.full = before.disk_low = True
    before.refused, before.refused_at, before.contradicted_at = 7, before.stored, before.stored
    before.certificate_end = 1.7e9
    before.put(columns)
    after.resume(columns)
    again = Columns(Layout(Capacity(1, 1)))
    after.put(again)
    assert again.arena.tobytes() == columns.arena.tobytes()
