"""What the outbox knows of the alarms that are not over."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

import orjson

from runtime.alerts.announcements import Mark
from runtime.alerts.wording import Account


@dataclass
class Chain:
    """A rule at work on an alarm: since when, and which of its steps is next."""

    began: float
    step: int = 0


@dataclass
class Open:
    """An alarm that is not over."""

    told: Account
    acknowledged: bool = False
    silent: bool = False
    shown: float = 0.0  # since when the image says so, if a cold start made it forget
    chains: dict[str, Chain] = field(default_factory=dict)


def open_alarms(connection: sqlite3.Connection) -> dict[str, Open]:
    """The alarms that are not over, by their keys."""
    found: dict[str, Open] = {}
    for row in connection.execute("select * from alarm where cleared is null"):
        told = Account(**orjson.loads(row["told"]))
        found[row["key"]] = Open(told, acknowledged=row["acknowledged"] is not None)
    for row in connection.execute("select * from chain"):
        if row["alarm"] in found:
            found[row["alarm"]].chains[row["rule"]] = Chain(row["began"], row["step"])
    for row in connection.execute("select * from renewed"):
        if row["alarm"] in found:
            found[row["alarm"]].shown = row["since"]
    return found


def followed(connection: sqlite3.Connection) -> Mark | None:
    """How far the edges of the scan have been followed."""
    row = connection.execute("select ring, position from followed").fetchone()
    return Mark(*row) if row else None


def follow(connection: sqlite3.Connection, mark: Mark) -> None:
    """Write down how far the edges of the scan have been followed."""
    connection.execute("delete from followed")
    connection.execute("insert into followed values (?, ?)", mark)
