"""The command `calejo` as a user has it: a process of its own, in a state directory of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from runtime.places import Places
from runtime.progress import Health, State, look
from tests.processes import is_alive, that_mention, until

ROOT = Path(__file__).parents[1]
CALEJO = (sys.executable, "-P", "-m", "runtime")
SERVERS = ("modbus", "opcua", "rest")


def free_ports(count: int) -> list[int]:
    """Ports at which nobody listens."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]


class Calejo:
    """A state directory, ports, and the commands that are run with them."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.places = Places(state)
        self.ports = dict(zip(SERVERS, free_ports(len(SERVERS)), strict=True))
        inherited = {name: value for name, value in os.environ.items() if "CALEJO" not in name}
        self.environment = inherited | {
            "CALEJO_STATE": str(state),
            "CALEJO_CONFIG": str(ROOT / "scan.yaml"),
            **{
                f"CALEJO_SERVERS_{name.upper()}_LISTEN": f"127.0.0.1:{port}"
                for name, port in self.ports.items()
            },
        }
        self.output = state.parent / "output"
        self.log = state.parent / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(
        self, *arguments: str, under: tuple[str, ...] = (), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*under, *CALEJO, *arguments],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *arguments: str, **environment: str) -> None:
        """Start a command that runs until it is ended."""
        with self.output.open("w") as output, self.log.open("w") as log:
            # Files, not pipes: a process that outlives the command would keep them open.
            self.process = subprocess.Popen(
                [*CALEJO, *arguments],
                env=self.environment | environment,
                stdout=output,
                stderr=log,
            )

    def health(self, name: str, but: int = 0) -> Health:
        """The health of a process once it works; `but` is the pid of one that is gone."""

        def found() -> Health | None:
            health = look(self.places.progress(name))
            works = health and health.state is not State.STARTING and is_alive(health.pid)
            return health if health and works and health.pid != but else None

        return until(found, what=lambda: f"for {name}; the log says\n{self.tail()}")

    def wait_until_ready(self, patience: float = 90.0) -> None:
        """Wait until `calejo demo` has printed its line `ready`."""
        assert self.process is not None

        def printed() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.tail()
            return "ready" in self.output.read_text().splitlines()

        until(printed, patience, lambda: f"for ready:\n{self.output.read_text()}\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text().splitlines()[-20:]) if self.log.exists() else ""

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal to the command; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def kill_everything(self) -> None:
        """SIGKILL to every process, all at once, as a power cut would."""
        assert self.process is not None
        for pid in [self.process.pid, *self.processes()]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        until(lambda: not self.processes())

    def processes(self) -> list[int]:
        """Everything alive that has to do with the state directory."""
        return that_mention(str(self.state))

    def process_of(self, module: str) -> int:
        """The process that runs a module."""
        (found,) = set(that_mention(module)) & set(self.processes())
        return found

    def clean_up(self) -> None:
        """End what still runs, however it may."""
        if self.process is not None and self.process.poll() is None:
            self.end()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.places.shared, ignore_errors=True)
