"""Watches the spool files: one that is gone, replaced or set back has taken records with it.

What each file was is kept in the state directory, outside the spool: its identity and the highest
number that it had given to a record. A file that was put back from a copy would give numbers anew
that PostgreSQL has seen, and what bears them would pass for sent already: so it gets another
identity. What was in the copy and is uploaded again stands twice then, which is better than not.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import structlog

from runtime import spoolfile
from runtime.database.changes import Changes, note
from runtime.places import Places
from runtime.spool import SpoolError

KEEP = 60.0  # s between looks at the numbers of files that are still the same
NOTED = 5.0  # s for a note to get to the disk

logger = structlog.get_logger()


class SpoolWatch:
    """Notes the loss of a spool file in the audit log."""

    def __init__(self, places: Places, changes: Changes) -> None:
        self._directory = places.spool
        self._file = places.spools
        self._changes = changes
        self._known: dict[str, dict[str, Any]] = _load(self._file)
        self._marks: dict[str, tuple[int, int]] = {}
        self._next = float("-inf")
        self._unsaved = False

    def look(self) -> None:
        """Compare the files with what is known of them. Cheap while they are the same."""
        marks = {path.stem: _mark(path) for path in spoolfile.files(self._directory)}
        now = time.monotonic()
        if marks == self._marks and now < self._next:
            return
        self._next = now + KEEP
        self._marks = marks
        known = dict(self._known)
        notes = []
        for name, problem in self._problems(known):
            logger.error("spool file lost", file=name, problem=problem)
            notes.append(note("lose spool", problem, self._known[name], f"{name}.db"))
        if notes:
            self._changes.note(notes)
        self._unsaved |= known != self._known
        self._known = known
        if self._unsaved:
            self._keep()

    def _keep(self) -> None:
        """Save what is known. A disk that doesn't take it must not hold up the uploads."""
        try:
            self._changes.note([]).result(NOTED)  # notes before it are on disk, too
            _save(self._file, self._known)
            self._unsaved = False
        except (OSError, SpoolError, sqlite3.Error) as error:
            logger.warning("what spool files are is not saved", problem=repr(error))

    def _problems(self, known: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
        """What happened to each file that is not what it was; `known` becomes what is."""
        for name in set(known) - set(self._marks):
            del known[name]
            yield name, "gone"
        for name in self._marks:
            try:
                found = _look(self._directory / f"{name}.db")
                before = known.get(name, found)
                if before["identity"] != found["identity"]:
                    yield name, "replaced"
                elif before["highest"] > found["highest"]:
                    found = _look(self._directory / f"{name}.db", renew=True)
                    yield name, "set back"
                known[name] = found
            except sqlite3.Error as error:
                logger.warning("spool file not readable", file=name, problem=str(error))


def _mark(path: Path) -> tuple[int, int]:
    """What is another for another file, though its inode may be that of the one before."""
    found = path.stat()
    return found.st_ino, found.st_ctime_ns


def _look(path: Path, *, renew: bool = False) -> dict[str, Any]:
    with contextlib.closing(spoolfile.SpoolReader(path)) as reader:
        if renew:
            reader.renew()
        return {"identity": str(reader.identity), "highest": reader.highest}


def _load(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return dict(orjson.loads(path.read_bytes()))
    except (FileNotFoundError, ValueError):
        return {}


def _save(path: Path, known: dict[str, dict[str, Any]]) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    with partial.open("wb") as file:
        file.write(orjson.dumps(known))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
