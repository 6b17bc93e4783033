"""Which database a state directory belongs to.

Latches, modes and the last known equipment are kept by slot, and slots mean something only together
with the database that gave them. So the first database that a state directory meets is the only one
that it works with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg import Connection


class ForeignDatabaseError(Exception):
    """The database is not the one that the state directory belongs to."""


class Installation:
    """The identity of the database, kept in a file of the state directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def require(self, connection: Connection[Any]) -> None:
        """Raise ForeignDatabaseError unless it is the database known, or the first one."""
        row = connection.execute("SELECT installation_id::text FROM installation").fetchone()
        assert row is not None
        found = str(row[0])
        try:
            known = self._path.read_text().strip()
        except FileNotFoundError:
            known = ""
        if not known:
            self._path.write_text(f"{found}\n")
        elif known != found:
            raise ForeignDatabaseError(
                f"another database: found installation {found}, this state directory belongs to"
                f" {known} and its stops and modes to the pumps of that one; set CALEJO_STATE to"
                f" another directory, or, if the pumps are the same, delete {self._path}"
            )
