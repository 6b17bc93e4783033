"""The OPC UA server with 10,000 pumps: how soon it answers, what it holds, what it costs at rest.

The process is started as the supervisor starts it; it is up when it answers the first message of a
client. Its image is published ten times a second, as if by the scan, and all measurements change.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtime import equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.region import Writer
from runtime.tags import Pump, System, shown
from tools.bench import bed

PUMPS = 10_000
PERIOD = 0.1  # s
SETTLING = 2.0  # s
PATIENCE = 30.0  # s
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """`start` in s from the start of the process, of which it was `busy` (processor time; what is
    left, others had the cores); `first` the same where it has to make its certificate; `memory` in
    bytes at most, `share` of a core."""

    start: float
    busy: float
    first: float
    memory: int
    share: float
    nodes: int


def measure(seconds: float) -> Cost:
    """Start the server, wait until it answers, and look at it for a while."""
    with bed.state() as places:
        environ = bed.settings(PUMPS) | {"CALEJO_STATE": str(places.root)}
        config = bed.loaded(environ)
        places.prepare()
        plant = bed.sample_equipment(config)
        plant.save(places.equipment)
        columns = Columns(Layout(Capacity.of(config.capacity)))
        equipment.fill(plant, columns)
        with _publishing(places, columns):
            address = config.servers.opcua.listen
            with _serving(environ, address.host, address.port) as (process, first):
                pass
            with _serving(environ, address.host, address.port) as (process, start):
                busy = _spent(process)
                time.sleep(SETTLING)
                before = _spent(process)
                time.sleep(seconds)
                share = (_spent(process) - before) / seconds
                memory = _memory(process)
        return Cost(start, busy, first, memory, share, PUMPS * (1 + len(shown(Pump))))


@contextmanager
def _serving(environ: Mapping[str, str], host: str, port: int) -> Iterator[tuple[int, float]]:
    """The server while it runs: its process, and the time in s until it answered."""
    command = [sys.executable, "-m", "runtime", "process", "opcua"]
    began = time.monotonic()
    with subprocess.Popen(command, env=os.environ | environ) as process:
        try:
            _answered(host, port)
            yield process.pid, time.monotonic() - began
        finally:
            process.kill()


@contextmanager
def _publishing(places: Places, columns: Columns) -> Iterator[None]:
    """Publish an image ten times a second, as the scan does."""
    layout = columns.layout
    writer = Writer(places.image, layout.size, layout.hash, layout.parameters)
    ended = threading.Event()
    columns[System.Period][0] = PERIOD
    columns.seal()
    dice = np.random.default_rng(bed.SEED)

    def publish() -> None:
        while not ended.wait(PERIOD):
            columns[System.TimeUtc][0] = time.time()
            for tag in (Pump.Speed, Pump.Power, Pump.Flow, Pump.Level):
                columns[tag][:] = dice.random(PUMPS)
            writer.publish(columns.arena)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _answered(host: str, port: int) -> None:
    """Wait until a Hello is answered."""
    url = f"opc.tcp://{host}:{port}/calejo".encode()
    body = struct.pack("<5I", 0, 65535, 65535, 0, 0) + struct.pack("<I", len(url)) + url
    hello = b"HELF" + struct.pack("<I", 8 + len(body)) + body
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host, port), PATIENCE) as connection:
            connection.sendall(hello)
            if connection.recv(4).startswith(b"ACK"):
                return
        time.sleep(0.005)
    raise TimeoutError(f"the OPC UA server at {host}:{port} did not answer within {PATIENCE:g} s")


def _spent(process: int) -> float:
    """Processor time of a process so far, in s."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(process: int) -> int:
    """The most that a process has held, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) * 1024 if found else 0
