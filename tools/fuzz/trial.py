"""A protocol server of its own, under fire: what it must still be afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.places import Places
from runtime.processes import module
from runtime.progress import State, look
from runtime.requests import Mailbox

ROOT = Path(__file__).parents[2]
STARTS = 60.0  # s for a server to listen
PLANT = Equipment(
    version=1,
    stations=(StationEntry(0, "North", "North", "UTC", 1, 0, True, {}),),
    pumps=(PumpEntry(0, 11, "North", "First", 1, 100, True, {}),),
)


class Fallen(Exception):
    """A server is not what it has to be; the message says what has become of it."""


@dataclass
class Target:
    """A server in a process of its own. No scan answers: whatever it asks for stays in the pipe."""

    places: Places
    port: int
    process: subprocess.Popen[bytes]
    mailbox: Mailbox
    log: Path

    @property
    def memory(self) -> float:
        """Resident memory, in MB."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def check(self) -> None:
        """Raise Fallen if the server has ended, or asked the scan for something."""
        if self.process.poll() is not None:
            raise Fallen(f"the server ended with {self.process.returncode}: {self.tail()}")
        if asked := list(self.mailbox.drain()):
            raise Fallen(f"a wrong write: {asked[0]}")

    def failures(self) -> dict[str, int]:
        """What the log says went wrong inside the server, by its words."""
        found: dict[str, int] = {}
        for line in self.log.read_text(errors="replace").splitlines():
            with suppress(orjson.JSONDecodeError):
                told = orjson.loads(line)
                line = str(told["reason"]) if told["event"] == "request failed" else ""
            if line:  # of no log: a traceback
                found[line[:200]] = found.get(line[:200], 0) + 1
        return found

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-2_000:]


@contextmanager
def target(name: str, settings: dict[str, str]) -> Iterator[Target]:
    """The server `name` of a small plant, listening."""
    with (
        tempfile.TemporaryDirectory(prefix="calejo-fuzz-") as folder,
        closing(socket.socket()) as s,
    ):
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        s.close()
        places = Places(Path(folder) / "var")
        places.prepare()
        mailbox = Mailbox(places.requests)
        PLANT.save(places.equipment)
        environ = os.environ | {
            "CALEJO_STATE": str(places.root),
            "CALEJO_CONFIG": str(ROOT / "scan.yaml"),
            "CALEJO_LOG": "warning",
            f"CALEJO_SERVERS_{name.upper()}_LISTEN": f"127.0.0.1:{port}",
        }
        log = Path(folder) / "log"
        try:
            with (
                log.open("ab") as out,
                subprocess.Popen(
                    module("runtime", "process", name),
                    env=environ | settings,
                    stderr=out,
                    stdout=out,
                ) as process,
            ):
                try:
                    found = Target(places, port, process, mailbox, log)
                    _wait(found, name)
                    yield found
                finally:
                    process.kill()
        finally:
            mailbox.close()
            shutil.rmtree(places.shared, ignore_errors=True)


def _wait(found: Target, name: str) -> None:
    deadline = time.monotonic() + STARTS
    while True:
        found.check()
        health = look(found.places.progress(name))
        if health is not None and health.state is not State.STARTING:
            return
        if time.monotonic() > deadline:
            raise Fallen(f"the server does not listen after {STARTS:.0f} s")
        time.sleep(0.1)
