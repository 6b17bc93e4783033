"""Operators at the REST interface: they stop pumps and stations, and clear what they stopped.

What they were told is kept: a stop that was acknowledged has to stay in force until they clear it.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tools.rig.whole import Whole

PAUSE = 0.3  # s between what they do
PLACES: tuple[dict[str, Any], ...] = (
    {"scope": "pump", "station": "KW-NORD", "pump": 1},
    {"scope": "pump", "station": "KW-NORD", "pump": 2},
    {"scope": "pump", "station": "PW-HAFEN", "pump": 4},
    {"scope": "station", "station": "PW-HAFEN"},
)


@dataclass
class Stop:
    """An emergency stop that was acknowledged: by which scan, and since when it may be gone."""

    id: str
    place: dict[str, Any]
    scan: int
    clearing: float | None = None  # monotonic time at which clearing was first asked for
    cleared: bool = False  # clearing was acknowledged


@dataclass
class Told:
    """All that operators were told. `refused` are answers that were no acknowledgement."""

    stops: dict[str, Stop] = field(default_factory=dict)
    refused: int = 0
    unanswered: int = 0


class Operators(threading.Thread):
    """One after the other: stop a place that is not stopped, or clear a stop."""

    def __init__(self, whole: Whole, seed: int = 1) -> None:
        super().__init__(name="operators", daemon=True)
        self.told = Told()
        self.resting = threading.Event()
        self._listen = whole.config.servers.rest.listen
        self._token = whole.places.token()
        self._dice = random.Random(seed)
        self._ending = threading.Event()
        self._idle = threading.Event()

    def end(self) -> None:
        self._ending.set()
        self.join(10.0)

    def rest(self) -> None:
        """Have them pause, and return when nothing that they asked for is under way."""
        self._idle.clear()
        self.resting.set()
        self._idle.wait(10.0)

    def run(self) -> None:
        while not self._ending.wait(PAUSE):
            if self.resting.is_set():
                self._idle.set()
                continue
            standing = [stop for stop in self.told.stops.values() if not stop.cleared]
            try:
                if standing and self._dice.random() < 0.6:
                    self._clear(standing[0])
                else:
                    self._order(self._dice.choice(PLACES))
            except (OSError, http.client.HTTPException, ValueError):
                self.told.unanswered += 1

    def _order(self, place: dict[str, Any]) -> None:
        status, said = self._ask("POST", "emergency-stops", place | {"reason": "trial"})
        if status in (200, 201):
            stop = Stop(str(said["id"]), place, int(said["scan"]))
            self.told.stops.setdefault(stop.id, stop)
        else:
            self.told.refused += 1

    def _clear(self, stop: Stop) -> None:
        stop.clearing = stop.clearing or time.monotonic()
        status, _ = self._ask("POST", f"emergency-stops/{stop.id}/clear", {"reason": "trial over"})
        if status == 200 or status == 404:  # 404: an earlier request had cleared it, unanswered
            stop.cleared = True
        else:
            self.told.refused += 1

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self._listen.host, self._listen.port, timeout=6)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            connection.request(method, f"/api/v1/{path}", json.dumps(body), headers)
            reply = connection.getresponse()
            said: dict[str, Any] = json.loads(reply.read())
            return reply.status, said
        finally:
            connection.close()
