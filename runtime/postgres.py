"""The embedded PostgreSQL as a process: started, migrated, and ended with it.

When the server dies, this process ends too, and the supervisor starts both again.
"""

from __future__ import annotations

import signal
import time
from types import FrameType

import structlog

from config import Config
from runtime.database.account import AccountError
from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import SchemaError, migrate
from runtime.database.postmaster import ServerError
from runtime.places import Places
from runtime.progress import Progress, State

BEAT = 0.5  # s

logger = structlog.get_logger()


def main(config: Config, places: Places) -> None:
    """Run the server until told to end."""
    signal.signal(signal.SIGTERM, _end)
    progress = Progress(places.progress("postgres"))
    server = EmbeddedServer(places.postgres)
    try:
        server.start()
        progress.say(*_migrate(server))
        while server.alive:
            progress.beat()
            time.sleep(BEAT)
        raise ServerError(f"PostgreSQL ended with exit code {server.poll()}; see {server.data}/log")
    except (ServerError, AccountError) as error:
        progress.say(State.DEGRADED, str(error))
        logger.error("no database", reason=str(error))
        raise SystemExit(1) from None
    finally:
        server.stop()


def _migrate(server: EmbeddedServer) -> tuple[State, str]:
    try:
        for name in migrate(server.dsn("calejo_owner")):
            logger.info("schema migrated", migration=name)
    except SchemaError as error:
        logger.error("schema does not fit", reason=str(error))
        return State.DEGRADED, str(error)
    return State.GOOD, "serving"


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)
