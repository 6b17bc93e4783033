"""All alarms with their companion tags, in the order in which they are evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.alarm import Alarm
from runtime.tag import Table, Tag
from runtime.tags.pump import Pump
from runtime.tags.station import Station
from runtime.tags.system import System


@dataclass(frozen=True)
class DeclaredAlarm:
    """One row of the alarm list, for all rows of its table."""

    table: type[Table]
    tag: Tag
    alarm: Alarm

    @property
    def since(self) -> Tag:
        return self.table.tag(self.tag.since)

    @property
    def state(self) -> Tag:
        return self.table.tag(self.tag.state)

    @property
    def shelved_until(self) -> Tag:
        return self.table.tag(self.tag.shelved_until)

    @property
    def timer(self) -> Tag | None:
        """What times its delays; None if it has none."""
        delayed = self.alarm.on_delay or self.alarm.off_delay
        return self.table.tag(self.tag.timer) if delayed else None

    @property
    def unless(self) -> Tag | None:
        """The flag of the same row that keeps it from being announced."""
        return self.table.tag(self.alarm.unless) if self.alarm.unless else None

    @property
    def caused_by(self) -> Tag | None:
        """The alarm of which this one is a consequence."""
        owner, _, name = self.alarm.caused_by.rpartition(".")
        table = System if owner == "System" else self.table
        return table.tag(name) if name else None


ALARMS: tuple[DeclaredAlarm, ...] = tuple(
    DeclaredAlarm(table, tag, tag.alarm)
    for table in (System, Station, Pump)
    for tag in table.tags()
    if tag.alarm is not None
)
ALARM_OF_STATE: dict[Tag, DeclaredAlarm] = {alarm.state: alarm for alarm in ALARMS}
