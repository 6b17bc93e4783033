"""Looks again and again whether the database is still the one to work with.

An open connection goes on when a server is set to read-only or demoted to a standby, when another
schema comes or another server answers at its address, and for long when the network swallows all.
Then all connections are cut, and nothing is read or written until one is admitted again: what a
demoted server still says is old.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from runtime.database.connection import Worker
from runtime.database.troubles import READ_ONLY, SPEAKING, ReadOnlyServer

LOOK_S = 0.5
_LOOK = """
SELECT current_setting('transaction_read_only'), (SELECT installation_id FROM installation),
       (SELECT array_agg(name || ' ' || sha256 ORDER BY name) FROM schema_migrations)
"""


class Examiner(Worker):
    """One look after the other, on a connection of its own that nothing else delays."""

    _admitted: tuple[Any, ...] | None = None

    def begin(self, connection: Connection[Any]) -> None:
        self._admitted = connection.execute(_LOOK).fetchone()

    def work(self, connection: Connection[Any]) -> None:
        try:
            with self.limited():
                self._examine(connection)
        except SPEAKING:
            self.guard.cut()
            raise
        self.pause(LOOK_S)

    def _examine(self, connection: Connection[Any]) -> None:
        found = connection.execute(_LOOK).fetchone()
        if found == self._admitted:
            return
        if found is not None and found[0] == "on":
            raise ReadOnlyServer(f"{READ_ONLY}: it answers, but would store nothing")
        self.guard.admit(connection)
        self._admitted = found
