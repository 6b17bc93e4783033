"""Real-time measures: what can't be had is told, and stops nothing."""

from __future__ import annotations

import errno
import os
import resource
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
    monkeypatch.setattr(module, name, refuse)
    (missing,) = realtime.acquire(1.0)
    assert word in missing
