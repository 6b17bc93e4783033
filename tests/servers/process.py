"""A server as the supervisor starts it, in a process of its own, with room for the small plant."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.places import Places
from runtime.progress import Health, State, look
from tests.calejo import CALEJO, ROOT
from tests.servers.modbus.station import CAPACITY


@contextmanager
def process(name: str, places: Places, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The process of the server `name`; killed at the end if it still runs."""
    environment = os.environ | {
        "CALEJO_STATE": str(places.root),
        "CALEJO_CONFIG": str(ROOT / "scan.yaml"),
        "CALEJO_CAPACITY_STATIONS": str(CAPACITY.stations),
        "CALEJO_CAPACITY_PUMPS": str(CAPACITY.pumps),
        f"CALEJO_SERVERS_{name.upper()}_LISTEN": f"127.0.0.1:{port}",
    }
    with subprocess.Popen([*CALEJO, "process", name], env=environment) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.kill()


def health(name: str, places: Places) -> Health:
    """What it says of itself, even before it says anything."""
    return look(places.progress(name)) or Health(name, 0, State.STARTING, "", 0, 0.0)
