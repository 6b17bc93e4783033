"""Execution time of a scan: `python -m tools.bench.execution PUMPS SCANS`, times in s as JSON.

The real program on real shared memory, clock moved by hand: latch new inputs, execute all blocks,
publish the image, emit the events. In every scan the inputs are new and one pump in a thousand
starts or stops: of 10,000 pumps a hundred a second, more than any plant's. The process takes the
scan's real-time measures.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from runtime import realtime
from runtime.clock import ManualClock
from runtime.events import EventReader
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.scan import Scan
from runtime.scan_process import SharedMemory, build
from tools.bench import bed

WARM_UP = 30
PAUSE = 0.001  # s between scans, so that a real-time process leaves others room


class Stopwatch:
    """The scan's ports, each call of which is timed."""

    def __init__(self, ports: SharedMemory) -> None:
        self.latch = self._timed("latch", ports.latch)
        self.requests = ports.requests
        self.publish = self._timed("publish", ports.publish)
        self.emit = self._timed("events", ports.emit)
        self.spent: dict[str, list[float]] = {}

    def _timed(self, name: str, call: Callable[[Columns], None]) -> Callable[[Columns], None]:
        def timed(columns: Columns) -> None:
            began = time.perf_counter()
            call(columns)
            self.spent.setdefault(name, []).append(time.perf_counter() - began)

        return timed


def measure(pumps: int, scans: int, places: Places) -> dict[str, object]:
    config = bed.loaded(bed.settings(pumps))
    capacity = Capacity.of(config.capacity)
    places.prepare()
    columns = Columns(Layout(capacity))
    inputs = bed.Inputs(places, capacity, bed.sample_equipment(config))
    clock = ManualClock(config.period)
    program = build(config, columns)
    ports = Stopwatch(SharedMemory(places, columns))
    scan = Scan(columns, program, clock, config.period, ports)
    events = EventReader(places.events, columns.layout)
    missing = realtime.acquire(1.0)
    realtime.still_the_collector()
    times = []
    copies = []
    emitted = 0
    copied = np.empty_like(columns.arena)
    for number in range(WARM_UP + scans):
        inputs.renew(clock.now())
        time.sleep(PAUSE)
        began = time.perf_counter()
        scan.step()
        after = time.perf_counter()
        np.copyto(copied, columns.arena)
        copy = time.perf_counter() - after
        emitted += len(events.take(2**20))
        events.acknowledge(events.position)
        if number >= WARM_UP:
            times.append(after - began)
            copies.append(copy)
    return {
        "times": times,
        "copies": copies,
        "bytes": len(columns.arena),
        "events": emitted / (WARM_UP + scans),
        "parts": {name: float(np.median(spent)) for name, spent in ports.spent.items()},
        "missing": missing,
    }


def main() -> None:
    with bed.state() as places:
        print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]), places)))


if __name__ == "__main__":
    main()
