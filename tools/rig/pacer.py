"""What the machine alone makes a real-time process miss: `python -m tools.rig.pacer FILE PERIOD`.

Sleeps to a grid with the priority of the scan and does nothing. Whenever it is half a period late
it appends the time and how late it was: then the machine stood still, whoever else ran on it.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from runtime import realtime

FIRST = 2.0  # s to settle


def main() -> None:
    path, period = Path(sys.argv[1]), float(sys.argv[2])
    with suppress(OSError):
        realtime.acquire(10.0)
    parent = os.getppid()
    due = time.monotonic() + FIRST
    with path.open("a", buffering=1) as file:
        while os.getppid() == parent:
            time.sleep(max(0.0, due - time.monotonic()))
            late = time.monotonic() - due
            if late > period / 2:
                file.write(f"{due} {late}\n")
                due += period * int(late / period)
            due += period


def stalls(path: Path, since: float, until: float) -> list[float]:
    """How late it was, each time, between two times (monotonic, s)."""
    rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [float(row[1]) for row in rows if len(row) == 2 and since <= float(row[0]) <= until]


if __name__ == "__main__":
    main()
