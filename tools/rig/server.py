"""A PostgreSQL of one's own, durable, that may be stopped, killed, frozen, filled and cut off.

With the rights of root it runs in a network namespace of its own, reached over a pair of virtual
interfaces, and on a file system of its own. The runtime comes over the network; whoever tries it
comes over the unix socket, which no fault of the network touches.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import migrate
from runtime.database.postmaster import recorded_pid

ROOM = "400m"  # of the file system: the cluster takes 60 MB
STARTS = 60.0  # s
Connection = psycopg.Connection[Any]


def may_isolate() -> bool:
    """Whether network namespaces and file systems of one's own can be made here."""
    if os.getuid() != 0 or not shutil.which("ip") or not shutil.which("mount"):
        return False
    name = f"calejo-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)
    return made


class OwnServer:
    """The server. `isolated` tells whether network and disk are its own."""

    def __init__(self, root: Path, *, isolated: bool) -> None:
        self.isolated = isolated
        self.directory = root / "postgres"
        self.directory.mkdir()
        self.directory.chmod(0o711)
        number = os.getpid() % 250
        self.namespace = f"calejo-{os.getpid()}"
        self.ours, self.theirs = f"10.213.{number}.1", f"10.213.{number}.2"
        self.link = f"cal{os.getpid() % 10**6}"
        self._access = EmbeddedServer(self.directory)
        self._process: subprocess.Popen[bytes] | None = None
        self._log = root / "server.log"

    def prepare(self) -> None:
        """Make network and file system."""
        if self.isolated:
            _do("mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=711", "calejo", self.directory)
            _do("ip", "netns", "add", self.namespace)
            _do("ip", "link", "add", self.link, "type", "veth", "peer", "eth0", "netns",
                self.namespace)  # fmt: skip
            _do("ip", "address", "add", f"{self.ours}/30", "dev", self.link)
            _do("ip", "link", "set", self.link, "up")
            self.inside("ip", "link", "set", "lo", "up")
            self.inside("ip", "link", "set", "eth0", "up")
            self.take_address()
        self.start()
        migrate(self.dsn("calejo_owner"))
        if self.isolated:
            with (self._access.data / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {self.ours}/32 scram-sha-256\n")
            with self.connect("postgres") as connection:
                connection.execute("SELECT pg_reload_conf()")

    def remove(self) -> None:
        """Stop it, and take away network and file system."""
        self.stop()
        if self.isolated:
            for command in (
                ("ip", "link", "delete", self.link),
                ("ip", "netns", "delete", self.namespace),
                ("umount", "--lazy", str(self.directory)),
            ):
                subprocess.run(command, capture_output=True)

    def inside(self, *command: str | Path) -> None:
        """Run a command where the server's network is."""
        _do("ip", "netns", "exec", self.namespace, *command)

    def take_address(self) -> None:
        self.inside("ip", "address", "add", f"{self.theirs}/30", "dev", "eth0")

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-P", "-m", "tools.rig.postgres", str(self.directory)]
        command += ["*"] if self.isolated else []
        where = ["ip", "netns", "exec", self.namespace] if self.isolated else []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*where, *command], stdout=log, stderr=log)
        deadline = time.monotonic() + STARTS
        while not self.answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"no server:\n{self._log.read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it in order."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """Kill the server as a fault would; what it leaves behind ends by itself."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(30)
        self._process = None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to all that still live: one may end because another went on."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def processes(self) -> list[int]:
        """The postmaster, then its children."""
        postmaster = recorded_pid(self._access.data)
        if postmaster is None:
            return []
        return [postmaster, *_children(postmaster)]

    def answers(self) -> bool:
        """Whether it answers on its socket, which no fault of the network touches."""
        with contextlib.suppress(psycopg.Error, RuntimeError), self.connect("postgres"):
            return True
        return False

    def dsn(self, role: str) -> str:
        return self._access.dsn(role)

    def password(self, role: str) -> str:
        return str(conninfo_to_dict(self.dsn(role))["password"])

    def runtime_dsn(self) -> str:
        """How the runtime comes: over the network, if there is one."""
        dsn = self.dsn("calejo_runtime")
        return make_conninfo(dsn, host=self.theirs) if self.isolated else dsn

    @contextlib.contextmanager
    def connect(self, role: str = "calejo_owner") -> Iterator[Connection]:
        with psycopg.connect(self.dsn(role), autocommit=True, connect_timeout=5) as connection:
            yield connection

    @property
    def ballast(self) -> Path:
        """A file that takes the room that is left."""
        return self.directory / "ballast"


def _children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def _do(*command: str | Path) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
