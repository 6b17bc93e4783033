"""Carries out a course of kills and freezes, and measures each takeover of the scan."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from runtime.database.embedded import EmbeddedServer
from runtime.database.postmaster import recorded_pid
from runtime.lead import LOOK_S
from runtime.progress import State, look
from runtime.region import Reader
from tools.kill.course import Strike
from tools.rig.whole import Whole

TAKEN = 30.0  # s for the scan to go on, at the latest
AWAKE = 3 * LOOK_S  # s since a standby's last look, beyond which it is frozen


@dataclass
class Struck:
    """What was done, and what came of it."""

    kills: dict[str, int] = field(default_factory=dict)
    freezes: dict[str, int] = field(default_factory=dict)
    warm: list[float] = field(default_factory=list)  # s from the kill to the successor's first scan
    cold: list[float] = field(default_factory=list)  # the same, when no standby was ready
    excused: list[tuple[float, float]] = field(
        default_factory=list
    )  # times from kill to takeover, or frozen
    stuck: list[str] = field(default_factory=list)


class Striker:
    """Strikes in the order of a course; freezes end beside it."""

    def __init__(self, whole: Whole) -> None:
        self.struck = Struck()
        self._whole = whole
        layout = whole.view().layout
        self._image = Reader(whole.places.image, layout.size, layout.hash, layout.parameters)
        self._frozen: list[threading.Timer] = []

    def run(self, course: list[Strike]) -> None:
        began = time.monotonic()
        for strike in course:
            time.sleep(max(0.0, began + strike.at - time.monotonic()))
            pids = self._pids(strike.victim)
            if not pids:
                continue  # it is just being started again
            if strike.frozen is None:
                self._kill(strike.victim, pids)
            else:
                self._freeze(strike.victim, pids, strike.frozen)
        for timer in self._frozen:
            timer.join()

    def _pids(self, victim: str) -> list[int]:
        if victim == "server":
            pid = recorded_pid(EmbeddedServer(self._whole.places.postgres).data)
            return [pid] if pid is not None and _lives(pid) else []
        if victim == "scan":
            return [self._image.pid] if _lives(self._image.pid) else []
        health = look(self._whole.places.progress(victim))
        leads = health is not None and health.pid == self._image.pid
        return [health.pid] if health and _lives(health.pid) and not leads else []

    def _kill(self, victim: str, pids: list[int]) -> None:
        _count(self.struck.kills, victim)
        if victim != "scan":
            _send(pids, signal.SIGKILL)
            return
        ready, epoch = self._standby_ready(), self._image.epoch
        sequence, before = self._image.sequence, time.monotonic()
        _send(pids, signal.SIGKILL)
        deadline = before + TAKEN
        # In turns as short as a reader's: the machine belongs to the successor now.
        while self._image.epoch == epoch or self._image.sequence <= sequence:
            if time.monotonic() > deadline:
                self.struck.stuck.append(f"no scan {TAKEN:g} s after a kill")
                return
            time.sleep(0.001)
        taken = self._image.stamp - before
        (self.struck.warm if ready else self.struck.cold).append(taken)
        self.struck.excused.append((before, self._image.stamp))

    def _freeze(self, victim: str, pids: list[int], seconds: float) -> None:
        _count(self.struck.freezes, victim)
        before = time.monotonic()
        _send(pids, signal.SIGSTOP)

        def thaw() -> None:
            _send(pids, signal.SIGCONT)
            if victim == "scan":
                self.struck.excused.append((before, time.monotonic()))

        timer = threading.Timer(seconds, thaw)
        timer.start()
        self._frozen.append(timer)
        if victim == "scan":
            timer.join()  # who leads next is not to be killed for it

    def _standby_ready(self) -> bool:
        health = look(self._whole.places.progress("standby"))
        return (
            health is not None
            and health.state is State.STANDBY
            and health.age < AWAKE
            and health.pid != self._image.pid
            and _lives(health.pid)
        )


def _count(counts: dict[str, int], victim: str) -> None:
    counts[victim] = counts.get(victim, 0) + 1


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _lives(pid: int) -> bool:
    with suppress(OSError), open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    return False
