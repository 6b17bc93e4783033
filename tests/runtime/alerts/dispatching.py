"""The dispatch with a plant and a clock that a test moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from runtime.alerts import wording
from runtime.alerts.dispatch import Dispatch
from runtime.alerts.occurrences import Occurrence
from runtime.alerts.outbox import Outbox
from runtime.alerts.wording import Account
from runtime.tag import Tag
from tests.runtime.alerts.plant import EQUIPMENT, configured

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 3, 12, tzinfo=BERLIN).timestamp()  # a Wednesday
ESCALATION = {"0 s": "duty", "5 min": "second", "15 min": ["boss", "duty"]}
PEOPLE: dict[str, Any] = {"duty": {}, "second": {}, "boss": {}}


def describe(found: Occurrence) -> Account:
    return wording.account(found, EQUIPMENT, ([], []))


class Alerts:
    """The dispatch with a plant and a clock that a test moves."""

    def __init__(self, tmp_path: Path, settings: dict[str, Any]) -> None:
        self.settings = configured(tmp_path, {"channels": PEOPLE} | settings).alerts
        self._path = tmp_path / "alerts.db"
        self.outbox = Outbox(self._path)
        self.dispatch = Dispatch(self.outbox, self.settings)
        self.now = NOON
        self.found: dict[tuple[Tag, int], Occurrence] = {}

    def restart(self) -> None:
        """What a kill and a new start leave: the file."""
        self.outbox.close()
        self.outbox = Outbox(self._path)
        self.dispatch = Dispatch(self.outbox, self.settings)

    def alarm(self, tag: Tag, slot: int = 0) -> None:
        assert tag.alarm is not None
        station = None if tag.table == "System" else f"S{slot}"
        pump = slot if tag.table == "Pump" else None
        one = Occurrence(tag, tag.alarm, slot, station, pump, self.now, False, False)
        self.found[tag, slot] = one

    def say(self, tag: Tag, slot: int = 0, **said: bool) -> None:
        self.found[tag, slot] = replace(self.found[tag, slot], **said)  # type: ignore[arg-type]

    def clear(self, tag: Tag, slot: int = 0) -> None:
        del self.found[tag, slot]

    def step(self, seconds: float = 0.0) -> None:
        self.now += seconds
        self.dispatch.step(self.found.values(), describe, self.now)

    def told(self, states: tuple[str, ...] = ("pending", "delivered")) -> list[tuple[str, str]]:
        """Channel and kind of all messages, in order."""
        rows = self.outbox.connection.execute("select * from message order by number")
        return [(row["channel"], row["kind"]) for row in rows if row["state"] in states]

    def deliver(self, channel: str) -> list[str]:
        """Deliver all that is due; the titles."""
        titles = []
        while claim := self.outbox.claim(channel, self.now, 10.0):
            self.outbox.settle(claim, self.now, self.now, None)
            titles.append(claim.title)
        return titles


def escalating(tmp_path: Path, **rule: Any) -> Alerts:
    return Alerts(tmp_path, {"rules": {"one": {"steps": ESCALATION} | rule}})
