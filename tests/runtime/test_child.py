"""One supervised process, itself played by the test: when it hangs, how soon it starts again."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from runtime import child as module
from runtime.child import FIRST_DELAY, HEALTHY, LONGEST_START, START_PATIENCE, Child
from runtime.places import Places
from runtime.processes import LONGEST_DELAY, SCAN_DELAY, Process
from runtime.progress import Progress, State
from runtime.supervisor import Supervisor

SEGFAULT, KILLED = -signal.SIGSEGV, -signal.SIGKILL
PATIENCE = 2.0


class Life:
    """A child whose process is this one."""

    def __init__(self, root: Path, longest_delay: float = LONGEST_DELAY) -> None:
        places = Places(root)
        places.shared = root
        process = Process("modbus", ("true",), ("modbus",), PATIENCE, longest_delay)
        self.child = Child(process, places)
        self.child.pid = os.getpid()
        places.progress("modbus").parent.mkdir(exist_ok=True)
        self.progress = Progress(places.progress("modbus"))

    def waits(self, code: int, lived: float, state: State = State.GOOD) -> float:
        """How long it waits for its next start when it ends so many s after its start."""
        self.progress.say(state, "")
        self.child.reaped(code)
        self.child.failed(code, lived)
        self.child.pid = os.getpid()
        assert self.child.due is not None
        return round(self.child.due - lived, 3)


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def test_what_was_killed_at_work_is_started_at_once_however_often(life: Life) -> None:
    assert [life.waits(KILLED, 1.0) for _ in range(20)] == [0.0] * 20


def test_what_fails_by_itself_waits_longer_each_time_up_to_a_limit(life: Life) -> None:
    waits = [life.waits(code, 1.0) for code in (3, 0, SEGFAULT, 70, 1, 1, 1, 1, 1)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, LONGEST_DELAY, LONGEST_DELAY]


def test_the_scan_never_waits_longer_than_a_second_for_its_start(tmp_path: Path) -> None:
    life = Life(tmp_path, SCAN_DELAY)
    waits = [life.waits(KILLED, 1.0, State.STARTING) for _ in range(6)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_what_is_killed_while_it_starts_waits_too(life: Life) -> None:
    waits = [life.waits(KILLED, 100.0, State.STARTING) for _ in range(3)]
    assert waits == [0.1, 0.2, 0.4]


def test_what_worked_for_a_while_is_started_at_once_and_its_failures_are_forgotten(
    life: Life,
) -> None:
    assert [life.waits(1, 1.0) for _ in range(3)][-1] == 0.4
    assert life.waits(1, HEALTHY) == 0.0
    assert life.waits(1, 1.0) == FIRST_DELAY


def test_what_was_killed_as_hanging_failed_by_itself(life: Life) -> None:
    life.progress.say(State.GOOD, "")
    life.child.hangs(0.0)
    assert life.child.hangs(PATIENCE + 0.1)
    assert life.waits(KILLED, 3.0) == FIRST_DELAY


def test_a_start_that_takes_processor_time_may_take_long_but_not_for_ever(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = iter(float(n) for n in range(1_000_000))
    monkeypatch.setattr(module, "_processor_time", lambda _: next(spent))
    elapsed = 0.0
    while not life.child.hangs(START_PATIENCE):
        elapsed += START_PATIENCE
    assert elapsed == LONGEST_START


def test_a_start_that_does_nothing_hangs(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = iter((5.0, 5.9, 5.9))
    monkeypatch.setattr(module, "_processor_time", lambda _: next(spent))
    assert not life.child.hangs(0.2)  # its counter moved
    assert not life.child.hangs(START_PATIENCE)  # it worked
    assert not life.child.hangs(START_PATIENCE)
    assert life.child.hangs(1.0)


def test_processor_time_is_no_sign_of_life_of_what_has_begun_its_work(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = iter(float(n) for n in range(100))
    monkeypatch.setattr(module, "_processor_time", lambda _: next(spent))
    life.progress.say(State.GOOD, "")
    assert not life.child.hangs(0.2)
    assert life.child.hangs(PATIENCE + 0.1)


def test_a_start_that_took_long_is_no_hanging_once_it_works(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_processor_time", lambda _: 0.0)
    assert not life.child.hangs(0.2)
    assert not life.child.hangs(START_PATIENCE - 1.0)
    life.progress.say(State.STANDBY, "")
    assert not life.child.hangs(0.2)
    assert not life.child.hangs(PATIENCE)
    assert life.child.hangs(0.2)


def test_a_process_is_as_nice_to_others_as_it_is_told(tmp_path: Path) -> None:
    child = Child(Process("plant", ("sleep", "60"), nice=5), Places(tmp_path))
    child.start(0.0)
    assert child.pid is not None
    try:
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == 5
    finally:
        child.signal(signal.SIGKILL)
        os.waitpid(child.pid, 0)
        child.reaped(KILLED)


def test_the_processor_time_of_a_process_is_what_the_kernel_counts() -> None:
    tick = 1 / os.sysconf("SC_CLK_TCK")
    before = time.process_time()
    found = module._processor_time(os.getpid())
    assert before - 3 * tick <= found <= time.process_time() + 3 * tick
    assert module._processor_time(2**22 + 1) == 0.0


def test_a_leader_and_a_standby_that_both_died_start_one_after_the_other(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.shared = tmp_path
    process = Process("scan", ("true",), ("scan", "standby"), after="scan")
    supervisor = Supervisor(places, [process, process])
    first, second = supervisor._children
    for starts, waits in ((first, second), (second, first)):
        assert supervisor._may_start(starts)
        starts.pid = os.getpid()
        assert not supervisor._may_start(waits), "it has not said anything yet"
        standby = Progress(places.progress("standby"))
        assert not supervisor._may_start(waits)
        standby.say(State.STANDBY, "")
        assert not supervisor._may_start(waits)
        Progress(places.progress("scan"))
        assert supervisor._may_start(waits)
        starts.pid = None
        for name in ("scan", "standby"):
            places.progress(name).unlink()
