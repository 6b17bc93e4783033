"""Modbus reads per second, beside the stock server of pymodbus and libmodbus' server in C.

FC3 of 100 registers over 16 connections, one request of each under way at any time; the machine
gives all three the same moments in turns, and the best of each counts: what else the machine does
can only slow a server down. Ours is the process of a runtime for 1,000 pumps whose scan publishes
ten times a second; every answer is from the newest image.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from runtime.layout import Capacity
from tools.bench import bed, peers
from tools.bench.lateness import renewed, run, until_served

CONNECTIONS = 16
PUMPS = 1_000
TURNS = 3
OURS, STOCK, LIBMODBUS = "calejo", "stock pymodbus", "libmodbus in C"


@dataclass(frozen=True)
class Rate:
    """Reads per second; times of an answer and processor time of the server for one, in s."""

    rate: float
    p50: float
    p99: float
    cost: float


def measure(seconds: float) -> dict[str, Rate]:
    with ExitStack() as servers:
        ports = {OURS: servers.enter_context(_ours())}
        for name, word in ((STOCK, "stock"), (LIBMODBUS, "libmodbus")):
            if word == "stock" or peers.library() is not None:
                ports[name] = servers.enter_context(_peer(word))
        found: dict[str, Rate] = {}
        for _ in range(TURNS):
            for name, (port, pid) in ports.items():
                rate = _read(port, pid, seconds / TURNS)
                if name not in found or rate.rate > found[name].rate:
                    found[name] = rate
    return found


def _read(port: int, pid: int, seconds: float) -> Rate:
    command = [sys.executable, "-P", "-m", "tools.bench.reader"]
    before = _spent(pid)
    done = subprocess.run(
        [*command, str(port), str(CONNECTIONS), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    cost = (_spent(pid) - before) / found["all"]
    return Rate(found["rate"], found["p50"], found["p99"], cost)


def _spent(pid: int) -> float:
    """Processor time of a process so far, in s."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _peer(word: str) -> Iterator[tuple[int, int]]:
    (port,) = bed.free_ports(1)
    with run({}, "tools.bench.peers", word, str(port)) as process:
        until_served(port, unit=1)
        yield port, process.pid


@contextmanager
def _ours() -> Iterator[tuple[int, int]]:
    with bed.state() as places:
        environ = bed.settings(PUMPS) | {"CALEJO_STATE": str(places.root)}
        config = bed.loaded(environ)
        places.prepare()
        plant = bed.sample_equipment(config)
        plant.save(places.equipment)
        inputs = bed.Inputs(places, Capacity.of(config.capacity), plant)
        port = config.servers.modbus.listen.port
        with (
            renewed(inputs),
            run(environ, "tools.bench.leader"),
            run(environ, "runtime", "process", "modbus") as process,
        ):
            until_served(port)
            yield port, process.pid
