"""Brings the schema up to date: the plain SQL files of `migrations/`, in the order of their names.

Each runs once, in a transaction of its own, as calejo_owner, under an advisory lock that dies with
the session. The table schema_migrations keeps name and SHA-256 of every file that ran, so a file
that was edited, lost, or slipped in before one that has run is refused, as is a database that a
newer program has migrated. New registers of the Modbus map are recorded at the same time.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from runtime.database import register_map
from runtime.register_map import MapError, declared

DIRECTORY = Path(__file__).parent / "migrations"
ROLES_FILE = Path(__file__).parent / "roles.sql"
OWNER = "calejo_owner"
LOCK = 0x63616C656A6F  # "calejo"
LOCK_TIMEOUT_MS = 60_000
DEADLOCKS = 3  # with others that a migration tries again after
CONNECT_TIMEOUT_S = 5


class SchemaError(RuntimeError):
    """Schema and program do not fit; the message says how, and what to do."""


@dataclass(frozen=True)
class Migration:
    """One file."""

    name: str
    sha256: str
    text: bytes


def migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """The files of this program, in order."""
    found = [(path.name, path.read_bytes()) for path in sorted(directory.glob("*.sql"))]
    return [Migration(name, hashlib.sha256(text).hexdigest(), text) for name, text in found]


def migrate(dsn: str, directory: Path = DIRECTORY) -> list[str]:
    """Run what has not run yet; its names. `dsn` is that of calejo_owner or a superuser."""
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            _require_roles(connection)
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
            connection.execute(f"SET statement_timeout = {LOCK_TIMEOUT_MS}")
            connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            connection.execute("SET statement_timeout = 0")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY,"
                " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            pending = _pending(_applied(connection), migrations(directory))
            for migration in pending:
                _run(connection, migration)
            tags = register_map.record(connection, declared())
            return [migration.name for migration in pending] + _told(tags, known=not pending)
    except MapError as error:
        raise SchemaError(str(error)) from None
    except psycopg.errors.QueryCanceled:
        raise SchemaError(
            "another migration has held its lock for a minute; see pg_locks and pg_stat_activity"
        ) from None
    except psycopg.Error as error:
        raise SchemaError(f"cannot migrate: {str(error).strip()}") from error


def check_schema(
    connection: psycopg.Connection[tuple[object, ...]], directory: Path = DIRECTORY
) -> None:
    """Raise SchemaError unless the database has exactly this program's schema."""
    require_migrated(connection, directory)
    require_registers(connection)


def require_migrated(
    connection: psycopg.Connection[tuple[object, ...]], directory: Path = DIRECTORY
) -> None:
    """Raise SchemaError unless exactly this program's files have run."""
    exists = connection.execute("SELECT to_regclass('public.schema_migrations')").fetchone()
    applied = _applied(connection) if exists and exists[0] else {}
    pending = _pending(applied, migrations(directory))
    if pending:
        raise SchemaError(
            f"the database lacks {', '.join(file.name for file in pending)}; run `calejo migrate`"
        )


def require_registers(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Raise SchemaError unless this program's Modbus registers are those that are recorded."""
    try:
        new = register_map.unrecorded(connection, declared())
    except MapError as error:
        raise SchemaError(str(error)) from None
    if new:
        raise SchemaError(
            f"the database lacks {len(new)} registers of the Modbus map; run `calejo migrate`"
        )


def _told(tags: list[str], known: bool) -> list[str]:
    """What `calejo migrate` says of new registers: with new files they go without saying."""
    return [f"Modbus registers of {', '.join(tags)}"] if tags and known else []


def _apply(connection: psycopg.Connection[tuple[object, ...]], migration: Migration) -> None:
    with connection.transaction():
        connection.execute(migration.text)
        connection.execute(
            "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)",
            [migration.name, migration.sha256],
        )


def _run(connection: psycopg.Connection[tuple[object, ...]], migration: Migration) -> None:
    try:
        # Others may already be writing, in another order of tables than ours: then one must yield.
        for _ in range(DEADLOCKS):
            with suppress(psycopg.errors.DeadlockDetected):
                return _apply(connection, migration)
        _apply(connection, migration)
    except psycopg.Error as error:
        raise SchemaError(
            f"{migration.name} failed and was rolled back: {str(error).strip()}"
        ) from error


def _applied(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, str]:
    rows = connection.execute("SELECT name, sha256 FROM schema_migrations ORDER BY name").fetchall()
    return {str(name): str(sha256) for name, sha256 in rows}


def _pending(applied: dict[str, str], files: list[Migration]) -> list[Migration]:
    known = {migration.name: migration for migration in files}
    newest = max(known, default="")
    newer = [name for name in applied if name > newest]
    if newer:
        raise SchemaError(
            f"a newer program migrated the database ({', '.join(newer)}; this one knows {newest})."
            " Run the newer program."
        )
    for name, sha256 in applied.items():
        if name not in known:
            raise SchemaError(f"{name} has run in the database but is missing from this program")
        if known[name].sha256 != sha256:
            raise SchemaError(
                f"{name} was edited after it ran in the database;"
                " restore it and put the change into a new file"
            )
    pending = [migration for migration in files if migration.name not in applied]
    late = [migration.name for migration in pending if migration.name < max(applied, default="")]
    if late:
        raise SchemaError(
            f"{', '.join(late)} would run after {max(applied)}, which has run;"
            " give it a number after that"
        )
    return pending


def _require_roles(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    found = connection.execute(
        "SELECT FROM pg_roles WHERE rolname IN (%s, 'feedback_writer')", [OWNER]
    )
    if found.rowcount == 2:
        return
    try:
        with connection.transaction():
            connection.execute(ROLES_FILE.read_bytes())
    except psycopg.errors.InsufficientPrivilege:
        raise SchemaError(
            "the database has no roles for Calejo, and this user may not make them."
            f" A superuser must first run {ROLES_FILE} in it (psql -f)."
        ) from None
