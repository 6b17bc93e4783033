"""One supervised process through its lives: started, watched by its counter, restarted.

What it has to show while it runs, or it is killed as hanging:

| it           | sign of life                          | killed without one for               |
|--------------|---------------------------------------|--------------------------------------|
| starts       | its counter, or WORK s on a processor | START_PATIENCE, in all LONGEST_START |
| works        | its counter                           | its own patience                     |
| stands by    | its counter                           | its own patience                     |

A start may take minutes where laws have to be compiled, which moves no counter but takes processor
time. When it is started again after its end:

| it ended                 | when it                           | wait  | wait after a failure then |
|--------------------------|-----------------------------------|-------|---------------------------|
| in any way               | worked, HEALTHY s after its start | none  | FIRST_DELAY               |
| by a signal from outside | worked, earlier                   | none  | as it was                 |
| by itself, or as hanging | worked, earlier                   | delay | doubled, to longest_delay |
| in any way               | was still starting                | delay | doubled, to longest_delay |

From outside come the signals by which people, service managers and a kernel short of memory end a
process. In the long run whatever fails by itself is started at most every `longest_delay` s of its
process, and nobody waits for a process that did nothing wrong.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import structlog

from runtime.places import Places
from runtime.processes import Process
from runtime.progress import Health, State, look

PR_SET_PDEATHSIG = 1
AUTOGROUP = Path("/proc/self/autogroup")  # where the kernel shares the processors by session
START_PATIENCE = 60.0  # s
LONGEST_START = 1800.0  # s: a start that never ends may keep a processor busy too
WORK = 1.0  # s
FIRST_DELAY = 0.1  # s
HEALTHY = 10.0  # s
_FROM_OUTSIDE = {
    -number
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
}

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
        self._shown = 0, State.STARTING
        self._worked_s = 0.0  # time on a processor when it last showed a sign of life
        self._still = self._starting_s = 0.0
        self._begun = self._hung = False
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self, now: float) -> None:
        """Start it; what can't be started now is tried again later."""
        self.starts += 1
        self._began, self.due = now, None
        self._shown, self._still = (0, State.STARTING), 0.0
        self._worked_s, self._starting_s, self._begun, self._hung = 0.0, 0.0, False, False
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
                preexec_fn=lambda: _begin(parent, self.process.nice),
            )
        except (OSError, subprocess.SubprocessError) as error:
            self._retry(f"could not be started: {error}", now)
            return
        self.pid = self._popen.pid
        logger.debug("process started", name=self.process.name, pid=self.pid)

    def reaped(self, code: int) -> None:
        """Take note that it has ended: `code` is its exit code, or minus the signal that did it."""
        health = self.health()
        begun = health is not None and health.state is not State.STARTING
        self._begun = begun or not self.process.progress
        if self._popen is not None:
            self._popen.returncode = code
        self.pid = None

    def failed(self, code: int, now: float) -> None:
        """Have it started again after its unasked-for end, unless it was to run once."""
        words = f"exit code {code}" if code >= 0 else f"killed by {_signal_name(-code)}"
        if self.process.once:
            self.trouble = words if code else ""
        elif self._begun and now - self._began >= HEALTHY:
            self._delay = FIRST_DELAY
            self._start_again(words, now, 0.0)
        elif self._begun and code in _FROM_OUTSIDE and not self._hung:
            self._start_again(words, now, 0.0)
        else:
            self._retry(words, now)

    def _retry(self, words: str, now: float) -> None:
        self._start_again(words, now, self._delay)
        self._delay = min(2 * self._delay, self.process.longest_delay)

    def _start_again(self, words: str, now: float, delay: float) -> None:
        self.trouble = words
        self.due = now + delay
        logger.warning("process ended", name=self.role, reason=words, restart_in_s=round(delay, 1))

    def health(self) -> Health | None:
        """What its present life says of itself."""
        for name in self.process.progress:
            health = look(self._places.progress(name))
            if health is not None and health.pid == self.pid:
                self.role = name
                return health
        return None

    def hangs(self, elapsed: float) -> bool:
        """Whether it shows no sign of life; `elapsed` is the time since the last look."""
        if self.pid is None or not self.process.progress:
            return False
        health = self.health()
        starting = health is None or health.state is State.STARTING
        patience = self.process.patience
        if starting:
            patience = max(START_PATIENCE, patience)
            self._starting_s += elapsed
        else:
            self.trouble = ""
        if self._lives(health, starting):
            self._still = 0.0
        else:
            self._still += elapsed
        if self._still <= patience and self._starting_s <= LONGEST_START:
            return False
        self._still = self._starting_s = 0.0  # one that can't be killed is named again later
        self._hung = True
        return True

    def _lives(self, health: Health | None, starting: bool) -> bool:
        if health is not None and (health.count, health.state) != self._shown:
            self._shown = health.count, health.state
            return True
        worked = _processor_time(self.pid or 0) if starting else 0.0
        if worked < self._worked_s + WORK:
            return False
        self._worked_s = worked
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; it has not been reaped, so its number is still its own."""
        if self.pid is not None:
            os.kill(self.pid, number)


def _signal_name(number: int) -> str:
    """Real-time signals have no name of their own."""
    return next((known.name for known in signal.Signals if known == number), f"signal {number}")


def _processor_time(pid: int) -> float:
    """Time in s that a process has spent on processors, all its threads together."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _begin(parent: int, nice: int) -> None:
    """In the child, before its program: end when the supervisor dies, take signals again."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    if nice:
        with suppress(OSError):  # it takes a privilege
            os.setpriority(os.PRIO_PROCESS, 0, nice)
            AUTOGROUP.write_text(str(nice))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
