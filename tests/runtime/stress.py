"""Processes for stress tests: they work at full speed until killed, or until their time is over.

python -m tests.runtime.stress NAME PATH SECONDS
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from runtime.comparison import RECORDED, Comparison
from runtime.events import EventWriter
from runtime.layout import Capacity, Columns, Layout
from runtime.region import Reader, Writer
from runtime.requests import Ask, MailboxFull, Post
from runtime.retained import RETAINED, Store
from runtime.spool import Journal
from runtime.tags import Pump, Station, System

ROOT = Path(__file__).parents[2]
SIZE = 400_000  # bytes of a snapshot
HEAD = 100_000  # bytes of it that seldom change
SELDOM = 4  # snapshots
LAYOUT = 4711
CAPACITY = Capacity(stations=5, pumps=50)


def start(name: str, path: Path, seconds: float) -> subprocess.Popen[str]:
    """Start one of the functions below as a process."""
    command = [sys.executable, "-m", "tests.runtime.stress", name, str(path), str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def write_snapshots(path: Path, seconds: float) -> None:
    """Publish snapshots all of whose words are the snapshot's number, those of the head shared."""
    writer = Writer(path, SIZE, LAYOUT, HEAD)
    arena = np.zeros(SIZE, np.uint8)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        number = writer.sequence + 1
        arena[:HEAD].view(np.uint64).fill(_in_the_head(number))
        arena[HEAD:].view(np.uint64).fill(number)
        writer.publish(arena)


def _in_the_head(number: int) -> int:
    return 1 + number // SELDOM


def read_snapshots(path: Path, seconds: float) -> None:
    """Count snapshots read, those torn, and those older than one read before."""
    reader = Reader(path, SIZE, LAYOUT, HEAD)
    arena = np.zeros(SIZE, np.uint8)
    head, words = arena[:HEAD].view(np.uint64), arena[HEAD:].view(np.uint64)
    reads = torn = older = last = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sequence = reader.read(arena)
        reads += 1
        in_the_head = _in_the_head(sequence) if sequence else 0
        torn += bool((words != sequence).any() or (head != in_the_head).any())
        older += sequence < last
        last = sequence
    print(json.dumps({"reads": reads, "torn": torn, "older": older}))  # noqa: T201


def put_requests(path: Path, seconds: float) -> None:
    """Put requests as fast as they are taken."""
    post = Post(path)
    number = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(MailboxFull):
            post.put(Ask(number, 1, number, float(number)))
            number += 1


@cache
def compared() -> tuple[Columns, Comparison]:
    columns = Columns(Layout(CAPACITY))
    return columns, Comparison(columns)


def emit_edges(path: Path, seconds: float) -> None:
    """Change recorded columns at random, publish and emit, going on from the last image."""
    columns, comparison = compared()
    writer = Writer(path.with_name("image"), columns.layout.size, columns.layout.hash)
    last = writer.last()
    if last is not None:
        columns.arena[:] = last
    columns[Station.Configured].fill(True)
    columns[Pump.Configured].fill(True)
    events = EventWriter(path, columns, comparison)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        columns[System.Scan][0] += 1
        for tag in random.sample(RECORDED, 3):
            column = columns[tag]
            column[random.randrange(len(column))] = random.randrange(2)
        writer.publish(columns.arena)
        events.emit(int(columns[System.Scan][0]), 0.0)


def save_retained(path: Path, seconds: float) -> None:
    """Save retained columns all of whose elements say the same."""
    columns = Columns(Layout(CAPACITY))
    store = Store(columns, (path.with_suffix(".a"), path.with_suffix(".b")))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        columns[System.Scan][0] += 1
        for tag in RETAINED:
            columns[tag].fill(int(columns[System.Scan][0]) % 2)
        store.save()


def append_records(path: Path, seconds: float) -> None:
    """Append records and say of each when it is on disk."""
    journal = Journal(path)
    number = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        futures = [journal.append("request", {"number": number + k}) for k in range(20)]
        for future in futures:
            future.result()
            print(number, flush=True)  # noqa: T201
            number += 1


def killed_again_and_again(work: Callable[[Path, float], None], path: Path, seconds: float) -> int:
    """Do the work in processes that are killed after some milliseconds; how many were."""
    compared()  # before the first kill, so that a short life is enough to do some work
    kills = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        child = os.fork()
        if child == 0:
            random.seed()
            work(path, 60.0)
            os._exit(0)
        time.sleep(random.uniform(0.001, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
    return kills


def main() -> None:
    name, path, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    work: Callable[[Path, float], None] = globals()[name.removeprefix("killed_")]
    if name.startswith("killed_"):
        kills = killed_again_and_again(work, path, seconds)
        print(json.dumps({"kills": kills}))  # noqa: T201
    else:
        work(path, seconds)


if __name__ == "__main__":
    main()
