"""What the reading threads found, for the one thread that publishes it.

Each attribute has one writer and is replaced as a whole, so nobody needs a lock.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.database.clock import DatabaseClock
from runtime.database.findings import Findings
from runtime.database.schedule import Schedule
from runtime.equipment import Equipment


@dataclass(frozen=True)
class Feedback:
    """The latest feedback of each pump, sorted by `pump_id`; `time` is on the scan clock."""

    pump_id: NDArray[np.int32]
    time: NDArray[np.float64]
    speed: NDArray[np.float64]
    power: NDArray[np.float64]
    flow: NDArray[np.float64]
    level: NDArray[np.float64]
    running: NDArray[np.bool_]
    local: NDArray[np.bool_]


class Board:
    """None means: not known in this life of the process; what is in the inputs stays."""

    def __init__(self, equipment: Equipment, plan_times: dict[str, float]) -> None:
        self.equipment = equipment
        self.plan_times = plan_times
        """Station to the time, on the scan clock, of its newest plan or heartbeat."""
        self.schedule: Schedule | None = None
        self.feedback: Feedback | None = None
        self.clock = DatabaseClock()
        self.findings = Findings()
        self.database_time = 0.0
        self._changed = threading.Event()

    def announce(self) -> None:
        """Say that something is new."""
        self._changed.set()

    def wait(self, timeout: float) -> None:
        """Wait until something is new, at most `timeout` s."""
        self._changed.wait(timeout)
        self._changed.clear()
