"""Settings of alerts: whom an alarm is brought to, by which way, and when.

Where a channel leads is a secret, so it is no setting: see `config.channels`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from config.calendar import EVERY_DAY, WHOLE_DAY, Hours, Span, TimeZone, Weekdays
from config.notation import StationNames, Whole
from config.problem import Refused, meant
from config.quantity import Duration
from config.rota import ALL_PRIORITIES, CHANNEL, ChannelName, Priorities, Step, Steps, YesNo
from config.settings import Settings


class Channel(Settings):
    """A way to people or machines: an address of mail, a phone, a webhook."""

    timeout: Annotated[float, Duration("1 s", "60 s")] = Field(
        default=15.0, description="How long an attempt may take until it has failed."
    )

    @model_validator(mode="before")
    @classmethod
    def _keeps_its_secret(cls, written: Any) -> Any:
        if isinstance(written, Mapping) and "url" in written:
            raise Refused("a URL", "none in this file; CALEJO_ALERTS_CHANNELS_<NAME>_URL holds it")
        return {} if written == "" else written


class Rule(Settings):
    """Which alarms are brought to whom. An alarm that stands when the hours begin is, then."""

    priority: Annotated[tuple[int, ...], Priorities()] = Field(
        default=ALL_PRIORITIES, description="Alarms of these priorities, 1 critical to 4 low."
    )
    stations: Annotated[tuple[str, ...], StationNames()] = Field(
        default=(),
        description="Alarms of these stations and their pumps; only `all` holds those of the "
        "system too.",
    )
    days: Annotated[tuple[int, ...], Weekdays()] = Field(
        default=EVERY_DAY,
        description="On these days. Hours past midnight belong to the day before.",
    )
    hours: Annotated[Span, Hours()] = Field(
        default=WHOLE_DAY, description="At these hours; they may go past midnight."
    )
    steps: Annotated[tuple[Step, ...], Steps()] = Field(
        description="Channels told at once, or by the time after which an alarm that is neither "
        "acknowledged nor cleared is brought to them too. Unsafe when nobody is told at 0 s."
    )
    cleared: Annotated[bool, YesNo()] = Field(
        default=True, description="Whether those who were told of an alarm are told of its end."
    )


class Flood(Settings):
    """When so many alarms come that people get a digest. Alarms of priority 1 come at once."""

    begins: Annotated[int, Whole(1, 10_000)] = Field(
        default=10, description="A flood begins when more alarms than this came within `window`."
    )
    ends: Annotated[int, Whole(1, 10_000)] = Field(
        default=5, description="It ends when fewer than this came within `window`."
    )
    window: Annotated[float, Duration("10 s", "1 d")] = Field(
        default=600.0, description="The time in which alarms are counted."
    )
    digest: Annotated[float, Duration("1 s", "1 d")] = Field(
        default=300.0,
        description="Least time between two digests to one channel. The first comes 10 s after "
        "the flood began, or after this time if it is shorter.",
    )

    @model_validator(mode="after")
    def _ends_below_its_beginning(self) -> Flood:
        if self.ends > self.begins:
            raise Refused(f"ends {self.ends}, begins {self.begins}", "ends of at most begins")
        return self


class Heartbeat(Settings):
    """A message that says that all works; whoever gets none (a dead man's switch) raises it."""

    channel: Annotated[str | None, ChannelName()] = Field(
        default=None, description="The channel that it goes to; none: there is no heartbeat."
    )
    every: Annotated[float, Duration("10 s", "1 d")] = Field(default=60.0, description="How often.")


class Alerts(Settings):
    """Alarms as mail, SMS and webhooks."""

    channels: dict[str, Channel] = Field(
        default={},
        description="Channels by name. The Apprise URL of `duty` stands in the variable "
        "CALEJO_ALERTS_CHANNELS_DUTY_URL, or in the file that …_URL_FILE names.",
    )
    rules: dict[str, Rule] = Field(
        default={},
        description="Rules by name; each that fits an alarm counts. Without any, every alarm goes "
        "to every channel at once.",
    )
    timezone: Annotated[ZoneInfo | None, TimeZone()] = Field(
        default=None, description="Time zone of days and hours, and of the times in messages."
    )
    flood: Flood = Flood()
    heartbeat: Heartbeat = Heartbeat()

    @model_validator(mode="after")
    def _speaks_of_channels_that_are_there(self) -> Alerts:
        for name in (*self.channels, *self.rules):
            if not re.fullmatch(CHANNEL, name):
                raise Refused(f"the name {name!r}", "names of a-z, 0-9 and -, such as 'duty-sms'")
        for name, where in self._named():
            if name not in self.channels:
                known = ", ".join(self.channels) or "none: there is no channel"
                raise Refused(f"channel {name!r} in {where}", known + meant(name, self.channels))
        timed = (n for n, r in self.rules.items() if (r.days, r.hours) != (EVERY_DAY, WHOLE_DAY))
        if self.timezone is None and (rule := next(timed, None)):
            raise Refused(f"days or hours in rule {rule!r} without a timezone", "timezone as well")
        return self

    def _named(self) -> Iterator[tuple[str, str]]:
        """Every name of a channel with the place where it is used."""
        for rule, settings in self.rules.items():
            for step in settings.steps:
                yield from ((name, f"rule {rule!r}") for name in step.channels)
        if self.heartbeat.channel is not None:
            yield self.heartbeat.channel, "heartbeat"
