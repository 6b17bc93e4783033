"""How the database is, in words for an operator."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from runtime.database.board import Board
from runtime.database.connection import Worker
from runtime.progress import Progress, State

START_S = 10.0  # within which not being connected is no news: the server may be starting too

logger = structlog.get_logger()


class HealthTeller:
    """Tells the state of all workers as one line, and logs it when it changes."""

    def __init__(self, progress: Progress, workers: Sequence[Worker], board: Board) -> None:
        self._progress = progress
        self._workers = workers
        self._board = board
        self._told = State.STARTING, ""
        self._starting_until = time.monotonic() + START_S

    def tell(self) -> None:
        """Say how the database is, if that has changed."""
        state, text = self.judge()
        if (state, text) != self._told:
            self._told = state, text
            self._progress.say(state, text)
            if state is State.STARTING:
                return
            log = logger.info if state is State.GOOD else logger.warning
            log("database", health=text)

    def judge(self) -> tuple[State, str]:
        """The state and the line that tells it."""
        found = self._board.equipment
        pumps = sum(pump.active for pump in found.pumps)
        parts = [f"{len(found.stations)} stations, {pumps} pumps"]
        if found.problems:
            parts.append(f"{len(found.problems)} problems, first: {found.problems[0]}")
        troubles = dict.fromkeys(worker.status for worker in self._workers if not worker.connected)
        if troubles:
            starting = time.monotonic() < self._starting_until
            parts.insert(1, f"equipment version {found.version} from the last connection")
            return State.STARTING if starting else State.DEGRADED, "; ".join([*troubles, *parts])
        self._starting_until = 0.0
        return State.GOOD, "; ".join(["connected", *parts])
