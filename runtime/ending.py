"""How a process is told to end."""

from __future__ import annotations

import signal
from types import FrameType


class Ending:
    """Whether SIGTERM has come. SIGINT is for the supervisor, which ends all in order."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._take)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
