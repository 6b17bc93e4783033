"""A spool file that is gone, replaced or set back is noticed; what follows is not swallowed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from runtime.database.changes import Changes
from runtime.database.spool_watch import SpoolWatch
from runtime.places import Places
from runtime.tags import Pump
from tests.conftest import Database
from tests.runtime.database.spools import Connection, Spool, drain, rows


@pytest.fixture
def changes(places: Places) -> Iterator[Changes]:
    changes = Changes(places)
    changes.note([]).result(20.0)  # from here on its spool is there
    yield changes
    changes.close()


def record(places: Places, *values: float) -> None:
    """A life of the recorder that records these values."""
    recorder = Spool(places, "recorder")
    for value in values:
        recorder.edge(Pump.Running, 4, 0, value)
    recorder.close()


def remove(places: Places) -> None:
    for path in places.spool.glob("recorder.db*"):
        path.unlink()


def losses(
    places: Places, database: Database, connection: Connection
) -> list[tuple[str | None, str]]:
    drain(database, places)
    entries = [e for e in rows(connection, "audit_log") if e["action"] == "lose spool"]
    return [(entry["object"], entry["result"]) for entry in entries]


def values(connection: Connection) -> list[float]:
    return [event["new_value"] for event in rows(connection, "events")]


def test_files_that_stay_are_nothing_to_tell(
    places: Places, changes: Changes, database: Database, connection: Connection
) -> None:
    for value in (1, 2, 3):
        record(places, value)
        SpoolWatch(places, changes).look()
        assert losses(places, database, connection) == []
    assert values(connection) == [1, 2, 3]


def test_a_file_that_is_gone_is_told_once(
    places: Places, changes: Changes, database: Database, connection: Connection
) -> None:
    record(places, 1)
    SpoolWatch(places, changes).look()
    remove(places)
    for _ in range(3):
        SpoolWatch(places, changes).look()
    assert losses(places, database, connection) == [("recorder.db", "gone")]


def test_a_file_that_was_replaced_is_told_and_its_records_are_stored(
    places: Places, changes: Changes, database: Database, connection: Connection
) -> None:
    watch = SpoolWatch(places, changes)
    record(places, 1)
    watch.look()
    drain(database, places)
    remove(places)
    record(places, 2)
    watch.look()
    assert losses(places, database, connection) == [("recorder.db", "replaced")]
    assert values(connection) == [1, 2]


def test_a_file_put_back_from_a_copy_is_told_and_new_records_are_not_taken_for_old_ones(
    places: Places, changes: Changes, database: Database, connection: Connection
) -> None:
    record(places, 1)
    drain(database, places)
    shutil.copy(places.spool / "recorder.db", places.root / "copy")
    record(places, 2, 3)
    drain(database, places)
    SpoolWatch(places, changes).look()
    remove(places)
    shutil.copy(places.root / "copy", places.spool / "recorder.db")
    record(places, 4)  # bears a number that 2 had
    SpoolWatch(places, changes).look()
    assert losses(places, database, connection) == [("recorder.db", "set back")]
    assert values(connection) == [1, 2, 3, 4]


def test_a_file_that_is_no_spool_any_more_is_told_when_it_is_set_aside(
    places: Places, changes: Changes, database: Database, connection: Connection
) -> None:
    record(places, 1)
    SpoolWatch(places, changes).look()
    (places.spool / "recorder.db").write_bytes(b"\7" * 9_000)
    SpoolWatch(places, changes).look()
    record(places, 2)
    SpoolWatch(places, changes).look()
    assert losses(places, database, connection) == [("recorder.db", "replaced")]
    assert values(connection) == [2]


def test_what_a_watch_knows_outlives_a_broken_list(places: Places, changes: Changes) -> None:
    places.spools.write_bytes(b"{")
    record(places, 1)
    SpoolWatch(places, changes).look()
    assert b"recorder" in places.spools.read_bytes()


def test_a_disk_that_takes_nothing_holds_nothing_up_and_the_loss_is_told_once(
    places: Places, changes: Changes, database: Database, connection: Connection
) -> None:
    watch = SpoolWatch(places, changes)
    record(places, 1)
    watch.look()
    remove(places)
    before = places.spools.read_bytes()
    places.spools.with_suffix(f".{os.getpid()}").mkdir()
    with capture_logs() as lines:
        watch.look()
    assert [line["log_level"] for line in lines] == ["error", "warning"]
    assert places.spools.read_bytes() == before
    watch.look()
    assert losses(places, database, connection) == [("recorder.db", "gone")]
