"""From alarms to messages: who is to be told what, and when.

Everything that follows from one look at the plant is one transaction. The state is in the file;
what is held in memory is a copy of it, read anew after any failure to write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict

import orjson

from config.alerts import Alerts, Rule
from config.rota import Step
from runtime.alerts import memory, wording
from runtime.alerts.announcements import Mark
from runtime.alerts.digests import Digests
from runtime.alerts.memory import Chain, Open
from runtime.alerts.occurrences import SAME, Known, Occurrence, thing
from runtime.alerts.outbox import Order, Outbox
from runtime.alerts.rules import counts, fits
from runtime.alerts.wording import Account, Words

Describe = Callable[[Occurrence], Account]


def message_key(alarm: str, kind: str, channel: str, after: float = 0.0) -> str:
    """The key of a message: the same whenever the same is to be told."""
    text = f"{alarm}|{kind}|{channel}|{after:g}"
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


class Dispatch:
    """Keeps the alarms of the outbox, and wants messages of them."""

    def __init__(self, outbox: Outbox, settings: Alerts) -> None:
        self._outbox = outbox
        self._settings = settings
        self._rules = settings.rules or _default(settings)
        self._digests = Digests(outbox, settings)
        self._open: dict[str, Open] = {}
        self.mark: Mark | None = None
        """How far the edges of the scan have been followed."""
        self.load()

    @property
    def known(self) -> Known:
        """Since when each thing in alarm is, and is in the image."""
        return {
            thing(one.told.tag, one.told.station, one.told.pump): (one.told.since, one.shown)
            for one in self._open.values()
        }

    @property
    def standing(self) -> int:
        """How many alarms are not over."""
        return len(self._open)

    @property
    def flood(self) -> bool:
        return self._digests.flood

    def load(self) -> None:
        """Read what is in the file: at the start, and when writing to it has failed."""
        self._open = memory.open_alarms(self._outbox.connection)
        self.mark = memory.followed(self._outbox.connection)
        self._digests.load()

    def step(
        self,
        found: Iterable[Occurrence],
        describe: Describe,
        now: float,
        passed: Iterable[Occurrence] = (),
        mark: Mark | None = None,
    ) -> None:
        """Take note of what stands now, and want the messages that are due.

        `passed` is what came and went before this look, `mark` how far that was followed. Raises
        sqlite3.Error if the disk doesn't take it; then nothing has happened.
        """
        try:
            with self._outbox.transaction():
                self._look({one.key: one for one in found}, describe, now)
                over = [self._note(one, describe, now) for one in passed if not self._knows(one)]
                self._follow(mark)
                self._digests.judge(now)
                for key, told, ended in over:
                    self._tell_passed(key, told, ended, now)
                for key, one in self._open.items():
                    if not one.acknowledged and not one.silent:
                        self._escalate(key, one, now)
                self._withdraw(now)
                self._digests.send(now)
        except BaseException:
            self.load()
            raise

    def _look(self, found: dict[str, Occurrence], describe: Describe, now: float) -> None:
        connection = self._outbox.connection
        for key in [key for key in self._open if key not in found]:
            connection.execute("update alarm set cleared = ? where key = ?", (now, key))
            self._tell_end(key, self._open.pop(key), now)
        for key, seen in found.items():
            one = self._open.get(key)
            if one is None:
                one = self._open[key] = Open(describe(seen))
                connection.execute(
                    "insert into alarm (key, told, priority, raised) values (?, ?, ?, ?)"
                    " on conflict (key) do update set cleared = null",
                    (key, orjson.dumps(asdict(one.told)).decode(), one.told.priority, now),
                )
                # One that counted as over and was not begins its chains anew.
                connection.execute("delete from chain where alarm = ?", (key,))
            if one.acknowledged != seen.acknowledged:
                at = now if seen.acknowledged else None
                connection.execute("update alarm set acknowledged = ? where key = ?", (at, key))
                one.acknowledged = seen.acknowledged
            one.silent = seen.silent
            if seen.shown and one.shown != seen.shown:
                one.shown = seen.shown
                connection.execute("insert or replace into renewed values (?, ?)", (key, one.shown))

    def _knows(self, passed: Occurrence) -> bool:
        """Whether there was such an occurrence, or one that began at nearly the same time."""
        start = f"{passed.thing}/"
        rows = self._outbox.connection.execute(
            "select key from alarm where key > ? and key < ?", (start, f"{passed.thing}0")
        )
        began = (row["key"].removeprefix(start) for row in rows)
        return any(abs(float(at) - passed.since) <= SAME for at in began if "/" not in at)

    def _note(
        self, passed: Occurrence, describe: Describe, now: float
    ) -> tuple[str, Account, float]:
        told = describe(passed)
        self._outbox.connection.execute(
            "insert into alarm (key, told, priority, raised, cleared) values (?, ?, ?, ?, ?)",
            (passed.key, orjson.dumps(asdict(told)).decode(), told.priority, now, now),
        )
        return passed.key, told, passed.ended or now

    def _follow(self, mark: Mark | None) -> None:
        if mark is not None and mark != self.mark:
            memory.follow(self._outbox.connection, mark)
            self.mark = mark

    def _tell_passed(self, key: str, told: Account, ended: float, now: float) -> None:
        """Tell once of an alarm that is over, those who would have been told of it at once."""
        zone = self._settings.timezone
        for rule in self._rules.values():
            for step in rule.steps:
                if not step.after and fits(rule, told) and counts(rule, now, zone):
                    words = wording.passed(told, zone, ended)
                    self._tell(key, told, "raised", step.channels, words, now)

    def _escalate(self, key: str, one: Open, now: float) -> None:
        """Begin the chains of the rules that count now, and take the steps that are due."""
        connection = self._outbox.connection
        zone = self._settings.timezone
        for name, rule in self._rules.items():
            chain = one.chains.get(name)
            if chain is None:
                if not (fits(rule, one.told) and counts(rule, now, zone)):
                    continue
                chain = one.chains[name] = Chain(now)
                connection.execute(
                    "insert into chain (alarm, rule, began) values (?, ?, ?)", (key, name, now)
                )
            while chain.step < len(rule.steps) and self._is_due(chain, rule, now):
                step = rule.steps[chain.step]
                chain.step += 1
                connection.execute(
                    "update chain set step = ? where alarm = ? and rule = ?",
                    (chain.step, key, name),
                )
                words = wording.raised(one.told, zone, step.after)
                self._tell(key, one.told, "raised", step.channels, words, now, step.after)

    def _is_due(self, chain: Chain, rule: Rule, now: float) -> bool:
        """A clock that was set back makes a chain begin in the future: that counts as now."""
        return now - chain.began >= rule.steps[chain.step].after or chain.began > now

    def _tell(
        self,
        key: str,
        told: Account,
        kind: str,
        channels: Collection[str],
        words: Words,
        now: float,
        after: float = 0.0,
    ) -> None:
        for channel in channels:
            gathered = self.flood and told.priority > 1
            if kind == "cleared":
                gathered = gathered or self._digests.told(key, channel)
            identity = message_key(key, kind, channel, after)
            order = Order(identity, channel, kind, told.priority, words, key, after > 0.0)
            self._outbox.add(order, now, gathered=gathered)

    def _tell_end(self, key: str, one: Open, now: float) -> None:
        """Tell those who were told of an alarm that it is over, where their rule wants it."""
        wanted = {
            channel
            for name in one.chains
            if name in self._rules and self._rules[name].cleared
            for step in self._rules[name].steps
            for channel in step.channels
        }
        told = self._outbox.connection.execute(
            "select distinct channel from message where alarm = ? and kind = 'raised'"
            " and (state in ('delivered', 'digested') or state = 'pending' and not escalation)",
            (key,),
        )
        channels = sorted(wanted & {row["channel"] for row in told})
        words = wording.cleared(one.told, self._settings.timezone, now)
        self._tell(key, one.told, "cleared", channels, words, now)

    def _withdraw(self, now: float) -> None:
        """Escalation stops at acknowledgement, and at the end of the alarm."""
        needless = self._outbox.connection.execute(
            "select distinct alarm.key from message join alarm on alarm.key = message.alarm"
            " where message.ended is null and escalation"
            " and (cleared is not null or acknowledged is not null)"
        )
        for row in needless.fetchall():
            self._outbox.withdraw(row["key"], now)


def _default(settings: Alerts) -> dict[str, Rule]:
    """Without rules every alarm goes to every channel at once, but for that of the heartbeat."""
    channels = tuple(name for name in settings.channels if name != settings.heartbeat.channel)
    return {"all": Rule(steps=(Step(0.0, channels),))} if channels else {}
