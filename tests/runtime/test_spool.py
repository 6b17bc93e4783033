"""The spool: what it says is on disk is on disk; what gives way is counted."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from runtime import spoolfile
from runtime.spool import Journal, Kind, SpoolError
from runtime.spoolfile import Record, SpoolReader
from tests.processes import until
from tests.runtime import disk, stress

PATIENCE = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rest.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path)
    yield journal
    journal.close()


def records(path: Path) -> list[Record]:
    with closing(SpoolReader(path)) as reader:
        return reader.batch(1_000_000, 1 << 40)


def numbers(path: Path) -> list[object]:
    return [record.body.get("number") for record in records(path)]


def done(future: Future[None]) -> None:
    future.result(PATIENCE)


def test_a_record_whose_future_is_done_is_in_the_file(path: Path, journal: Journal) -> None:
    done(journal.append(Kind.REQUEST, {"number": 7, "who": "Müller", "value": 1.5}))
    assert records(path) == [Record(1, "request", {"number": 7, "who": "Müller", "value": 1.5})]


def test_records_of_many_threads_are_all_there_each_in_its_order(
    path: Path, journal: Journal
) -> None:
    def append(thread: int) -> None:
        futures = [journal.append(Kind.EDGE, {"number": (thread, k)}) for k in range(200)]
        done(futures[-1])

    threads = [threading.Thread(target=append, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = numbers(path)
    assert sorted(map(str, found)) == sorted(str([t, k]) for t in range(4) for k in range(200))
    for thread_number in range(4):
        mine = [n for n in found if isinstance(n, list) and n[0] == thread_number]
        assert mine == [[thread_number, k] for k in range(200)]


def test_everything_said_to_be_on_disk_is_there_after_sigkill(path: Path) -> None:
    for _ in range(3):
        process = stress.start("append_records", path, 60.0)
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(300)]
        os.kill(process.pid, signal.SIGKILL)
        said += [int(line) for line in process.communicate()[0].splitlines(keepends=True)[:-1]]
        found = numbers(path)
        assert found[: len(said)] == said
        with closing(SpoolReader(path)) as reader:
            reader.done(records(path)[-1].seq)


def test_numbers_are_never_used_again(path: Path) -> None:
    for first in (1, 3, 5):
        journal = Journal(path)
        done(journal.extend([(Kind.EDGE, {}), (Kind.EDGE, {})]))
        journal.close()
        assert [record.seq for record in records(path)] == [first, first + 1]
        with closing(SpoolReader(path)) as reader:
            reader.done(first + 1)


def test_a_file_keeps_its_identity_and_a_new_one_has_another(path: Path) -> None:
    identities = []
    for _ in range(2):
        journal = Journal(path)
        done(journal.append(Kind.EDGE, {}))
        journal.close()
        with closing(SpoolReader(path)) as reader:
            identities.append(reader.identity)
    path.unlink()
    journal = Journal(path)
    done(journal.append(Kind.EDGE, {}))
    journal.close()
    with closing(SpoolReader(path)) as reader:
        assert identities[0] == identities[1] != reader.identity


def test_the_reader_forgets_only_what_it_was_told_to(path: Path, journal: Journal) -> None:
    done(journal.extend((Kind.EDGE, {"number": k}) for k in range(10)))
    with closing(SpoolReader(path)) as reader:
        batch = reader.batch(4)
        assert [record.body["number"] for record in batch] == [0, 1, 2, 3]
        assert reader.batch(1) == batch[:1]
        reader.done(batch[-1].seq)
        assert reader.backlog == 6
        assert [record.body["number"] for record in reader.batch(2)] == [4, 5]


def test_the_position_is_kept_with_the_records(path: Path, journal: Journal) -> None:
    assert spoolfile.position(path.with_name("none.db")) is None
    done(journal.extend([(Kind.EDGE, {})], b"12"))
    done(journal.append(Kind.EDGE, {}))
    assert spoolfile.position(path) == b"12"


def test_appending_goes_on_while_the_disk_takes_nothing_and_all_of_it_is_kept(
    path: Path, journal: Journal
) -> None:
    done(journal.append(Kind.REQUEST, {"number": 0}))
    with disk.full():
        waiting = [journal.append(Kind.REQUEST, {"number": k}) for k in range(1, 50)]
        until(lambda: journal.problem, PATIENCE)
        assert not any(future.done() for future in waiting)
    for future in waiting:
        done(future)
    assert journal.problem is None
    assert numbers(path) == list(range(50))


def test_a_missing_directory_is_a_problem_that_can_be_mended(path: Path) -> None:
    journal = Journal(path.parent / "spool" / "rest.db")
    future = journal.append(Kind.REQUEST, {"number": 1})
    until(lambda: journal.problem, PATIENCE)
    (path.parent / "spool").mkdir()
    done(future)
    journal.close()


def test_closing_says_of_what_is_not_on_disk_that_it_is_not(path: Path) -> None:
    journal = Journal(path.parent / "none" / "rest.db")
    future = journal.append(Kind.REQUEST, {"number": 1})
    journal.close()
    assert isinstance(future.exception(PATIENCE), sqlite3.Error)
    with pytest.raises(SpoolError, match="closed"):
        journal.append(Kind.REQUEST, {"number": 2}).result(PATIENCE)


def test_closing_commits_what_waits(path: Path) -> None:
    journal = Journal(path)
    futures = [journal.append(Kind.REQUEST, {"number": k}) for k in range(500)]
    journal.close()
    assert all(future.exception() is None for future in futures)
    assert numbers(path) == list(range(500))


def test_beyond_its_limit_edges_give_way_and_safety_never(path: Path) -> None:
    journal = Journal(path, limit=200_000)
    filler = "x" * 400
    for number in range(1_000):
        kind = Kind.SAFETY if number % 10 == 0 else Kind.EDGE
        last = journal.append(kind, {"number": number, "filler": filler})
        if number % 100 == 0:
            done(last)
    done(last)
    journal.close()
    found = records(path)
    kept = [r.body["number"] for r in found if r.kind == Kind.SAFETY]
    edges = [r.body["number"] for r in found if r.kind == Kind.EDGE]
    lost = sum(r.body["records"] for r in found if r.kind == Kind.LOST)
    assert kept == list(range(0, 1_000, 10))
    assert lost > 0
    assert len(edges) + lost == 900
    assert edges == sorted(edges)
    assert path.stat().st_size < 1_000_000


def test_samples_give_way_before_edges_and_edges_before_nothing_else(path: Path) -> None:
    journal = Journal(path, limit=300_000)
    filler = "x" * 400
    never = [Kind.SAFETY, Kind.REQUEST, Kind.ANSWER, Kind.NOTE]
    for number in range(500):
        journal.append(Kind.EDGE, {"number": number, "filler": filler})
        journal.append(Kind.SAMPLE, b"y" * 400)
        journal.append(never[number % 4], {"number": number, "filler": filler})
        done(journal.append(Kind.SAMPLE, b"y" * 400))
        kinds = [record.kind for record in records(path)]
        if 0 < kinds.count(Kind.EDGE) < number + 1:
            break
    journal.close()
    lost = [record.body["kind"] for record in records(path) if record.kind == Kind.LOST]
    assert lost.index(Kind.EDGE) > 0
    assert set(lost[: lost.index(Kind.EDGE)]) == {Kind.SAMPLE}
    assert sum(kinds.count(kind) for kind in never) == number + 1


def test_a_batch_is_bounded_in_bytes_too(path: Path, journal: Journal) -> None:
    done(journal.extend((Kind.SAMPLE, bytes(1_000)) for _ in range(5)))
    with closing(SpoolReader(path)) as reader:
        assert [record.seq for record in reader.batch(100, 2_500)] == [1, 2, 3]
        assert reader.batch(100)[0] == Record(1, "sample", data=bytes(1_000))


def test_a_file_removed_while_it_is_open_is_made_anew_for_what_comes_then(
    path: Path, journal: Journal
) -> None:
    done(journal.append(Kind.REQUEST, {"number": 1}))
    path.unlink()
    done(journal.append(Kind.REQUEST, {"number": 2}))
    assert numbers(path) == [2]


@pytest.mark.parametrize(
    "garbage", [b"no database at all" * 500, b"SQLite format 3\0" + b"\7" * 9_000]
)
def test_a_broken_file_is_set_aside_and_a_new_one_begun(path: Path, garbage: bytes) -> None:
    path.write_bytes(garbage)
    journal = Journal(path)
    done(journal.append(Kind.REQUEST, {"number": 1}))
    journal.close()
    assert numbers(path) == [1]
    (aside,) = path.parent.glob("rest.db.broken-*")
    assert aside.read_bytes() == garbage
    assert spoolfile.files(path.parent) == [path]


def test_text_that_is_no_unicode_is_mended_not_refused(path: Path, journal: Journal) -> None:
    done(journal.append(Kind.REQUEST, {"why": "leak \ud800!", "number": 1}))
    (record,) = records(path)
    assert record.body == {"why": "leak ?!", "number": 1}
