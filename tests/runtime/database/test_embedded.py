"""The embedded server: it starts from nothing, survives every kind of death, and keeps its data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runtime.database import postmaster
from runtime.database.account import AccountError
from runtime.database.embedded import EmbeddedServer
from runtime.database.postmaster import ServerError
from tests.conftest import fast_directory
from tests.processes import until
from tests.runtime import disk

KEEP_RUNNING = """
import sys, time
from pathlib import Path
from runtime.database.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.start()
print(server.process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="calejo-", dir=fast_directory()) as name:
        Path(name).chmod(0o711)
        yield Path(name) / "postgres"


@pytest.fixture
def server(directory: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(directory)
    server.start()
    with psycopg.connect(server.dsn("postgres")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    yield server
    server.stop()


def rows(server: EmbeddedServer) -> int:
    with psycopg.connect(server.dsn("postgres")) as connection:
        found = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert found is not None
    return int(found[0])


def pid(server: EmbeddedServer) -> int:
    assert server.process is not None
    return server.process.pid


def test_data_is_there_after_stop_and_start(server: EmbeddedServer) -> None:
    server.stop()
    assert not server.alive
    server.start()
    assert rows(server) == 1000


def test_a_killed_server_is_noticed_and_starts_again_with_its_data(server: EmbeddedServer) -> None:
    os.kill(pid(server), signal.SIGKILL)
    until(lambda: not server.alive)
    server.start()
    assert rows(server) == 1000


def test_it_starts_though_another_process_has_the_id_of_the_killed_one(
    server: EmbeddedServer,
) -> None:
    os.kill(pid(server), signal.SIGKILL)
    until(lambda: not server.alive)
    path = server.data / "postmaster.pid"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    server.start()
    assert rows(server) == 1000


def test_a_zombie_does_not_count_as_a_running_server(server: EmbeddedServer) -> None:
    process = server.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: "Z" in Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2])
    assert not postmaster.serves(process.pid, server.data)
    server.start()
    assert rows(server) == 1000


def keep_running(directory: Path) -> tuple[subprocess.Popen[str], int]:
    holder = subprocess.Popen(
        [sys.executable, "-c", KEEP_RUNNING, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    return holder, int(holder.stdout.readline())


def end(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert holder.stdout is not None
    holder.stdout.close()


def test_the_server_follows_its_killed_parent_and_starts_again(directory: Path) -> None:
    holder, postgres = keep_running(directory)
    end(holder)
    until(lambda: not postmaster.serves(postgres, directory / "data"))
    server = EmbeddedServer(directory)
    server.start()
    server.stop()


def test_after_sigkill_of_everything_it_starts_again(directory: Path) -> None:
    holder, postgres = keep_running(directory)
    os.kill(postgres, signal.SIGSTOP)
    end(holder)
    os.kill(postgres, signal.SIGKILL)
    server = EmbeddedServer(directory)
    server.start()
    server.stop()


def test_a_second_process_is_told_that_the_directory_is_in_use(server: EmbeddedServer) -> None:
    second = EmbeddedServer(server.directory)
    with pytest.raises(ServerError, match="another process runs the database"):
        second.start()
    assert rows(server) == 1000


def test_a_half_made_cluster_is_made_anew(directory: Path) -> None:
    (directory / "data.init" / "base").mkdir(parents=True)
    server = EmbeddedServer(directory)
    server.start()
    server.stop()


def test_data_of_another_major_version_is_refused_and_left_alone(server: EmbeddedServer) -> None:
    server.stop()
    version = server.data / "PG_VERSION"
    true = version.read_text()
    version.write_text("9\n")
    with pytest.raises(ServerError, match=r"was written by PostgreSQL 9, but .* is PostgreSQL"):
        server.start()
    version.write_text(true)
    server.start()
    assert rows(server) == 1000


def test_a_directory_with_a_long_path_works(directory: Path) -> None:
    server = EmbeddedServer(directory / ("long" * 30))
    server.start()
    assert server.socket.parent != server.directory
    with psycopg.connect(server.dsn("control_reader")) as connection:
        connection.execute("SELECT 1")
    server.stop()
    assert not server.socket.exists()


def test_a_directory_that_no_other_account_reaches_works_or_says_what_to_do(
    directory: Path,
) -> None:
    directory.parent.chmod(0o700)
    server = EmbeddedServer(directory)
    refusal = ""
    try:
        server.start()
    except AccountError as error:
        refusal = str(error)
    assert server.alive or "Set CALEJO_STATE" in refusal
    server.stop()
    assert directory.parent.stat().st_mode & 0o777 == 0o700


def test_passwords_and_socket_are_for_the_owner_only(server: EmbeddedServer) -> None:
    assert (server.directory / "passwords.json").stat().st_mode & 0o777 == 0o600
    assert server.socket.stat().st_mode & 0o777 == 0o700
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn("control_reader"), password="guess")


def test_wrong_binaries_are_named(
    directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CALEJO_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(ServerError, match=r"CALEJO_POSTGRES_BIN names .* no program postgres"):
        EmbeddedServer(directory).start()


def test_a_full_disk_is_told_and_harms_nothing(directory: Path) -> None:
    server = EmbeddedServer(directory)
    with disk.full(1 << 20), pytest.raises(ServerError, match="initdb could not make the database"):
        server.start()
    server.start()
    server.stop()


def test_a_directory_that_can_not_be_made_is_named(directory: Path) -> None:
    directory.parent.joinpath("file").touch()
    server = EmbeddedServer(directory.parent / "file" / "postgres")
    with pytest.raises(ServerError, match=r"no database in .*/file/postgres: Not a directory"):
        server.start()
