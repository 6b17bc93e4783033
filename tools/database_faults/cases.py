"""The cases: each strikes a server that works, and heals it."""

from __future__ import annotations

import contextlib
import subprocess
from typing import LiteralString

import psycopg
from psycopg import sql

from tools.database_faults.case import Case
from tools.rig.server import OwnServer

ROLE = "calejo_runtime"
NEWER = "999_of_a_newer_program.sql"
_END_ALL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'calejo %'
"""
_hoard: list[psycopg.Connection[tuple[object, ...]]] = []


def _take_all_connections(server: OwnServer) -> None:
    """Take all that ordinary roles may have; those of the runtime are ended for it."""
    while _another(server):
        pass
    with server.connect("postgres") as connection:
        connection.execute(_END_ALL)
    while _another(server):
        pass


def _another(server: OwnServer) -> bool:
    try:
        _hoard.append(psycopg.connect(server.dsn("calejo_owner")))
    except psycopg.OperationalError:
        return False
    return True


def _give_connections_back(server: OwnServer) -> None:
    while _hoard:
        _hoard.pop().close()


def _fill_disk(server: OwnServer) -> None:
    with contextlib.suppress(OSError), server.ballast.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(b"\0" * 4096)


def _empty_disk(server: OwnServer) -> None:
    server.ballast.unlink()


def _set_read_only(server: OwnServer) -> None:
    _setting(server, "ALTER SYSTEM SET default_transaction_read_only = on")


def _set_read_write(server: OwnServer) -> None:
    _setting(server, "ALTER SYSTEM RESET default_transaction_read_only")


def _setting(server: OwnServer, statement: LiteralString) -> None:
    with server.connect("postgres") as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(statement)
        connection.execute("SELECT pg_reload_conf()")


def _pull_cable(server: OwnServer) -> None:
    server.inside("ip", "link", "set", "eth0", "down")


def _plug_cable(server: OwnServer) -> None:
    server.inside("ip", "link", "set", "eth0", "up")


def _lose_packets(server: OwnServer) -> None:
    server.inside("ip", "address", "flush", "dev", "eth0")


def _move_address(server: OwnServer) -> None:
    """The address goes to a machine on which no PostgreSQL listens: this one."""
    server.inside("ip", "address", "flush", "dev", "eth0")
    _ip("address", "add", f"{server.theirs}/32", "dev", "lo")


def _move_address_back(server: OwnServer) -> None:
    _ip("address", "delete", f"{server.theirs}/32", "dev", "lo")
    server.take_address()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _change_password(server: OwnServer) -> None:
    with server.connect("postgres") as connection:
        _password(connection, "changed")
        connection.execute(_END_ALL)


def _restore_password(server: OwnServer) -> None:
    with server.connect("postgres") as connection:
        _password(connection, server.password(ROLE))


def _password(connection: psycopg.Connection[tuple[object, ...]], password: str) -> None:
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    role, given = sql.Identifier(ROLE), sql.Literal(password)
    connection.execute(statement.format(role, given))


def _migrate_further(server: OwnServer) -> None:
    with server.connect() as connection:
        connection.execute("INSERT INTO schema_migrations (name, sha256) VALUES (%s, '')", [NEWER])


def _migrate_back(server: OwnServer) -> None:
    with server.connect() as connection:
        connection.execute("DELETE FROM schema_migrations WHERE name = %s", [NEWER])


_WAITS = "plans and feedback age; records wait in the spool"
_BACK = "by itself, once the server takes connections again"
CASES: tuple[Case, ...] = (
    Case(
        "stopped",
        "the server is stopped in order, and started again",
        OwnServer.stop,
        OwnServer.start,
        "unreachable: Connection refused (server at …)",
        _WAITS,
        _BACK,
    ),
    Case(
        "killed",
        "all processes of the server are killed (SIGKILL), and it is started again",
        OwnServer.kill,
        OwnServer.start,
        "unreachable: Connection refused (server at …)",
        _WAITS,
        "by itself, once the server has recovered from its log",
    ),
    Case(
        "frozen",
        "all processes of the server stand still (SIGSTOP), the kernel answers for them",
        OwnServer.freeze,
        OwnServer.thaw,
        "frozen: no answer for 2 s",
        _WAITS,
        "by itself, once the server goes on; a call that it answers late counts for nothing",
    ),
    Case(
        "out of connections",
        "others hold all connections that the server gives, the runtime's were ended",
        _take_all_connections,
        _give_connections_back,
        "out of connections: ",
        _WAITS,
        "by itself, once a connection is free",
    ),
    Case(
        "disk full",
        "the file system of the server has no room left",
        _fill_disk,
        _empty_disk,
        "disk full: could not extend file …: No space left on device",
        "plans go on; feedback ages as far as its writer is refused; records wait in the spool",
        "by itself, once there is room",
        answers=True,
        isolated=True,
    ),
    Case(
        "read-only",
        "the server turns read-only while connections are open, as a demoted primary does",
        _set_read_only,
        _set_read_write,
        "read-only server: ",
        _WAITS + "; what a read-only server says is not used, for it may be old",
        "by itself, once it takes writes, or another host of the DSN does",
    ),
    Case(
        "cable pulled",
        "the link to the server goes down: nothing is answered, nothing is closed",
        _pull_cable,
        _plug_cable,
        "frozen: no answer for 2 s",
        _WAITS,
        "by itself, once the link is up",
        isolated=True,
    ),
    Case(
        "packets lost",
        "the server's address is gone: packets vanish without a word",
        _lose_packets,
        OwnServer.take_address,
        "frozen: no answer for 2 s",
        _WAITS,
        "by itself, once the address is back",
        isolated=True,
    ),
    Case(
        "address moved",
        "the server's address belongs to a machine without PostgreSQL, which resets connections",
        _move_address,
        _move_address_back,
        "unreachable: Connection refused (server at …)",
        _WAITS,
        "by itself, once PostgreSQL answers at the address",
        isolated=True,
    ),
    Case(
        "wrong password",
        "the password of calejo_runtime is changed, and its connections are ended",
        _change_password,
        _restore_password,
        "wrong password or user: password authentication failed for user …",
        _WAITS,
        "by itself, once the password fits; another one in CALEJO_DATABASE needs a restart",
    ),
    Case(
        "other schema",
        "a newer program migrates the database while connections are open",
        _migrate_further,
        _migrate_back,
        f"a newer program migrated the database ({NEWER}; this one knows …)."
        " Run the newer program.",
        _WAITS,
        "by itself, once the schema is the program's own; otherwise with the newer program",
    ),
)
