"""Spools filled by hand, and what uploading makes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg

from runtime.database import uploads
from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.places import Places
from runtime.requests import Role, Source
from runtime.servers.mirror import Asker, request_record
from runtime.spool import Journal, Kind
from runtime.tag import Tag
from tests.conftest import Database

PLANT = Equipment(
    1,
    (StationEntry(1, "North", "North", "UTC", 2, 0, True, {}),),
    (PumpEntry(4, 11, "North", "P1", 2, 100, True, {}),),
)
ANNA = Asker(Source.REST, Role.OPERATOR, "anna", "smoke in the pump hall", "10.0.0.7")
Row = dict[str, Any]
Connection = psycopg.Connection[Row]


class Spool:
    """A process that records, by hand."""

    def __init__(self, places: Places, name: str) -> None:
        self._journal = Journal(places.spool / f"{name}.db")
        self._seq = 0

    def append(self, kind: Kind, **record: object) -> None:
        self._journal.append(kind, record).result(20.0)

    def edge(self, tag: Tag, slot: int, old: float, new: float, **more: object) -> None:
        self._seq += 1
        numbers = {"seq": self._seq, "scan": 100 + self._seq, "utc": 1e9 + self._seq}
        edge = {"tag": repr(tag), "slot": slot, "old": old, "new": new}
        self.append(Kind.SAFETY, **(numbers | edge | more))

    def request(self, identity: int, tag: Tag, slot: int, value: float, **answer: object) -> Row:
        """A request by Anna, and its answer if there is one."""
        reference = int(str(answer.pop("reference", 0)))
        record = request_record(identity, tag, slot, value, ANNA, reference)
        self.append(Kind.REQUEST, **record)
        if answer:
            self.append(Kind.ANSWER, **(record | {"answered_at": time.time()} | answer))
        return record

    def close(self) -> None:
        self._journal.close()


Make = Callable[[str], Spool]


def drain(database: Database, places: Places, equipment: Equipment = PLANT) -> int:
    """Upload all that can be; how many records."""
    total = 0
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        while count := uploads.drain(connection, places, equipment).records:
            total += count
    return total


def rows(connection: psycopg.Connection[Row], table: str) -> list[Row]:
    statement = psycopg.sql.SQL("SELECT * FROM {} ORDER BY 1").format(psycopg.sql.Identifier(table))
    return connection.execute(statement).fetchall()
