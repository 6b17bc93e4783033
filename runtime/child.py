"""One supervised process through its lives: started, watched by its counter, restarted."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess

import structlog

from runtime.places import Places
from runtime.processes import Process
from runtime.progress import Health, State, look

PR_SET_PDEATHSIG = 1
START_PATIENCE = 60.0  # s until a process that starts must have begun its work
FIRST_DELAY = 0.1  # s
LONGEST_DELAY = 10.0  # s
HEALTHY = 60.0  # s after which earlier failures are forgotten

_libc = ctypes.CDLL(None)
logger = structlog.get_logger()


class Child:
    """A process that is kept running. All times are seconds of the monotonic clock."""

    def __init__(self, process: Process, places: Places) -> None:
        self.process = process
        self.role = process.name  # the scan is leader or standby, and may change
        self.starts = 0
        self.pid: int | None = None
        self.due: float | None = 0.0  # when to start it; None: runs, or is done
        self.trouble = ""
        self._places = places
        self._delay = FIRST_DELAY
        self._began = 0.0
        self._count = 0
        self._still = 0.0
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self, now: float) -> None:
        """Start it; what can't be started now is tried again later."""
        self.starts += 1
        self._began, self._count, self._still, self.due = now, 0, 0.0, None
        if not self.process.progress:
            self.trouble = ""  # there will be no other word of its health
        parent = os.getpid()
        try:
            # preexec_fn is safe here: the supervisor has only one thread.
            self._popen = subprocess.Popen(
                self.process.command,
                stdin=subprocess.DEVNULL,
                env={**self.process.environment, **os.environ},
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends all in order
                preexec_fn=lambda: _bind(parent),
            )
        except (OSError, subprocess.SubprocessError) as error:
            self._retry(f"could not be started: {error}", now)
            return
        self.pid = self._popen.pid
        logger.debug("process started", name=self.process.name, pid=self.pid)

    def reaped(self, code: int) -> None:
        """Take note that it has ended: `code` is its exit code, or minus the signal that did it."""
        if self._popen is not None:
            self._popen.returncode = code
        self.pid = None

    def failed(self, code: int, now: float) -> None:
        """Have it started again after its unasked-for end, unless it was to run once."""
        words = f"exit code {code}" if code >= 0 else f"killed by {_signal_name(-code)}"
        if not self.process.once:
            self._retry(words, now)
        elif code:
            self.trouble = words

    def _retry(self, words: str, now: float) -> None:
        if now - self._began >= HEALTHY:
            self._delay = FIRST_DELAY
        self.trouble = words
        self.due = now + self._delay
        logger.warning(
            "process ended", name=self.role, reason=words, restart_in_s=round(self._delay, 1)
        )
        self._delay = min(2 * self._delay, LONGEST_DELAY)

    def health(self) -> Health | None:
        """What its present life says of itself."""
        for name in self.process.progress:
            health = look(self._places.progress(name))
            if health is not None and health.pid == self.pid:
                self.role = name
                return health
        return None

    def hangs(self, elapsed: float) -> bool:
        """Whether its counter has stood for too long; `elapsed` is the time since the last look."""
        if self.pid is None or not self.process.progress:
            return False
        health = self.health()
        if health is None or health.state is State.STARTING:
            patience = max(START_PATIENCE, self.process.patience)
        else:
            self.trouble = ""
            patience = self.process.patience
        if health is not None and (health.count != self._count or health.state is State.STANDBY):
            self._count, self._still = health.count, 0.0
        else:
            self._still += elapsed
        if self._still <= patience:
            return False
        self._still = 0.0  # it is killed for it; one that can't be killed is named again later
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; it has not been reaped, so its number is still its own."""
        if self.pid is not None:
            os.kill(self.pid, number)


def _signal_name(number: int) -> str:
    """Real-time signals have no name of their own."""
    return next((known.name for known in signal.Signals if known == number), f"signal {number}")


def _bind(parent: int) -> None:
    """In the child, before its program: end when the supervisor dies, take signals again."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
