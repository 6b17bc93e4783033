"""The supervisor: starts the processes, restarts what dies or hangs, ends all of them in order.

One thread, one loop, no blocking call but the wait for a signal. It adopts what its children leave
behind, so it serves as process 1 of a container as it is.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from runtime.child import Child
from runtime.places import Places
from runtime.processes import ENDING, UNUSABLE, Process
from runtime.progress import Progress, State

PR_SET_CHILD_SUBREAPER = 36
TICK = 0.2  # s between looks at the counters
LONGEST_END = 3.8  # s from the request to end until the last process is killed
STARTING = 60.0  # s in which a first process that can't work as configured fails the start
KILLED = 0.3  # s for a killed process to be gone

logger = structlog.get_logger()


class StartError(Exception):
    """A process can't work as configured: an operator has to change something."""


class Supervisor:
    """Runs `processes` until it is told to end."""

    def __init__(self, places: Places, processes: Sequence[Process]) -> None:
        self._places = places
        self._children = [Child(process, places) for process in processes]
        self._began = time.monotonic()
        self._signals = {signal.SIGCHLD, *_ending_signals()}

    def run(self) -> None:
        """Return after SIGTERM, SIGINT or SIGHUP; raise StartError if the start failed."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
        progress = Progress(self._places.progress("run"))
        try:
            self._watch(progress)
        finally:
            self._end()

    def _watch(self, progress: Progress) -> None:
        looked = time.monotonic()
        while True:
            now = time.monotonic()
            # A supervisor that was itself held up must not blame the others for it.
            self._judge(min(now - looked, 2 * TICK))
            looked = now
            for child in self._children:
                if child.due is not None and child.due <= now and self._may_start(child):
                    child.start(now)
            progress.say(*self._verdict())
            progress.beat()
            caught = signal.sigtimedwait(self._signals, self._pause())
            if caught is not None and caught.si_signo != signal.SIGCHLD:
                logger.info("ending", reason=signal.Signals(caught.si_signo).name)
                return
            self._reap()

    def _may_start(self, child: Child) -> bool:
        """Not beside another that still writes the progress file that this one begins with."""
        shared = set(child.process.progress)
        others = (other for other in self._children if other is not child and other.pid)
        beside = [other.health() for other in others if shared & set(other.process.progress)]
        return all(health and health.process == child.process.after for health in beside)

    def _pause(self) -> float:
        """Time in s until there is something to do."""
        now = time.monotonic()
        dues = [child.due for child in self._children if child.due is not None and child.due > now]
        return min([TICK, *(due - now for due in dues)])

    def _judge(self, elapsed: float) -> None:
        for child in self._children:
            if child.hangs(elapsed):
                logger.error("process hangs", name=child.role, pid=child.pid)
                child.signal(signal.SIGKILL)

    def _verdict(self) -> tuple[State, str]:
        failing = [f"{child.role}: {child.trouble}" for child in self._children if child.trouble]
        if failing:
            return State.DEGRADED, "; ".join(failing)
        return State.GOOD, f"{sum(child.pid is not None for child in self._children)} processes"

    def _reap(self, *, ending: bool = False) -> None:
        """Collect what has ended, orphans included."""
        for pid, status in iter(_wait, None):
            child = next((child for child in self._children if child.pid == pid), None)
            if child is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            health = child.health()
            child.reaped(code)
            if ending:
                logger.debug("process ended", name=child.role, code=code)
                continue
            if code == UNUSABLE and child.starts == 1 and self._starting():
                raise StartError(f"{child.role}: {health.text if health else 'can not start'}")
            child.failed(code, time.monotonic())

    def _starting(self) -> bool:
        return time.monotonic() - self._began < STARTING

    def _end(self) -> None:
        """End all in the order of ENDING; what does not end in its time is killed."""
        deadline = time.monotonic() + LONGEST_END
        for names, patience in ENDING:
            children = [child for child in self._children if child.role in names]
            for child in children:
                child.signal(signal.SIGTERM)
            if patience:
                self._see_off(children, min(time.monotonic() + patience, deadline))
        for child in self._children:
            child.signal(signal.SIGTERM)
        self._see_off(self._children, deadline)
        self._end_orphans(deadline)

    def _see_off(self, children: list[Child], until: float) -> None:
        """Wait for children to end; kill what has not by that time."""
        if not self._gone(children, until):
            for child in children:
                if child.pid is not None:
                    logger.warning("process killed", name=child.role, reason="it did not end")
                child.signal(signal.SIGKILL)
            self._gone(children, time.monotonic() + KILLED)

    def _gone(self, children: list[Child], until: float) -> bool:
        return self._waited(lambda: all(child.pid is None for child in children), until)

    def _end_orphans(self, deadline: float) -> None:
        """End what the processes left behind, such as PostgreSQL when its parent was killed."""
        for number, until in (signal.SIGTERM, deadline), (signal.SIGKILL, deadline + KILLED):
            for pid in _offspring():
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if self._waited(lambda: not _offspring(), until):
                return

    def _waited(self, done: Callable[[], bool], until: float) -> bool:
        """Reap until `done` or until that time; whether it is done."""
        while True:
            self._reap(ending=True)
            if done():
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            signal.sigtimedwait({signal.SIGCHLD}, min(left, TICK))


def _ending_signals() -> set[signal.Signals]:
    """SIGHUP ends too, when the terminal is closed, unless it was started with nohup."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return {signal.SIGTERM, signal.SIGINT} | (set() if ignored else {signal.SIGHUP})


def _wait() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _offspring() -> list[int]:
    """Processes whose parent is this one."""
    own = str(os.getpid())
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if path.read_text().rpartition(")")[2].split()[1] == own:
                found.append(int(path.parent.name))
    return found
