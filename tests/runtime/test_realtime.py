"""Real-time measures: what can't be had is told, and stops nothing."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from runtime import realtime


@pytest.mark.parametrize(
    ("module", "name", "error", "word"),
    [
        (os, "sched_setscheduler", PermissionError(errno.EPERM, "no"), "CAP_SYS_NICE"),
        (os, "sched_setscheduler", OSError(errno.EINVAL, "not here"), "not here"),
        (resource, "setrlimit", ValueError("not allowed to raise it"), "not allowed to raise it"),
        (os, "sched_setaffinity", OSError(errno.EINVAL, "not here"), "no core of its own"),
    ],
)
def test_a_measure_that_the_system_refuses_is_told_and_stops_nothing(
    module: Any, name: str, error: Exception, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    for action in ("sched_setscheduler", "sched_setaffinity"):
        monkeypatch.setattr(os, action, lambda *_: None)
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(realtime, "_lock_memory", lambda _: "")
    monkeypatch.setattr(realtime, "_be_outlived", lambda: None)
    monkeypatch.setattr(module, name, refuse)
    (missing,) = realtime.acquire(1.0)
    assert word in missing


PROGRAM = """
import signal, sys
from pathlib import Path
from runtime import realtime
from runtime.lead import Lead

def lives(task):
    return task.read_text().rpartition(")")[2].split()[0] not in "ZX"

missing = realtime.acquire(10.0)
lead = Lead(Path(sys.argv[1]))
print("; ".join(missing) or "waits", flush=True)
lead.take(lambda: None)
before = Path("/proc") / sys.argv[2] / "task"
print("while it ends" if any(map(lives, before.glob("*/stat"))) else "at last", flush=True)
signal.pause()
"""


def test_a_successor_on_the_same_core_need_not_wait_for_the_end_of_the_dead(tmp_path: Path) -> None:
    processes: list[subprocess.Popen[str]] = []

    def start(before: int) -> str:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "lead"), str(before)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return said()

    def said() -> str:
        return (processes[-1].stdout or sys.stdin).readline().strip()

    try:
        if (word := start(0)) != "waits":
            pytest.skip(f"NOT TRIED: {word}")
        assert said() == "at last"
        for dead in range(3):
            start(processes[dead].pid)
            processes[dead].kill()
            assert said() == "while it ends"
    finally:
        for process in processes:
            process.kill()
            process.communicate()
