"""The registers of the Modbus map that the database remembers; `calejo migrate` adds new ones."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import tuple_row

from runtime.register_map import Meaning, Register, Registers, require_kept

_READ = "SELECT table_name, space, address, tag, type, word, scale FROM modbus_registers"
_WRITE = (
    "INSERT INTO modbus_registers (table_name, space, address, tag, type, word, scale)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)


def recorded(connection: psycopg.Connection[Any]) -> Registers | None:
    """All registers that the database remembers; None before the migration that makes it."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("SELECT to_regclass('public.modbus_registers')")
        if cursor.fetchone() == (None,):
            return None
        cursor.execute(_READ)
        return {Register(*row[:3]): Meaning(*row[3:]) for row in cursor}


def record(connection: psycopg.Connection[Any], program: Registers) -> list[str]:
    """Remember what the program adds; the tags that it does. Raises MapError, recording nothing."""
    added = unrecorded(connection, program)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_WRITE, [(*register, *program[register]) for register in added])
    return sorted({f"{register.table}.{program[register].tag}" for register in added})


def unrecorded(connection: psycopg.Connection[Any], program: Registers) -> list[Register]:
    """The registers that the program adds; raises MapError if it contradicts what is recorded."""
    known = recorded(connection)
    if known is None:
        return []
    require_kept(known, program)
    return sorted(program.keys() - known.keys())
