"""PostgreSQL as a process: `python -m tools.rig.postgres DIRECTORY [ADDRESSES]`, until SIGTERM."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from types import FrameType

from runtime.database.embedded import EmbeddedServer


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    listen = {"listen_addresses": sys.argv[2]} if len(sys.argv) > 2 else {}
    server = EmbeddedServer(Path(sys.argv[1]), settings=listen)
    try:
        server.start()
        while server.alive:
            time.sleep(0.05)
    finally:
        server.stop()


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)


if __name__ == "__main__":
    main()
