"""Where the configured database is, for whoever asks it for what is kept."""

from __future__ import annotations

from collections.abc import Callable

from config import Config
from runtime.database.embedded import EmbeddedServer
from runtime.places import Places


def runtime_dsn(config: Config, places: Places) -> Callable[[], str]:
    """Asked anew for each connection; raises ServerError while there is no server."""
    if isinstance(config.database, str):
        server = EmbeddedServer(places.postgres)
        return lambda: server.dsn("calejo_runtime")
    return config.database.get_secret_value
