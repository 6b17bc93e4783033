"""Floods: when so many alarms come that nobody could read them, each channel gets digests.

| state | followed by | when                                                  |
|-------|-------------|-------------------------------------------------------|
| calm  | flood       | more than `begins` alarms came within `window`        |
| flood | calm        | fewer than `ends` came within `window`                |

In a flood, messages of alarms of priority 2 to 4 are gathered. A digest takes the place of what a
channel has gathered: the first soon after the flood began, further ones each `digest`, and one for
the rest when the flood ends. What a channel was told in a digest ends in one too, flood or calm.
"""

from __future__ import annotations

import hashlib
import sqlite3
from itertools import groupby

import orjson

from config.alerts import Alerts
from runtime.alerts.digest_words import digest
from runtime.alerts.outbox import Order, Outbox
from runtime.alerts.wording import Account

COLLECT = 10.0  # s in which the first alarms of a flood are gathered

_GATHERED = """
    select message.key, message.channel, message.kind, message.alarm, message.created,
           message.priority, told, cleared
    from message join alarm on alarm.key = message.alarm
    where message.state = 'gathered' and message.ended is null
          and not (message.kind = 'cleared' and cleared is null) -- it is active again
    order by message.channel, message.number
"""
_BEFORE = """
    select key, told from alarm
    where (cleared is null or raised > ?) and exists (
        select 1 from message
        where message.alarm = alarm.key and channel = ? and state in ('pending', 'delivered')
    )
"""
_STANDING = """
    select count(distinct alarm.key) from alarm join message on alarm.key = message.alarm
    where cleared is null and channel = ? and state in ('pending', 'delivered', 'digested')
"""
_TOLD = "select 1 from message where alarm = ? and channel = ? and state = 'digested'"
_LAST = "select max(created) from message where channel = ? and kind = 'digest'"


class Digests:
    """Knows whether there is a flood, and makes the digests of it."""

    def __init__(self, outbox: Outbox, settings: Alerts) -> None:
        self._outbox = outbox
        self._settings = settings
        self.flood = False
        self._over = False  # a flood has ended with the last judgement

    def load(self) -> None:
        """Read from the file whether there is a flood."""
        row = self._outbox.connection.execute("select since from flood").fetchone()
        self.flood = row is not None

    def judge(self, now: float) -> None:
        """Whether there is a flood now; inside a transaction."""
        rules = self._settings.flood
        # Alarms from the future are what a clock that was set back leaves: they count.
        came = self._outbox.connection.execute(
            "select count(*) from alarm where raised > ?", (now - rules.window,)
        ).fetchone()[0]
        self._over = self.flood and came < rules.ends
        if not self.flood and came > rules.begins:
            self._outbox.connection.execute("insert into flood (since) values (?)", (now,))
            self.flood = True
        elif self._over:
            self._outbox.connection.execute("delete from flood")
            self.flood = False

    def told(self, alarm: str, channel: str) -> bool:
        """Whether a channel was told of an alarm in a digest."""
        row = self._outbox.connection.execute(_TOLD, (alarm, channel)).fetchone()
        return row is not None

    def send(self, now: float) -> None:
        """Want the digests that are due; inside a transaction."""
        gathered = self._outbox.connection.execute(_GATHERED).fetchall()
        for channel, rows in groupby(gathered, key=lambda row: str(row["channel"])):
            members = list(rows)
            if self._over or self._is_due(channel, members[0]["created"], now):
                self._digest(channel, members, now)

    def _is_due(self, channel: str, oldest: float, now: float) -> bool:
        pause = self._settings.flood.digest
        last = self._outbox.connection.execute(_LAST, (channel,)).fetchone()[0]
        due = oldest + min(COLLECT, pause)
        if last is not None:
            due = max(due, last + pause)
        return now >= due or due > now + pause + COLLECT

    def _digest(self, channel: str, members: list[sqlite3.Row], now: float) -> None:
        """One message in place of many. An alarm that is raised and cleared is told once."""
        connection = self._outbox.connection
        rows = {row["alarm"]: row for row in sorted(members, key=lambda row: row["kind"])}
        tolds = {key: Account(**orjson.loads(row["told"])) for key, row in rows.items()}
        over = {tolds[k]: float(r["cleared"]) for k, r in rows.items() if r["cleared"] is not None}
        news = [tolds[key] for key, row in rows.items() if row["kind"] == "raised"]
        ended = [tolds[key] for key, row in rows.items() if row["kind"] == "cleared"]
        since = now - self._settings.flood.window
        before = [
            Account(**orjson.loads(row["told"]))
            for row in connection.execute(_BEFORE, (since, channel))
            if row["key"] not in tolds
        ]
        (standing,) = connection.execute(_STANDING, (channel,)).fetchone()
        words = digest(news, ended, over, before, standing, self._settings.timezone)
        keys = [str(row["key"]) for row in members]
        key = hashlib.blake2b("|".join(keys).encode(), digest_size=6).hexdigest()
        priority = min(int(row["priority"]) for row in members)
        self._outbox.digest(Order(key, channel, "digest", priority, words), keys, now)
