"""The chain: what is done to it is found and named, and what nobody touched is never accused."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.audit.anchors import ANCHOR, AnchorFile, Key, anchor
from runtime.database import audit_entries, audit_rows
from runtime.database.migrations import DIRECTORY, ROLES_FILE, migrate
from tests.conftest import Database
from tests.runtime.database.audit_logs import (
    Connection,
    Intruder,
    append,
    entry,
    named,
    verdict,
)

COUNT = 30


@pytest.fixture
def log(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        append(connection, range(1, COUNT + 1))
        yield connection


@pytest.fixture
def intruder(log: Connection, database: Database) -> Iterator[Intruder]:
    intruder = Intruder(database.dsn("postgres"))
    yield intruder
    intruder.connection.close()


def anchored(log: Connection, directory: Path) -> AnchorFile:
    """An anchor of the newest entry."""
    file = AnchorFile(directory, Key(directory / "key"))
    head = audit_rows.head(log)
    file.append(anchor(ANCHOR, audit_rows.identity(log), head.number, head.hash))
    return file


def test_an_empty_log_is_intact(database: Database) -> None:
    with psycopg.connect(database.reader, autocommit=True) as connection:
        found = verdict(connection)
    assert (found.intact, found.walked.count) == (True, 0)


def test_a_log_that_nobody_touched_is_intact_also_for_the_reader(
    log: Connection, database: Database
) -> None:
    with psycopg.connect(database.reader, autocommit=True) as connection:
        found = verdict(connection)
    assert (found.intact, found.walked.count, found.walked.end.number) == (True, COUNT, COUNT)


def test_the_same_batch_again_is_chained_once(log: Connection) -> None:
    append(log, range(20, COUNT + 4))
    append(log, [COUNT + 3, COUNT + 3])
    append(log, [1], source="another")
    rows = log.execute("SELECT source, sequence FROM audit_log ORDER BY audit_id").fetchall()
    assert rows == [("test", number) for number in range(1, COUNT + 4)] + [("another", 1)]
    assert verdict(log).intact


def test_a_batch_with_an_entry_that_is_refused_leaves_nothing(log: Connection) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation):
        audit_entries.append(log, "test", [entry(COUNT + 1), entry(COUNT + 2, actor=None)])
    with pytest.raises(psycopg.errors.InvalidParameterValue, match='found origin "audit"'):
        append(log, [1], source="audit")
    append(log, [COUNT + 1])
    assert verdict(log).walked.end.number == COUNT + 1
    assert verdict(log).intact


def test_two_writers_at_once_make_one_chain(database: Database, log: Connection) -> None:
    def write(source: str) -> None:
        with psycopg.connect(database.runtime, autocommit=True) as connection:
            for number in range(40):
                append(connection, [2 * number, 2 * number + 1], source)

    writers = [threading.Thread(target=write, args=(name,)) for name in ("one", "two", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = verdict(log)
    assert (found.intact, found.walked.count) == (True, COUNT + 160)


def test_a_month_begins_a_segment_of_its_own(
    log: Connection, intruder: Intruder, database: Database
) -> None:
    intruder.does("UPDATE audit_head SET month = month - interval '1 month'")
    append(log, range(COUNT + 1, COUNT + 5))
    segments = log.execute(
        "SELECT segment, count(*) FROM audit_log GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert segments == [(1, COUNT), (2, 4)]
    assert verdict(log).intact
    for mode in ("origin", "replica"):
        with psycopg.connect(database.dsn("postgres")) as superuser:
            superuser.execute(f"SET session_replication_role = {mode}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                superuser.execute("TRUNCATE audit_log_2")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "nobody"),
        ("reason", None),
        ("address", "10.0.0.8"),
        ("details", '{"value": 1.0}'),
        ("occurred_at", "2026-01-01"),
        ("recorded_at", "2026-01-01"),
        ("sequence", 900),
        ("source", "other"),
        ("previous", b"x" * 32),
        ("hash", b"x" * 32),
    ],
)
def test_a_changed_field_is_named(
    log: Connection, intruder: Intruder, column: str, value: object
) -> None:
    intruder.does(f"UPDATE audit_log SET {column} = %s WHERE audit_id = 7", value)
    assert named(verdict(log)) == [("changed", 7, 7)]


def test_a_change_that_moves_text_to_the_next_field_is_named(
    log: Connection, intruder: Intruder
) -> None:
    intruder.does("UPDATE audit_log SET action = 'set Modee', object = 'xecuted', result = ''"
                  " WHERE audit_id = 7")  # fmt: skip
    assert named(verdict(log)) == [("changed", 7, 7)]


def test_a_rewritten_entry_whose_hash_fits_is_named(log: Connection, intruder: Intruder) -> None:
    intruder.does("UPDATE audit_log SET actor = 'nobody' WHERE audit_id = 7")
    intruder.rehash(7, 7)
    assert named(verdict(log)) == [("rewritten", 7, 7)]


def test_a_rewritten_last_entry_is_named_by_the_head(log: Connection, intruder: Intruder) -> None:
    intruder.does("UPDATE audit_log SET actor = 'nobody' WHERE audit_id = %s", COUNT)
    intruder.rehash(COUNT, COUNT)
    assert named(verdict(log)) == [("rewritten", COUNT, COUNT)]


@pytest.mark.parametrize("first", [1, 7, COUNT - 1])
def test_removed_entries_are_named(log: Connection, intruder: Intruder, first: int) -> None:
    intruder.does("DELETE FROM audit_log WHERE audit_id IN (%s, %s)", first, first + 1)
    kind = "cut off" if first == COUNT - 1 else "removed"
    assert named(verdict(log)) == [(kind, first, first + 1)]


def test_exchanged_entries_are_named(log: Connection, intruder: Intruder) -> None:
    intruder.does("UPDATE audit_log SET audit_id = 27 - audit_id WHERE audit_id IN (7, 20)")
    assert named(verdict(log)) == [("reordered", 7, 7), ("reordered", 20, 20)]


def test_an_entry_moved_behind_the_end_is_named_once(log: Connection, intruder: Intruder) -> None:
    intruder.does("UPDATE audit_log SET audit_id = 40 WHERE audit_id = 7")
    found = named(verdict(log))
    assert ("reordered", 40, 40) in found
    assert ("removed", 7, 7) not in found


def test_inserted_entries_are_named(log: Connection, intruder: Intruder) -> None:
    copied = "INSERT INTO audit_log SELECT {} AS audit_id, 1, previous, source, 900, occurred_at," \
        " recorded_at, actor, role, protocol, address, action, object, result, reason," \
        " correlation_id, details, hash FROM audit_log WHERE audit_id = 7"  # fmt: skip
    intruder.does(copied.format(9))
    intruder.does(copied.format(0))
    assert [(kind, first) for kind, first, _ in named(verdict(log))] == [
        ("inserted", 0),
        ("inserted", 9),
    ]


def test_room_made_for_an_inserted_entry_is_named(log: Connection, intruder: Intruder) -> None:
    intruder.does("UPDATE audit_log SET audit_id = -audit_id - 1 WHERE audit_id > 6")
    intruder.does("UPDATE audit_log SET audit_id = -audit_id WHERE audit_id < 0")
    found = named(verdict(log))
    assert found[0] == ("removed", 7, 7) or ("reordered", 8, 8) in found
    assert {number for kind, number, _ in found if kind == "reordered"} == set(range(8, COUNT + 2))


def test_an_end_cut_off_with_its_head_is_found_by_an_anchor(
    log: Connection, intruder: Intruder, tmp_path: Path
) -> None:
    anchored(log, tmp_path)
    assert verdict(log, tmp_path).intact
    intruder.does("DELETE FROM audit_log WHERE audit_id > 25")
    intruder.follow()
    assert verdict(log).intact
    assert named(verdict(log, tmp_path)) == [("cut off", 26, COUNT)]


def test_a_log_written_anew_from_somewhere_on_is_found_by_an_anchor(
    log: Connection, intruder: Intruder, tmp_path: Path
) -> None:
    anchored(log, tmp_path)
    append(log, range(COUNT + 1, COUNT + 11))
    anchored(log, tmp_path)
    append(log, range(COUNT + 11, COUNT + 21))
    anchored(log, tmp_path)
    intruder.does("UPDATE audit_log SET actor = 'nobody' WHERE audit_id = %s", COUNT + 5)
    intruder.rehash(COUNT + 5, COUNT + 20)
    intruder.follow()
    assert verdict(log).intact
    assert named(verdict(log, tmp_path)) == [("rewritten", COUNT + 1, COUNT + 10)]


TAMPERING = st.one_of(
    st.tuples(
        st.just("change"),
        st.sampled_from(
            ["actor", "reason", "object", "details", "hash", "previous", "correlation_id"]
        ),
    ),
    st.tuples(st.just("rehash"), st.sampled_from(["actor", "result"])),
    st.tuples(st.just("delete"), st.integers(1, 4)),
    st.tuples(st.just("exchange"), st.integers(1, COUNT)),
    st.tuples(st.just("number"), st.integers(-3, 3 * COUNT)),
)


def tamper(intruder: Intruder, number: int, how: tuple[str, object], count: int) -> set[int]:
    """Do it to entry `number`; of what is returned, a finding has to name one."""
    kind, more = how
    if kind in ("change", "rehash"):
        forged = {"details": "'{\"forged\": 1}'"} | dict.fromkeys(
            ("hash", "previous"), "decode(repeat('ab', 32), 'hex')"
        )
        value = forged.get(str(more), "'forged'")
        intruder.does(f"UPDATE audit_log SET {more} = {value} WHERE audit_id = %s", number)
        if kind == "rehash":
            intruder.rehash(number, number)
        return {number}
    other = int(str(more))
    if kind == "delete":
        last = min(number + other - 1, count)
        intruder.does("DELETE FROM audit_log WHERE audit_id BETWEEN %s AND %s", number, last)
        return {*range(number, last + 1)}
    if kind == "exchange":
        other = min(other, count)
        intruder.does(
            "UPDATE audit_log SET audit_id = %s - audit_id WHERE audit_id IN (%s, %s)",
            *(number + other, number, other),
        )
    else:
        intruder.does("UPDATE audit_log SET audit_id = %s WHERE audit_id = %s", other, number)
    return {number, other} if number != other else set()


@given(data=st.data(), count=st.integers(1, COUNT))
@settings(max_examples=100, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_any_tampering_is_found_and_named_and_without_it_nobody_is_accused(
    log: Connection, intruder: Intruder, data: st.DataObject, count: int
) -> None:
    if not intruder.kept:
        intruder.keep()
    intruder.put_back(count)
    assert verdict(log).intact
    number, how = data.draw(st.integers(1, count)), data.draw(TAMPERING)
    touched = tamper(intruder, number, how, count)
    found = verdict(log)
    told = [str(finding) for finding in found.findings]
    if not touched:
        assert found.intact, told
    else:
        assert any(touched & {*range(f.first, f.last + 1)} for f in found.findings), told


@given(data=st.data(), count=st.integers(1, COUNT))
@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_whatever_is_done_together_a_log_is_intact_only_if_it_is_the_same_again(
    log: Connection, intruder: Intruder, data: st.DataObject, count: int
) -> None:
    if not intruder.kept:
        intruder.keep()
    intruder.put_back(count)
    for number, how in data.draw(
        st.lists(st.tuples(st.integers(1, count), TAMPERING), min_size=1, max_size=4)
    ):
        tamper(intruder, number, how, count)
    found = verdict(log)
    told = [str(finding) for finding in found.findings]
    assert found.intact == intruder.is_as_kept(count), told


def test_entries_from_before_the_chain_become_its_beginning(
    database: Database, tmp_path: Path
) -> None:
    name = f"{database.name}_before"
    files = Path(shutil.copytree(DIRECTORY, tmp_path / "migrations"))
    for file in [*files.glob("*.sql")]:
        if file.name >= "008":
            file.unlink()
    with psycopg.connect(database.dsn("postgres"), autocommit=True) as superuser:
        superuser.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with psycopg.connect(database.server.dsn("postgres", name)) as inside:
            inside.execute(ROLES_FILE.read_bytes())
        owner = database.server.dsn("calejo_owner", name)
        migrate(owner, files)
        with psycopg.connect(database.server.dsn("calejo_runtime", name)) as old:
            old.execute(
                "INSERT INTO audit_log (source, sequence, occurred_at, recorded_at, actor, action,"
                " result, details) SELECT 'old', n, now(), now() - n * interval '1 h', 'anna',"
                " 'set Mode', 'done', '{\"value\": 1}' FROM generate_series(1, 50) AS n"
            )
        assert "008_audit_chain.sql" in migrate(owner)
        with psycopg.connect(
            database.server.dsn("calejo_runtime", name), autocommit=True
        ) as connection:
            assert verdict(connection).intact
            append(connection, range(49, 53), source="old")
            found = verdict(connection)
            rows = connection.execute(
                "SELECT sequence, actor, details FROM audit_log ORDER BY audit_id"
            ).fetchall()
        assert (found.intact, found.walked.count) == (True, 52)
        assert [row[0] for row in rows] == [*range(1, 53)]
        assert rows[0][1:] == ("anna", '{"value": 1}')
        superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
