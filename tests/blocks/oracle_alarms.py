"""The oracle on alarms: what is active, what is announced, and who wants it otherwise."""

from __future__ import annotations

from types import SimpleNamespace as Row

from runtime.alarm import WORDS
from runtime.tags import ALARMS, DeclaredAlarm, System
from tests.blocks.oracle_numbers import counted

NUMBERS = {word: number for number, word in WORDS.items()}
HIDDEN = ("shelved", "out of service")
SETTLING = 300.0


class Alarms:
    """The alarms of a plant, with a memory of when each of the latest was announced."""

    def __init__(self) -> None:
        self.announced: list[float] = []

    def evaluate(self, system: Row, stations: list[Row], pumps: list[Row]) -> None:
        system.MemoryAge = min(system.MemoryAge + system.Elapsed, SETTLING)
        for row in (system, *stations):
            row.ActiveAlarms = row.UnacknowledgedAlarms = row.ShelvedAlarms = 0
        for alarm in ALARMS:
            if alarm.table is System:
                self._evaluate(alarm, system, system, system)
                continue
            for row in stations if alarm.table.__name__ == "Station" else pumps:
                station = stations[row.Station] if hasattr(row, "Station") else row
                if row.Configured:
                    self._evaluate(alarm, row, station, system)
                else:
                    setattr(row, alarm.since.name, 0.0)
                    if alarm.timer:
                        setattr(row, alarm.timer.name, 0.0)
        for station in stations:
            system.ActiveAlarms += station.ActiveAlarms
            system.UnacknowledgedAlarms += station.UnacknowledgedAlarms
            system.ShelvedAlarms += station.ShelvedAlarms
        recent = sum(system.ControlTime - time < 600.0 for time in self.announced)
        system.AlarmFlood = recent >= 5 if system.AlarmFlood else recent > 10

    def _evaluate(self, alarm: DeclaredAlarm, row: Row, place: Row, system: Row) -> None:
        word = WORDS[getattr(row, alarm.state.name)]
        active = self._is_active(alarm, row, system, word)
        if word == "shelved" and system.ControlTime >= getattr(row, alarm.shelved_until.name):
            word = "normal"
            setattr(row, alarm.shelved_until.name, 0)
        hidden = alarm.unless is not None and getattr(row, alarm.unless.name)
        if alarm.caused_by is not None:
            owner = system if alarm.alarm.caused_by.startswith("System.") else row
            hidden |= getattr(owner, alarm.caused_by.since) != 0.0
        after = moved(word, active, hidden, alarm.alarm.latching)
        if after == "unacknowledged active" != word:
            self.announced.append(system.ControlTime)
            system.Annunciations += 1
        setattr(row, alarm.state.name, NUMBERS[after])
        place.ActiveAlarms += active
        place.UnacknowledgedAlarms += "unacknowledged" in after
        place.ShelvedAlarms += after == "shelved"

    def _is_active(self, alarm: DeclaredAlarm, row: Row, system: Row, word: str) -> bool:
        """Whether it is, after noting since when. What was active before a restart still is."""
        since = getattr(row, alarm.since.name)
        active = delayed(alarm, row, since > 0.0, system.Elapsed)
        setattr(row, alarm.since.name, (since or system.TimeUtc) if active else 0.0)
        restored = word in ("unacknowledged active", "acknowledged active") and not since
        return active or (restored and system.MemoryAge < SETTLING)


def delayed(alarm: DeclaredAlarm, row: Row, active: bool, elapsed: float) -> bool:
    """The condition as the delays let it through."""
    condition: bool = getattr(row, alarm.tag.name)
    if alarm.timer is None:
        return condition
    time = counted(getattr(row, alarm.timer.name), elapsed) if condition != active else 0.0
    passed = time > (alarm.alarm.on_delay if condition else alarm.alarm.off_delay)
    setattr(row, alarm.timer.name, 0.0 if passed else time)
    return condition if passed else active


def moved(word: str, active: bool, hidden: bool, latching: bool) -> str:
    """The state after a look at the condition."""
    if word in HIDDEN:
        return word
    if active and hidden:
        return "suppressed by design" if word == "normal" else word
    if active:
        return word if word == "acknowledged active" else "unacknowledged active"
    if word == "unacknowledged active":
        return "latched unacknowledged" if latching else "unacknowledged cleared"
    if word == "acknowledged active":
        return "latched acknowledged" if latching else "normal"
    return "normal" if word == "suppressed by design" else word


def grant(alarm: DeclaredAlarm, row: Row, wish: int, seconds: int, now: float) -> None:
    """Somebody wants something, and may."""
    word, wanted = WORDS[getattr(row, alarm.state.name)], WORDS[wish]
    if wanted == "acknowledged active":
        acknowledged = {
            "unacknowledged active": "acknowledged active",
            "latched unacknowledged": "latched acknowledged",
            "unacknowledged cleared": "normal",
        }
        wanted = acknowledged[word]
    setattr(row, alarm.state.name, NUMBERS[wanted])
    until = int(now) + seconds if wanted == "shelved" else 0
    setattr(row, alarm.shelved_until.name, until)
