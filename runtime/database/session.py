"""A connection to the configured database for a command of a person; it may have to be started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from config import Config
from runtime import instance
from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import check_schema
from runtime.places import Places

ROLE = "calejo_runtime"
CONNECT_TIMEOUT_S = 5


class DatabaseAwayError(Exception):
    """The database did not do what it was asked; the message says why."""


@contextmanager
def opened(configuration: Config, places: Places) -> Iterator[psycopg.Connection[Any]]:
    """Connect, with this program's schema. An embedded server that stands still is started for it.

    Raises DatabaseAwayError, SchemaError, or ServerError where no embedded server has ever been.
    """
    database = configuration.database
    if not isinstance(database, str):
        with _connected(database.get_secret_value()) as connection:
            yield connection
        return
    server = EmbeddedServer(places.postgres)
    dsn = server.dsn(ROLE)
    if instance.holder(places) is not None:
        with _connected(dsn) as connection:
            yield connection
        return
    with instance.taken(places):
        try:
            server.start()
            with _connected(dsn) as connection:
                yield connection
        finally:
            server.stop()


@contextmanager
def _connected(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            check_schema(connection)
            yield connection
    except psycopg.Error as error:
        raise DatabaseAwayError(f"database: {' '.join(str(error).split())}") from error
