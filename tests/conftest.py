"""Fixtures that tests of several packages share: a real PostgreSQL."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import structlog
from psycopg import sql

from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import ROLES_FILE, migrate

TEMPLATE = "migrated"
_number = itertools.count(1)


@dataclass(frozen=True)
class Database:
    """A migrated database of one test, and how each role connects to it."""

    server: EmbeddedServer
    name: str

    def dsn(self, role: str) -> str:
        return self.server.dsn(role, self.name)

    @property
    def owner(self) -> str:
        return self.dsn("calejo_owner")

    @property
    def runtime(self) -> str:
        return self.dsn("calejo_runtime")

    @property
    def reader(self) -> str:
        return self.dsn("control_reader")

    @property
    def optimiser(self) -> str:
        return self.dsn("optimiser")

    @property
    def collector(self) -> str:
        return self.dsn("collector")


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """What a test sets of the logs, a command that it runs for one, is forgotten after it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedServer]:
    """An embedded server for the whole run. It forces nothing to the disk."""
    with tempfile.TemporaryDirectory(prefix="calejo-", dir=fast_directory()) as directory:
        # Root hands the server to another account, which has to reach its files.
        Path(directory).chmod(0o711)
        server = EmbeddedServer(Path(directory) / "postgres", durable=False)
        server.start()
        try:
            _create(server, TEMPLATE, "template0")
            migrate(server.dsn("calejo_owner", TEMPLATE))
            yield server
        finally:
            server.stop()


@pytest.fixture
def database(postgres: EmbeddedServer) -> Iterator[Database]:
    """A fresh migrated database."""
    with fresh(postgres) as database:
        yield database


@contextmanager
def fresh(postgres: EmbeddedServer) -> Iterator[Database]:
    """A migrated database, for as long as it is needed."""
    name = f"test_{next(_number)}"
    _create(postgres, name, TEMPLATE)
    try:
        yield Database(postgres, name)
    finally:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(postgres.dsn("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(drop)


def _create(server: EmbeddedServer, name: str, template: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    with psycopg.connect(server.dsn("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    # Rights on a database, unlike those in it, are not copied from its template.
    with psycopg.connect(server.dsn("postgres", name)) as connection:
        connection.execute(ROLES_FILE.read_bytes())


def fast_directory() -> Path | None:
    """Memory, if there is enough: a database of hundreds of small files takes 20 ms there."""
    memory = Path("/dev/shm")
    try:
        free = os.statvfs(memory)
    except OSError:
        return None
    return memory if free.f_bavail * free.f_frsize > 2**30 else None
