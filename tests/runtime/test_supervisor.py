"""The supervisor, with small programs in place of the processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import instance
from tests.processes import is_alive, offspring, that_mention, until
from tests.runtime.supervised import PROGRAM, Running, Start


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    state = tmp_path / "state"
    state.mkdir()
    all_of_them: list[Running] = []

    def begin(*under: str, **children: str) -> Running:
        all_of_them.append(Running(state, program, children, under))
        return all_of_them[-1]

    yield begin
    for running in all_of_them:
        if running.process.poll() is None:
            running.end()
        for pid in that_mention(str(state)):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(running.places.shared, ignore_errors=True)


def test_what_dies_is_started_again(start: Start) -> None:
    running = start(modbus="works", rest="works")
    modbus, rest = running.health("modbus"), running.health("rest")
    os.kill(modbus.pid, signal.SIGKILL)
    assert running.another("modbus", modbus.pid).text == "works"
    assert running.health("rest").pid == rest.pid


def test_what_hangs_is_killed_and_started_again(start: Start) -> None:
    running = start(modbus="works")
    modbus = running.health("modbus")
    os.kill(modbus.pid, signal.SIGSTOP)
    running.another("modbus", modbus.pid)
    _, log = running.end()
    assert "process hangs" in log


def test_alive_without_progress_is_not_enough(start: Start) -> None:
    running = start(modbus="hang")
    running.another("modbus", running.health("modbus").pid)


def test_a_standby_that_stands_still_is_replaced_before_it_is_needed(start: Start) -> None:
    running = start(standby="standby", scan="works")
    standby = running.health("standby")
    os.kill(standby.pid, signal.SIGSTOP)
    running.another("standby", standby.pid)
    assert running.lives("scan") == 1


def test_a_process_that_fails_again_and_again_is_started_less_and_less_often(start: Start) -> None:
    running = start(modbus="crash")
    until(lambda: running.lives("modbus") >= 4)
    supervisor = running.health("run")
    assert "modbus: exit code 3" in supervisor.text
    _, log = running.end()
    assert [delay in log for delay in ('s":0.1', 's":0.2', 's":0.4')] == [True] * 3


def test_a_process_that_can_not_work_as_configured_fails_the_start(start: Start) -> None:
    running = start(scan="works", modbus="unusable")
    code, errors = running.outcome()
    assert code == 1
    assert errors.splitlines()[-1] == "modbus: listen 127.0.0.1:5020: address already in use"
    assert not running.places.shared.exists()


def test_the_same_failure_later_on_is_tried_again(start: Start) -> None:
    running = start(modbus="unusable later")
    os.kill(running.health("modbus").pid, signal.SIGKILL)
    until(lambda: running.lives("modbus") == 3)
    running.health("modbus")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_all_in_order_and_leave_nothing(start: Start, number: signal.Signals) -> None:
    names = ("recorder", "standby", "database", "scan", "rest")
    running = start(**dict.fromkeys(names, "works"))
    for name in names:
        running.health(name)
    code, _ = running.end(number)
    assert code == 0
    ended = (running.state / "ended").read_text().split()
    assert ended == ["rest", "database", "standby", "scan", "recorder"]
    assert that_mention(str(running.state)) == []
    assert not running.places.shared.exists()


def test_what_does_not_end_when_told_is_killed(start: Start) -> None:
    running = start(modbus="deaf", recorder="works")
    pids = [running.health(name).pid for name in ("modbus", "recorder")]
    code, log = running.end()
    assert code == 0
    assert "process killed" in log
    assert not any(map(is_alive, pids))


def test_ctrl_c_in_a_terminal_reaches_the_supervisor_alone(start: Start) -> None:
    running = start(scan="works")
    scan = running.health("scan").pid
    assert os.getpgid(scan) != os.getpgid(running.process.pid)
    assert os.getsid(scan) != os.getsid(running.process.pid)


def test_what_a_process_leaves_behind_is_adopted_and_ended(start: Start) -> None:
    running = start(postgres="parent")
    postgres = running.health("postgres")
    first = int(until((running.state / "orphan").read_text))
    os.kill(postgres.pid, signal.SIGKILL)
    running.another("postgres", postgres.pid)
    second = int(until((running.state / "orphan").read_text))
    running.end()
    assert not is_alive(first)
    assert not is_alive(second)


def test_a_killed_supervisor_takes_its_processes_along(start: Start) -> None:
    running = start(scan="works", modbus="works")
    pids = [running.health(name).pid for name in ("scan", "modbus")]
    running.end(signal.SIGKILL)
    until(lambda: not any(map(is_alive, pids)))


def test_the_next_start_ends_what_a_killed_one_left_and_keeps_shared_memory(start: Start) -> None:
    running = start(scan="deaf")
    scan = running.health("scan").pid
    running.places.image.write_bytes(b"the last image")
    running.end(signal.SIGKILL)
    assert is_alive(scan)
    following = start(scan="works")
    following.another("scan", scan)
    assert not is_alive(scan)
    assert following.places.image.read_bytes() == b"the last image"


def test_a_second_instance_is_refused_and_told_who_runs(start: Start) -> None:
    running = start(scan="works")
    running.health("scan")
    assert instance.holder(running.places) == running.process.pid
    code, errors = start(scan="works").outcome()
    assert code == 1
    assert f"in use by process {running.process.pid}" in errors
    assert running.process.poll() is None


CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")


@pytest.mark.skipif(
    subprocess.run([*CONTAINER, "true"], capture_output=True).returncode != 0,
    reason="no user or process namespaces may be made here",
)
def test_as_process_1_of_a_container_it_reaps_orphans_and_ends_cleanly(start: Start) -> None:
    running = start(*CONTAINER, postgres="parent", scan="works")
    until(lambda: running.lives("scan") and (running.state / "orphan").exists())
    (first,) = offspring(running.process.pid)
    postgres = next(pid for pid in offspring(first) if offspring(pid))
    (orphan,) = offspring(postgres)
    os.kill(postgres, signal.SIGKILL)
    until(lambda: running.lives("postgres") == 2)
    assert orphan in offspring(first)
    os.kill(orphan, signal.SIGKILL)
    until(lambda: orphan not in offspring(first), what="for the orphan to be reaped")
    os.kill(first, signal.SIGTERM)
    code, _ = running.outcome()
    assert code == 0
    assert sorted((running.state / "ended").read_text().split()) == ["postgres", "scan"]
