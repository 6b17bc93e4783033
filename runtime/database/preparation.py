"""The first database of a new cluster: its roles with their passwords, and its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import psycopg
from psycopg import sql

from runtime.database.migrations import ROLES_FILE

SUPERUSER = "postgres"
DATABASE = "calejo"
UNFINISHED = "unfinished"
MEMBERS = {"optimiser": "plan_writer", "collector": "feedback_writer"}  # login role to its group
ROLES = (SUPERUSER, "calejo_owner", "calejo_runtime", "control_reader", *MEMBERS)
_MAKE_MEMBER = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} LOGIN IN ROLE {group};
    END IF;
END $$
"""


def prepare(passwords: Mapping[str, str], dsn: Callable[[str, str], str]) -> None:
    """Make roles and database unless they are there; `dsn` tells how a role enters a database.

    The database gets its name last, so a half-made one never counts.
    """
    with psycopg.connect(dsn(SUPERUSER, "postgres"), autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
            return
        connection.execute(_statement("DROP DATABASE IF EXISTS {}", UNFINISHED))
        connection.execute(_statement("CREATE DATABASE {}", UNFINISHED))
        with psycopg.connect(dsn(SUPERUSER, UNFINISHED)) as unfinished:
            unfinished.execute(ROLES_FILE.read_bytes())
            for role, group in MEMBERS.items():
                unfinished.execute(_MAKE_MEMBER.format(role=role, group=group))
            for role, password in passwords.items():
                _set_password(unfinished, role, password)
        connection.execute(_statement("ALTER DATABASE {} RENAME TO {}", UNFINISHED, DATABASE))


def _set_password(
    connection: psycopg.Connection[tuple[object, ...]], role: str, password: str
) -> None:
    """The server gets only the hash: a password would appear in its log of statements."""
    encrypt = connection.pgconn.encrypt_password
    hashed = encrypt(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(hashed)))


def _statement(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))
