"""A scan that keeps its times: `python -m tools.bench.leader`; at SIGTERM it prints them as JSON.

It is the scan process with a notebook: the same program, ports, clock and loop, and the same
real-time measures. CALEJO_STATE and the rest of the environment say which.
"""

from __future__ import annotations

import json
import os
import signal
from types import FrameType

from runtime import realtime
from runtime.clock import GridClock
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.scan import Scan
from runtime.scan_process import SharedMemory, build
from runtime.tags import System
from tools.bench import bed


class _End(Exception):
    """SIGTERM."""


def main() -> None:
    config = bed.loaded(os.environ)
    places = Places.from_environment(os.environ)
    columns = Columns(Layout(Capacity.of(config.capacity)))
    program = build(config, columns)
    missing = realtime.acquire(1.0)
    realtime.still_the_collector()
    clock = GridClock(config.period)
    scan = Scan(columns, program, clock, config.period, SharedMemory(places, columns))
    columns[System.RealTime][0] = not missing
    execution = columns[System.Execution]
    times: list[tuple[float, int, float]] = []  # lateness, periods skipped, execution before it
    signal.signal(signal.SIGTERM, _end)
    try:
        scan.cycle()
        clock.anchor()
        while True:
            late, skipped = clock.wait()
            scan.cycle(late, skipped)
            times.append((late, skipped, execution[0]))
    except _End:
        print(json.dumps({"times": times, "missing": missing}))


def _end(number: int, frame: FrameType | None) -> None:
    raise _End


if __name__ == "__main__":
    main()
