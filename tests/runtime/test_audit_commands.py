"""`calejo audit`: what it tells, in words a stranger understands, and its exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from runtime.audit.anchors import ANCHOR, AnchorFile, Key, anchor
from runtime.command_line import execute
from runtime.database import audit_entries, audit_rows
from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import migrate
from runtime.places import Places
from tests.calejo import ROOT
from tests.conftest import Database, fast_directory
from tests.runtime.database.audit_logs import Intruder, entry

STOP = {"action": "set emergency stop", "actor": "anna", "object": "South/2/EmergencyStop"}
SCRIPT = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


class Command:
    """`calejo` within this process: starting one takes longer than the command."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Done:
        told, code = "", 0
        try:
            execute(arguments)
        except SystemExit as end:
            told = f"{end.code}\n" if isinstance(end.code, str) else ""
            code = 1 if told else int(end.code or 0)
        printed = self._capsys.readouterr()
        return Done(code, printed.out, printed.err + told)


@pytest.fixture
def calejo(
    tmp_path: Path,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        entries = [entry(number) for number in range(1, 21)]
        entries[6] |= STOP | {"reason": SCRIPT, "result": "refused", "at": 1.8e9}
        entries[7] |= STOP | {"reason": "=1+1", "at": 1.8e9 + 86_400, "object": None}
        audit_entries.append(connection, "test", entries)
    for name in [name for name in os.environ if name.startswith("CALEJO")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CALEJO_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CALEJO_CONFIG", str(ROOT / "scan.yaml"))
    monkeypatch.setenv("CALEJO_DATABASE", database.reader)
    return Command(capsys)


@pytest.fixture
def anchored(calejo: Command, database: Database, tmp_path: Path) -> Path:
    """A directory with an anchor of the newest entry."""
    file = AnchorFile(tmp_path / "anchors", Key(tmp_path / "key"))
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        head = audit_rows.head(connection)
        file.append(anchor(ANCHOR, audit_rows.identity(connection), head.number, head.hash))
    return tmp_path / "anchors"


@pytest.fixture
def intruder(calejo: Command, database: Database) -> Iterator[Intruder]:
    intruder = Intruder(database.dsn("postgres"))
    yield intruder
    intruder.connection.close()


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory that the account of an embedded server can reach, too."""
    with tempfile.TemporaryDirectory(prefix="calejo-", dir=fast_directory()) as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


def test_an_intact_log_is_called_intact_with_what_was_checked(
    calejo: Command, anchored: Path
) -> None:
    done = calejo("audit", "verify", "--anchors", str(anchored))
    assert (done.returncode, done.stderr) == (0, "")
    first, verdict, *lines = done.stdout.splitlines()
    assert first.startswith("audit log of database ")
    assert verdict == "intact"
    assert lines[0] == "  entries   20, the newest 20; the hash of each recomputed"
    assert lines[1].startswith("  anchors   1 hold, the newest of entry 20, 20")
    without = calejo("audit", "verify")
    assert without.returncode == 0
    assert "anchors   none holds: a cut end" in without.stdout


def test_what_was_done_to_a_log_is_named_with_exit_code_3(
    calejo: Command, intruder: Intruder, anchored: Path
) -> None:
    intruder.does("UPDATE audit_log SET actor = 'nobody' WHERE audit_id = 7")
    intruder.does("DELETE FROM audit_log WHERE audit_id IN (3, 4, 19, 20)")
    intruder.follow()
    done = calejo("audit", "verify", "--anchors", str(anchored))
    assert done.returncode == 3
    _, verdict, *lines = done.stdout.splitlines()
    assert verdict == "NOT INTACT: 3 findings"
    assert lines[0] == "  removed: entries 3 to 4: not there"
    assert lines[1].startswith("  changed: entry 7: the content does not fit the hash ('nobody', ")
    assert lines[2].startswith("  cut off: entries 19 to 20: the anchor of 20")


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        (["--user", "ANNA"], [7, 8]),
        (["--action", "Emergency"], [7, 8]),
        (["--object", "south/2"], [7]),
        (["--result", "refused"], [7]),
        (["--text", "ALERT(1)"], [7]),
        (["--correlation", "12"], [12]),
        (["--from", "2027-01-15", "--to", "2027-01-15"], [7]),
        (["--from", "2027-01-15T08:00+00:00", "--user", "anna"], [7, 8]),
        (["--from", "2027-01-15T08:00:01"], [8]),
        (["--to", "2023-11-14T22:13:22"], [1]),
        (["--limit", "2"], [19, 20]),
        (["--user", "anna", "--result", "executed"], [8]),
        (["--text", "100%"], []),
    ],
)
def test_search_finds_what_fits_all_that_is_given(
    calejo: Command, given: list[str], numbers: list[int]
) -> None:
    done = calejo("audit", "search", *given)
    assert done.returncode == 0
    assert [int(line.split()[0]) for line in done.stdout.splitlines()] == numbers
    if not numbers:
        assert done.stderr == "no entry fits\n"


def test_search_says_who_did_what_when_from_where_and_why(calejo: Command) -> None:
    (line,) = calejo("audit", "search", "--text", "alert(1)").stdout.splitlines()
    assert line == (
        "7  2027-01-15 08:00:00.000Z  anna rest 10.0.0.7  set emergency stop:"
        f' South/2/EmergencyStop  refused  "{SCRIPT}"  id 7  {{"value":  1.0}}'
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["search", "--from", "yesterday"], "--from: found 'yesterday', allowed a day such as"),
        (["search", "--to", "2026-13-01"], "--to: found '2026-13-01', allowed a day such as"),
        (["search", "--limit", "0"], "--limit: found '0', allowed a whole number from 1 to"),
        (["search", "--from", "2026-02-02", "--to", "2026-02-01"], "a period that ends after it"),
        (["verify", "--anchors", "nowhere"], "found no anchors in 'nowhere', allowed a directory"),
        (["report", "--format", "pdf"], "invalid choice: 'pdf'"),
    ],
)
def test_a_wrong_argument_is_told_with_what_is_allowed(
    calejo: Command, given: list[str], words: str
) -> None:
    done = calejo("audit", *given)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_away_and_a_key_that_is_none_are_told_in_a_line(
    calejo: Command, tmp_path: Path, anchored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setenv("CALEJO_DATABASE", "host=127.0.0.1 port=1 dbname=none")
        done = calejo("audit", "verify")
    assert done.returncode == 1
    assert done.stderr.startswith("calejo: database: ")
    assert len(done.stderr.splitlines()) == 1
    (tmp_path / "not.pem").write_text("no key")
    done = calejo("audit", "verify", "--public-key", str(tmp_path / "not.pem"))
    assert done.returncode == 1
    assert "found no public key, allowed an Ed25519 public key as PEM" in done.stderr


def test_an_embedded_database_that_stands_still_is_started_for_the_command(
    calejo: Command, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALEJO_DATABASE", "embedded")
    monkeypatch.setenv("CALEJO_STATE", str(state))
    done = calejo("audit", "verify")
    assert done.returncode == 1
    assert "the embedded PostgreSQL was never started here" in done.stderr
    server = EmbeddedServer(Places(state).postgres, durable=False)
    server.start()
    try:
        migrate(server.dsn("calejo_owner"))
    finally:
        server.stop()
    done = calejo("audit", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1] == "intact"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn("calejo_runtime"), connect_timeout=2)


def test_a_report_as_csv_has_all_columns_and_no_formula(calejo: Command) -> None:
    done = calejo("audit", "report", "--format", "csv", "--user", "anna")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = csv.DictReader(io.StringIO(done.stdout))
    assert (first["number"], first["user"], first["reason"]) == ("7", "anna", SCRIPT)
    assert second["reason"] == "'=1+1"
    assert second["object"] == ""
    assert first["occurred_at"] == "2027-01-15 08:00:00.000Z"


def test_a_report_as_json_has_facts_counts_and_entries(calejo: Command, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    done = calejo(
        "audit", "report", "--format", "json", "--output", str(output), "--to", "2026-01-01"
    )
    assert (done.returncode, done.stdout) == (0, "")
    report = json.loads(output.read_text())
    assert report["intact"] is True
    assert report["report"]["asked for: until"] == "2026-01-02 00:00:00.000Z"
    assert report["report"]["chain"].startswith("intact; entries   20")
    assert report["counts"]["result"] == {"executed": 18}
    assert len(report["entries"]) == 18
    assert report["entries"][0]["details"] == {"value": 1.0}


def test_a_report_as_a_page_stands_alone_and_escapes_everything(calejo: Command) -> None:
    page = calejo("audit", "report").stdout
    assert page.startswith("<!doctype html>")
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert page.count('<tr><td class="number">') == 20
    assert "src=" not in page
    assert "href=" not in page
    assert "@media print" in page


def test_a_report_of_a_log_that_is_not_intact_says_so(calejo: Command, intruder: Intruder) -> None:
    intruder.does("UPDATE audit_log SET actor = 'nobody' WHERE audit_id = 7")
    done = calejo("audit", "report")
    assert done.returncode == 3
    assert "changed: entry 7" in done.stderr
    assert '<td class="bad">NOT INTACT: 1 findings; changed: entry 7' in done.stdout


def test_help_says_what_each_command_does(calejo: Command) -> None:
    assert "verify the audit log, search it, make a report of it" in calejo("--help").stdout
    assert "{verify" not in calejo("audit", "--help").stdout
    told = calejo("audit", "verify", "--help").stdout
    assert "exit codes: 0 intact, 3 not intact" in told
