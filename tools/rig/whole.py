"""`calejo run` in a state directory of its own, seen from outside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from runtime.layout import Capacity
from runtime.places import Places
from runtime.progress import Health, State, look
from runtime.servers.mirror import View
from runtime.tag import Tag
from tools.bench import bed

STATIONS, PUMPS = 2, 5
START = 90.0  # s for all processes to work, on a machine that has other work
Found = TypeVar("Found")


class NotInTime(Exception):
    """What should have come did not come before its deadline."""


def until(
    condition: Callable[[], Found | None],
    patience: float,
    what: str | Callable[[], str],
    pause: float = 0.01,
) -> Found:
    """What `condition` returns as soon as it is true."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            told = what if isinstance(what, str) else what()
            raise NotInTime(f"{told}: not within {patience:g} s")
        time.sleep(pause)
    return found


class Whole:
    """All processes of a runtime. `log` is what they say."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.places = Places(root / "var")
        self.log = root / "log"
        own = {name: value for name, value in os.environ.items() if "CALEJO" not in name}
        settings = bed.settings(PUMPS) | {"CALEJO_CAPACITY_STATIONS": str(STATIONS)}
        settings |= {"CALEJO_STATE": str(self.places.root), "CALEJO_LOG": "warning", **environ}
        self.config = bed.loaded(settings)
        self._environ = own | settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `works` says when it does."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "runtime", "run"],
                env=self._environ,
                stdout=log,
                stderr=log,
            )

    def end(self) -> None:
        """End it in order, or else by force."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.places.shared, ignore_errors=True)

    def health(self, process: str) -> Health | None:
        """What a process says of itself; None if it never started."""
        return look(self.places.progress(process))

    def wait_for(self, *processes: str) -> None:
        """Wait until these processes have begun their work."""
        for name in processes:
            until(lambda name=name: self._works(name), START, f"start of {name}")  # type: ignore[misc]

    def _works(self, name: str) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"the runtime ended:\n{self.tail()}")
        health = self.health(name)
        return health is not None and health.state is not State.STARTING

    def tail(self) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def view(self) -> View:
        """A view of the image; each thread needs its own."""
        return View(self.places, Capacity.of(self.config.capacity))


def now(view: View, tag: Tag, slot: int = 0) -> float:
    """A value of the newest image."""
    view.refresh()
    return view.columns.value(tag, slot)
