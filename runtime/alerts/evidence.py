"""What an alarm is judged by: the value and the limits that its message shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from config import Config
from config.settings import Settings
from runtime.layout import Columns
from runtime.tag import Tag
from runtime.tags import FOREVER, Pump, Station, System


@dataclass(frozen=True)
class Evidence:
    """The tag that is judged; the limits: tags of the same thing, or settings of the program."""

    value: Tag
    limits: tuple[Tag | str, ...] = ()


_TRIP = (Pump.EmergencyStopLevel, Pump.DryRunLevel, Pump.HardMinLevel, Pump.RestartLevel)
EVIDENCE: dict[Tag, Evidence] = {
    System.DatabaseLost: Evidence(System.DatabaseAge),
    System.Fault: Evidence(System.FaultBlock),
    System.ScadaLost: Evidence(System.HeartbeatAge, ("watchdog.scada_timeout",)),
    Station.Failsafe: Evidence(Station.PlanAge, (Station.WatchdogTimeout,)),
    Station.LevelsDiffer: Evidence(Station.LevelSpread, ("well_level.difference",)),
    Pump.LevelTrip: Evidence(Station.Level, _TRIP),
    Pump.AllRun: Evidence(Station.Level, (Pump.AllRunLevel,)),
    Pump.NotFollowing: Evidence(Pump.Speed, (Pump.Setpoint, "supervision.tolerance")),
    Pump.RunsUncommanded: Evidence(Pump.Speed, (Pump.Setpoint,)),
    Pump.NoFlow: Evidence(Pump.Flow, (Pump.HardMaxFlow, "supervision.no_flow")),
    Pump.PowerDeviates: Evidence(Pump.Power, (Pump.ExpectedPower, "supervision.power_tolerance")),
    Pump.Failed: Evidence(Pump.Speed, (Pump.Setpoint,)),
    Pump.FeedbackLost: Evidence(Pump.FeedbackAge, ("feedback.max_age",)),
}


def seen(columns: Columns, config: Config, tag: Tag, slot: int) -> tuple[list[str], list[str]]:
    """The value and the limits of an alarm in words, as far as there are any."""
    evidence = EVIDENCE.get(tag)
    if evidence is None:
        return [], []
    return (
        list(_of_tag(columns, evidence.value, tag, slot)),
        [word for limit in evidence.limits for word in _limit(columns, config, limit, tag, slot)],
    )


def _limit(
    columns: Columns, config: Config, limit: Tag | str, tag: Tag, slot: int
) -> Iterator[str]:
    if isinstance(limit, Tag):
        yield from _of_tag(columns, limit, tag, slot)
        return
    block, _, name = limit.partition(".")
    settings: Settings = getattr(config.program, block)
    written = settings.model_dump(mode="json")[name]
    yield f"{block}.{name} {written}"


def _of_tag(columns: Columns, shown: Tag, tag: Tag, slot: int) -> Iterator[str]:
    """A value with name and unit; nothing if it is not known or stands for never."""
    row = slot
    if shown.table != tag.table:
        row = int(columns[Pump.Station][slot])  # a pump's alarm, judged by its station's value
    value = columns.value(shown, row)
    if not math.isfinite(value) or abs(value) >= FOREVER:
        return
    unit = f" {shown.unit.symbol}" if shown.unit.symbol else ""
    yield f"{shown.name} {value:.4g}{unit}"
