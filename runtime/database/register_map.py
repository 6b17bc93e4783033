"""What every register of a block has meant since SCADA systems could read it.

The program declares its registers with its tags. The database remembers them from the first
version that had them on, so that no later version can move, take or drop one unseen: such a program
is refused before it serves a plant. New registers are recorded by `calejo migrate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row

from runtime.registers import TOKEN, TOKEN_WORDS, View, counts, points
from runtime.tag import Space
from runtime.tags import SHOWN, System

_READ = "SELECT table_name, space, address, tag, type, word, scale FROM modbus_registers"
_WRITE = (
    "INSERT INTO modbus_registers (table_name, space, address, tag, type, word, scale)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
TOLD = 5  # contradictions in one message


class MapError(Exception):
    """The program means something else by a register than SCADA systems do."""


class Register(NamedTuple):
    """One address of the blocks of a table."""

    table: str
    space: str
    address: int

    def __str__(self) -> str:
        return f"{self.space} {self.address} of a {self.table.lower()}"


class Meaning(NamedTuple):
    """What lies at it: the word of a value, in one of its views."""

    tag: str
    type: str
    word: int
    scale: float | None

    def __str__(self) -> str:
        scaled = f" × {self.scale:g}" if self.scale is not None else ""
        return f"{self.tag} ({self.type}{scaled}, word {self.word})"


Registers = Mapping[Register, Meaning]


def declared() -> Registers:
    """All registers of this program."""
    found = {
        Register(System.__name__, Space.HOLDING.value, TOKEN + word): Meaning(
            "Token", "16 octets", word, None
        )
        for word in range(TOKEN_WORDS)
    }
    for table in SHOWN:
        for space in Space:
            for point in points(table, space):
                scale = 1 / counts(point.tag) if point.view is View.SCALED else None
                for word in range(point.width):
                    register = Register(table.__name__, space.value, point.offset + word)
                    found[register] = Meaning(point.tag.name, point.view.value, word, scale)
    return found


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
    _require_kept(known, program)
    return sorted(program.keys() - known.keys())


def _require_kept(known: Registers, program: Registers) -> None:
    wrong = [
        f"{register}: found {program.get(register) or 'nothing'}, allowed {meaning}"
        for register, meaning in sorted(known.items())
        if program.get(register) != meaning
    ]
    if wrong:
        more = f"; and {len(wrong) - TOLD} more" if len(wrong) > TOLD else ""
        raise MapError(
            "this program gives registers that SCADA systems read another meaning; run one that"
            f" keeps them: {'; '.join(wrong[:TOLD])}{more}"
        )
