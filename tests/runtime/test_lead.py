"""One process leads; the next does as soon as it is dead, and can be ended while it waits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = """
import signal, sys
from pathlib import Path
from runtime.lead import Lead

def end(number, frame):
    print("ended", flush=True)
    raise SystemExit

signal.signal(signal.SIGTERM, end)
lead = Lead(Path(sys.argv[1]))
print("waits", flush=True)
lead.take(lambda: print("looks", flush=True))
print("leads", flush=True)
signal.pause()
"""
Candidate = subprocess.Popen[str]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Candidate]]:
    started: list[Candidate] = []

    def one() -> Candidate:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "lead")]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert said(started[-1]) == "waits"
        return started[-1]

    yield one
    for candidate in started:
        candidate.kill()
        candidate.communicate()


def said(candidate: Candidate) -> str:
    """What it says next, but for its looks."""
    assert candidate.stdout is not None
    while (line := candidate.stdout.readline().strip()) == "looks":
        continue
    return line


def test_the_lead_goes_on_from_one_killed_to_the_next(start: Callable[[], Candidate]) -> None:
    leader = start()
    assert said(leader) == "leads"
    for _ in range(3):
        successor = start()
        leader.kill()
        assert said(successor) == "leads"
        leader = successor


def test_who_waits_does_not_lead_and_can_be_ended(start: Callable[[], Candidate]) -> None:
    leader = start()
    assert said(leader) == "leads"
    waiting = start()
    assert waiting.stdout is not None
    assert [waiting.stdout.readline() for _ in range(2)] == ["looks\n"] * 2
    waiting.terminate()
    assert said(waiting) == "ended"
    assert waiting.wait(60) == 0
    assert leader.poll() is None


def test_a_lead_left_by_an_earlier_life_is_taken(start: Callable[[], Candidate]) -> None:
    leader = start()
    assert said(leader) == "leads"
    leader.kill()
    leader.wait()
    assert said(start()) == "leads"
