"""What the database needs now and then: partitions ahead of time, and no more than it uses."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from runtime.database.connection import Worker

INTERVAL_S = 6 * 3600.0
DAYS_AHEAD = 31
_PARTITIONS = """
SELECT create_feedback_partitions(today - 1, today + %s)
FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS clock"""
# Whoever has not looked for a day reads all plans anew.
_FORGET = "DELETE FROM plan_changes WHERE changed_at < now() - interval '1 day'"


class Housekeeper(Worker):
    """Keeps house every few hours, and at the start."""

    limit_s = 30.0

    def work(self, connection: Connection[Any]) -> None:
        with self.limited():
            connection.execute(_PARTITIONS, [DAYS_AHEAD])
            connection.execute(_FORGET)
        self.pause(INTERVAL_S)
