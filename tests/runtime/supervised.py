"""A supervisor at work, with small programs in place of the processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from runtime.places import Places
from runtime.progress import Health, look
from tests.processes import is_alive, until

PROGRAM = """
import os, signal, subprocess, sys, time
from pathlib import Path
from runtime.places import Places
from runtime.progress import Progress, State

name, state, behaviour = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

def end(number, frame):
    with (state / "ended").open("a") as file:
        file.write(name + "\\n")
    raise SystemExit

signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour == "deaf" else end)
progress = Progress(Places(state).progress(name))
lives = state / f"{name}.lives"
with lives.open("a") as file:
    file.write("x")
if behaviour == "unusable" or (behaviour == "unusable later" and len(lives.read_text()) == 2):
    progress.say(State.DEGRADED, "listen 127.0.0.1:5020: address already in use")
    raise SystemExit(78)
if behaviour == "crash":
    raise SystemExit(3)
if behaviour == "parent":
    orphan = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (state / "orphan").write_text(str(orphan.pid))
if behaviour == "standby":
    progress.say(State.STANDBY, "ready to take over")
else:
    progress.say(State.GOOD, "works")
while True:
    if behaviour != "hang":
        progress.beat()
    time.sleep(0.05)
"""

SUPERVISOR = """
import sys
from pathlib import Path
from runtime import instance, log
from runtime.places import Places, StateError
from runtime.processes import Process
from runtime.supervisor import StartError, Supervisor

state, program, *children = sys.argv[1:]
log.configure("run", "debug")
processes = []
for child in children:
    name, behaviour = child.split("=")
    command = (sys.executable, "-P", program, name, state, behaviour)
    processes.append(Process(name, command, (name,), patience=0.5))
places = Places(Path(state))
try:
    with instance.taken(places):
        Supervisor(places, processes).run()
except (StartError, StateError) as error:
    raise SystemExit(str(error))
"""


class Running:
    """A supervisor at work in a state directory of its own."""

    def __init__(
        self, state: Path, program: Path, children: dict[str, str], under: tuple[str, ...] = ()
    ) -> None:
        self.state = state
        self.places = Places(state)
        self._errors = Path(tempfile.mkstemp(dir=state.parent)[1])
        named = [f"{name}={behaviour}" for name, behaviour in children.items()]
        with self._errors.open("w") as errors:
            # Not a pipe: a process that outlives the supervisor would keep it open.
            self.process = subprocess.Popen(
                [*under, sys.executable, "-P", "-c", SUPERVISOR, str(state), str(program), *named],
                stderr=errors,
            )

    def health(self, name: str) -> Health:
        """The health of a process that has begun to work."""
        return until(lambda: self._works(name))

    def _works(self, name: str) -> Health | None:
        health = look(self.places.progress(name))
        return health if health and is_alive(health.pid) and health.text != "starting" else None

    def another(self, name: str, pid: int) -> Health:
        """The health of the process that replaced the one with this pid."""

        def replacement() -> Health | None:
            health = self._works(name)
            return health if health and health.pid != pid else None

        return until(replacement)

    def lives(self, name: str) -> int:
        path = self.state / f"{name}.lives"
        return len(path.read_text()) if path.exists() else 0

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        return self.outcome()

    def outcome(self) -> tuple[int, str]:
        return self.process.wait(timeout=30), self._errors.read_text()


Start = Callable[..., Running]
