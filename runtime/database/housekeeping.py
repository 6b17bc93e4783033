"""What the database needs now and then: room for the days to come, and no more than it uses."""

from __future__ import annotations

import math
from typing import Any

import structlog
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from config.records import Retention
from runtime.database import partitions
from runtime.database.changes import Changes, note
from runtime.database.connection import Guard, Source, Worker

SAFETY = ("safety_limit_violations", "failsafe_events", "emergency_stop_events")
ALERTS = ("alerts", "alert_attempts")  # in this order: attempts go when their alert is gone
PIECE = 500  # records dropped at a time
BREATH_S = 0.05  # between them
INTERVAL_S = 6 * 3600.0
RETRY_S = 60.0  # after a lock on a table was not to be had
DAYS_AHEAD = 31
DAY_S = 86_400.0
_DROP = "SELECT drop_old_records(%s, now() - %s * interval '1 s', %s)"
# Whoever has not looked for a day reads all plans anew.
_FORGET = "DELETE FROM plan_changes WHERE changed_at < now() - interval '1 day'"

logger = structlog.get_logger()


class Housekeeper(Worker):
    """Keeps house every few hours, and at the start.

    Tables that are kept by days lose whole ones. The others lose records that are over, a few at a
    time, and the audit log says how many.
    """

    limit_s = 30.0

    def __init__(
        self, source: Source, guard: Guard, retention: Retention, changes: Changes
    ) -> None:
        super().__init__("housekeeping", source, guard)
        self._changes = changes
        self._kept = dict.fromkeys(SAFETY, retention.safety) | dict.fromkeys(
            ALERTS, retention.alerts
        )
        self._days = {
            "pump_feedback": math.ceil(retention.feedback / DAY_S),
            "history": math.ceil(retention.history / DAY_S),
            "events": math.ceil(retention.events / DAY_S),
        }

    def work(self, connection: Connection[Any]) -> None:
        try:
            for table in self._days:
                with self.limited():
                    partitions.make_ahead(connection, table, DAYS_AHEAD)
            with self.limited():
                connection.execute(_FORGET)
            for table, days in self._days.items():
                self._drop_days(connection, table, days)
            for table, seconds in self._kept.items():
                self._drop_records(connection, table, seconds)
        except LockNotAvailable as error:
            logger.warning("housekeeping put off", reason=str(error).strip())
            self.pause(RETRY_S)
        else:
            self.pause(INTERVAL_S)

    def _drop_days(self, connection: Connection[Any], table: str, days: int) -> None:
        while True:
            with self.limited():
                dropped = partitions.drop_oldest(connection, table, days)
            if dropped is None:
                return
            logger.info("partition dropped", table=table, partition=dropped, kept_days=days)

    def _drop_records(self, connection: Connection[Any], table: str, seconds: float) -> None:
        total, dropped = 0, PIECE
        while dropped == PIECE:
            with self.limited():
                row = connection.execute(_DROP, [table, seconds, PIECE]).fetchone()
            dropped = row[0] if row else 0
            total += dropped
            self.pause(BREATH_S)
        if total:
            about = {"records": total, "older_than_days": math.floor(seconds / DAY_S)}
            logger.info("old records dropped", table=table, **about)
            self._changes.note([note("drop old records", "executed", about, table)])
