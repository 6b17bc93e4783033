"""Which alarms a rule is for, and when it counts."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from config.alerts import Rule
from config.calendar import local
from runtime.alerts.wording import Account


def fits(rule: Rule, told: Account) -> bool:
    """Whether a rule is for an alarm. Alarms of the system are of no station."""
    return told.priority in rule.priority and (not rule.stations or told.station in rule.stations)


def counts(rule: Rule, now: float, zone: ZoneInfo | None) -> bool:
    """Whether a rule counts at a time (UTC in s)."""
    return rule.hours.day_of(local(now, zone)) in rule.days
