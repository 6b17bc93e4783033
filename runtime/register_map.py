"""What every register of a block of the Modbus map means, and what it has to go on meaning.

The database remembers the registers from the first version of the program that had them on; a
program that gives one another meaning must not serve a plant. So that this holds without the
database too, what it remembers is kept in the state directory whenever the runtime connects:

| database  | copy           | a program that contradicts it                                     |
|-----------|----------------|-------------------------------------------------------------------|
| answers   | is made        | is refused by the database process, and serves no Modbus          |
| is away   | of last time   | serves no Modbus                                                  |
| is away   | none, or spoilt| is not known: it serves what else is known without the database   |
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import structlog

from runtime.registers import TOKEN, TOKEN_WORDS, View, counts, points
from runtime.tag import Space
from runtime.tags import SHOWN, System

TOLD = 5  # contradictions in one message

logger = structlog.get_logger()


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


def require_kept(known: Registers, program: Registers) -> None:
    """Raise MapError if the program gives a known register another meaning, or none."""
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


class Copy:
    """What the database remembers, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._judged = 0  # the file that the last verdict was on, by its time
        self._verdict = ""

    def keep(self, registers: Registers) -> None:
        """Write what the database remembers, as a whole or not at all, unless it is known."""
        if registers == self._load():
            return
        partial = self._path.with_suffix(f".{os.getpid()}")
        try:
            with partial.open("w") as file:
                rows = [[*register, *meaning] for register, meaning in sorted(registers.items())]
                json.dump(rows, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
        except OSError as error:
            logger.error("the Modbus map is not kept on disk", reason=str(error))

    def contradiction(self) -> str:
        """What this program must not serve Modbus for; soon asked again of the same file."""
        try:
            written = self._path.stat().st_mtime_ns
        except OSError:
            return ""
        if written != self._judged:
            self._judged, self._verdict = written, self._judge()
        return self._verdict

    def _judge(self) -> str:
        try:
            require_kept(self._load() or {}, declared())
        except MapError as error:
            return str(error)
        return ""

    def _load(self) -> Registers | None:
        try:
            rows = json.loads(self._path.read_text())
            return {Register(*row[:3]): Meaning(*row[3:]) for row in rows}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            logger.error("the Modbus map on disk is not readable", reason=repr(error))
            return None
