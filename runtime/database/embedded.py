"""The embedded PostgreSQL: a wheel's binaries as a direct child, on a unix socket of its own.

    directory/lock            held while an EmbeddedServer of any process uses the directory
    directory/passwords.json  the roles' passwords (0600)
    directory/data            the cluster; made as data.init and renamed: initdb is not atomic
    directory/socket          the socket (0700); elsewhere when the path would be too long for one
    directory/startup.log     what the server said before its own log (data/log) was open

Whoever dies takes the server along: it gets SIGINT (fast shutdown) with the thread that called
`start`, which therefore has to be one that lives as long as the server is wanted. After SIGKILL of
everything `start` recovers by itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from psycopg.conninfo import make_conninfo

from runtime.database import postmaster
from runtime.database.account import Account, choose_account
from runtime.database.postmaster import ServerError
from runtime.database.preparation import DATABASE, ROLES, SUPERUSER, prepare

PORT = 5432
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",  # a file for each weekday: the log never outgrows a week
    "log_truncate_on_rotation": "on",
    "log_rotation_size": "0",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
STOP_FAST_S = 1.8
STOP_IMMEDIATE_S = 0.4


class EmbeddedServer:
    """One cluster in one directory, run by one process at a time."""

    def __init__(
        self,
        directory: Path,
        *,
        durable: bool = True,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`durable=False` is for tests: nothing is forced to the disk; so are other `settings`."""
        self.directory = directory.resolve()
        self.data = self.directory / "data"
        self.socket = postmaster.socket_directory(self.directory, PORT)
        self.process: subprocess.Popen[bytes] | None = None
        self._durable = durable
        self._binaries = binaries
        self._settings = SETTINGS | ({} if durable else NOT_DURABLE) | dict(settings or {})
        self._lock: int | None = None

    def start(self, timeout: float = 300.0) -> None:
        """Bring the server up; wait at most `timeout` s (recovery is slow) until it answers."""
        if self.alive:
            return
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            binaries = self._binaries or postmaster.find_binaries()
            account = choose_account(self.directory, self.data, binaries / "postgres")
            postmaster.check_version(self.data, binaries)
            if not self.data.exists():
                self._initialise(account, binaries)
            postmaster.end_orphan(self.data)
            postmaster.prepare_socket(self.socket, account)
            self._launch(account, binaries, time.monotonic() + timeout)
            prepare(self._passwords(), self.dsn)
        except OSError as error:
            self.stop()
            raise ServerError(
                f"no database in {self.directory}: {error.strerror or error} ({error.filename})"
            ) from None
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut down; after 1.8 s the hard way, so that the next start has to recover."""
        process, self.process = self.process, None
        if process is not None:
            for number, wait in (
                (signal.SIGINT, STOP_FAST_S),
                (signal.SIGQUIT, STOP_IMMEDIATE_S),
                (signal.SIGKILL, None),
            ):
                process.send_signal(number)
                try:
                    process.wait(wait)
                    break
                except subprocess.TimeoutExpired:
                    continue
        if self.socket.parent != self.directory:
            shutil.rmtree(self.socket, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def poll(self) -> int | None:
        """The exit code of a server that ended by itself, None while it runs; reaps it."""
        return -1 if self.process is None else self.process.poll()

    @property
    def alive(self) -> bool:
        """Whether the server process runs."""
        return self.poll() is None

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """How a role connects. Known as soon as the server has run for the first time."""
        return make_conninfo(
            host=str(self.socket),
            port=PORT,
            user=role,
            password=self._passwords()[role],
            dbname=database,
        )

    def _passwords(self) -> dict[str, str]:
        path = self.directory / "passwords.json"
        try:
            found: dict[str, str] = json.loads(path.read_text())
        except FileNotFoundError:
            raise ServerError(
                f"{path} is missing: the embedded PostgreSQL was never started here, or the"
                " passwords of its data have to be restored from a backup"
            ) from None
        return found

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise ServerError(f"another process runs the database in {self.directory}") from None
        self._lock = lock

    def _initialise(self, account: Account, binaries: Path) -> None:
        passwords = {role: secrets.token_urlsafe(24) for role in ROLES}
        _write_secret(self.directory / "passwords.json", json.dumps(passwords, indent=1))
        data = self.directory / "data.init"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        account.give(data)
        handed = self.directory / "initial-password"
        _write_secret(handed, passwords[SUPERUSER])
        account.give(handed)
        options = [
            "--locale=C.UTF-8",
            "--encoding=UTF8",
            "--data-checksums",
            "--auth=scram-sha-256",
        ]
        options += [f"--username={SUPERUSER}", f"--pwfile={handed}", f"--pgdata={data}"]
        options += [] if self._durable else ["--no-sync"]
        try:
            done = subprocess.run(
                account.command(self.directory, binaries / "initdb", *options),
                capture_output=True, text=True, env=postmaster.ENVIRONMENT, start_new_session=True,
            )  # fmt: skip
        finally:
            handed.unlink()
        if done.returncode != 0:
            shutil.rmtree(data, ignore_errors=True)
            raise ServerError(
                f"initdb could not make the database in {self.directory}: {done.stderr.strip()}"
            )
        data.rename(self.data)

    def _launch(self, account: Account, binaries: Path, deadline: float) -> None:
        """Try until it runs: backends outlive a killed postmaster and hold its memory a moment."""
        options = [
            part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")
        ]
        options += ["-D", str(self.data), "-k", str(self.socket), "-p", str(PORT)]
        command = account.command(self.data, binaries / "postgres", *options)
        log = self.directory / "startup.log"
        while True:
            stale = postmaster.recorded_pid(self.data)
            grandparent = {} if stale is None else {"PG_GRANDPARENT_PID": str(stale)}
            with log.open("wb") as output:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    env=postmaster.ENVIRONMENT | grandparent, start_new_session=True,
                )  # fmt: skip
            while self.process.poll() is None:
                if postmaster.is_ready(self.data, self.process.pid):
                    return
                if time.monotonic() > deadline:
                    raise ServerError(
                        f"PostgreSQL in {self.data} is not ready yet; {_last_line(log)}"
                    )
                time.sleep(0.01)
            if "shared memory" not in _last_line(log, 5) or time.monotonic() > deadline:
                raise ServerError(
                    f"PostgreSQL in {self.data} ended as it started: {_last_line(log, 5)}"
                )
            time.sleep(0.1)


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _last_line(log: Path, lines: int = 1) -> str:
    return "\n".join(log.read_text(errors="replace").strip().splitlines()[-lines:])
