"""The process that serves HTTP."""

from __future__ import annotations

import signal
import time
from types import FrameType

import structlog

from config import Config
from runtime.database.address import runtime_dsn
from runtime.layout import Capacity
from runtime.places import Places
from runtime.progress import Progress, State
from runtime.servers.listening import listening
from runtime.servers.mirror import Mirror
from runtime.servers.rest.application import application
from runtime.servers.rest.asking import Asking
from runtime.servers.rest.listener import Listener
from runtime.servers.rest.queries import Queries
from runtime.servers.rest.snapshots import Snapshots

NAME = "rest"
BEAT = 0.5  # s

logger = structlog.get_logger()


def main(config: Config, places: Places) -> None:
    """Serve until SIGTERM or SIGINT."""
    ending = _Ending()
    progress = Progress(places.progress(NAME))
    settings = config.servers.rest
    bound = listening(NAME, settings.listen, progress)
    capacity = Capacity.of(config.capacity)
    snapshots = Snapshots(places, capacity)
    asking = Asking(Mirror(places, capacity, NAME))
    queries = Queries(runtime_dsn(config, places))
    app = application(config, places, snapshots, asking, queries)
    listener = Listener(app, bound, settings, asking.refusals)
    logger.info("rest listening", address=str(settings.listen))
    next_beat = 0.0
    while not ending.asked:
        listener.serve()
        if time.monotonic() >= next_beat and listener.working:
            next_beat = time.monotonic() + BEAT
            progress.say(*_health(snapshots, str(settings.listen)))
            progress.beat()
    listener.close()
    asking.close()
    queries.close()


class _Ending:
    """Whether the end has been asked for."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def _health(snapshots: Snapshots, address: str) -> tuple[State, str]:
    snapshot = snapshots.newest()
    if snapshot is None:
        return State.DEGRADED, f"{address}; the scan has not published yet"
    if not snapshot.live:
        return State.DEGRADED, f"{address}; the scan has stood still for {snapshot.age:.0f} s"
    return State.GOOD, address
