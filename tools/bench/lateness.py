"""Lateness of the scan at 10 ms, while SCADA reads at full speed, beside cyclictest.

cyclictest (Debian: rt-tests) is what a C program gets from this kernel: it runs at the same time,
on the same core, with the same period, one priority above the scan, so that the scan doesn't delay
it. The Modbus server, the recorder and two masters are processes of their own, as in real life.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtime.layout import Capacity
from runtime.realtime import ENVIRONMENT, PRIORITY
from tools.bench import bed
from tools.bench.figures import Spread, spread
from tools.simulate.master import Address, Master

PERIOD = 0.010  # s
PUMPS = 1_000
MASTERS = 2
SETTLING = 2.0  # s
FEEDBACK = 0.1  # s between new inputs
LONGEST = 100_000  # µs that the histogram of cyclictest reaches


@dataclass(frozen=True)
class Lateness:
    """What was found; `kernel` is None without cyclictest."""

    scan: Spread
    execution: Spread
    scans: int
    skipped: int
    missing: list[str]
    kernel: Spread | None
    reads: float  # per second
    rivals: int


def measure(seconds: float) -> Lateness:
    with bed.state() as places:
        environ = bed.settings(PUMPS, "10 ms") | {"CALEJO_STATE": str(places.root)}
        config = bed.loaded(environ)
        places.prepare()
        plant = bed.sample_equipment(config)
        plant.save(places.equipment)
        capacity = Capacity.of(config.capacity)
        inputs = bed.Inputs(places, capacity, plant)
        port = config.servers.modbus.listen.port
        with renewed(inputs), ExitStack() as processes:
            leader = processes.enter_context(run({**ENVIRONMENT, **environ}, "tools.bench.leader"))
            for name in ("recorder", "modbus"):
                processes.enter_context(run(environ, "runtime", "process", name))
            until_served(port)
            load = [
                processes.enter_context(run(environ, "tools.bench.load", str(port)))
                for _ in range(MASTERS)
            ]
            time.sleep(SETTLING)
            others = rivals() - 1
            kernel = _cyclictest(seconds)
            others = max(others, rivals() - 1)
            reads = sum(float(ended(master)) for master in load)
            found = json.loads(ended(leader))
    times = found["times"][-int(seconds / PERIOD) :]
    return Lateness(
        scan=spread([max(0.0, late) for late, _, _ in times]),
        execution=spread([execution for _, _, execution in times]),
        scans=len(times),
        skipped=sum(skipped for _, skipped, _ in times),
        missing=found["missing"],
        kernel=kernel,
        reads=reads,
        rivals=others,
    )


def rivals() -> int:
    """Other processes of the scan's priority, such as other runtimes.

    They may hold the scan up, and never cyclictest.
    """
    found = 0
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid = int(path.name)
            real_time = os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
            # The kernel's own threads, which have no command line, are there on every machine.
            ours = (path / "cmdline").read_bytes() != b""
            found += ours and real_time and os.sched_getparam(pid).sched_priority == PRIORITY
    return found


@contextmanager
def run(environ: Mapping[str, str], *module: str) -> Iterator[subprocess.Popen[str]]:
    """A module as a process, until the end of the block."""
    command = [sys.executable, "-P", "-m", *module]
    process = subprocess.Popen(command, env=os.environ | environ, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> str:
    """End a process; what it has to say."""
    process.terminate()
    said, _ = process.communicate(timeout=10)
    return said


@contextmanager
def renewed(inputs: bed.Inputs) -> Iterator[None]:
    """Renew the inputs again and again."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(FEEDBACK):
            inputs.renew(time.monotonic())

    inputs.renew(time.monotonic())
    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def until_served(port: int, unit: int = 1, patience: float = 30.0) -> None:
    """Wait for a Modbus server that has registers to read."""
    deadline = time.monotonic() + patience
    master = Master("127.0.0.1", port)
    first = Address(unit, 100)
    while True:
        with suppress(OSError):
            if master.read([first]) != [None]:
                master.close()
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"no setpoint over Modbus after {patience:.0f} s")
        time.sleep(0.05)


def _cyclictest(seconds: float) -> Spread | None:
    """What a C program gets; without cyclictest, or without the right to it, only the time goes."""
    core = max(os.sched_getaffinity(0))
    command = f"cyclictest -q -m -t 1 -p {PRIORITY + 1} -a {core} -i {PERIOD * 1e6:.0f}"
    command += f" -D {seconds:.0f} -h {LONGEST}"
    if shutil.which("cyclictest"):
        done = subprocess.run(command.split(), capture_output=True, text=True)
        if done.returncode == 0:
            return from_histogram(done.stdout)
    time.sleep(seconds)
    return None


def from_histogram(text: str) -> Spread:
    """Lines of µs and count; the greatest is told apart, for it may lie beyond the histogram."""
    counted = [(int(m[1]), int(m[2])) for m in re.finditer(r"^(\d+) (\d+)$", text, re.MULTILINE)]
    times = np.repeat([us * 1e-6 for us, _ in counted], [count for _, count in counted])
    most = re.search(r"Max Latencies: (\d+)", text)
    found = spread(times.tolist())
    return Spread(found.p50, found.p99, int(most[1]) * 1e-6 if most else found.most)
