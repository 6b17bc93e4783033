"""What one scan left: the values that effects are read from."""

from __future__ import annotations

from typing import Any, TypeAlias

from runtime.layout import Columns
from runtime.tag import Tag
from runtime.tags import SHOWN, Pump, System
from tools.cause_and_effect.small_station import FIRST, SECOND

Flag: TypeAlias = tuple[Tag, int]
"""A boolean tag and its row."""

ALARMS = tuple(tag for table in SHOWN for tag in table.tags() if tag.alarm)
LATCHES = tuple(
    tag
    for table in SHOWN
    for tag in table.tags()
    if tag.is_bool and tag.retained and tag is not Pump.LevelRun  # that follows the setpoint, too
)
NAMES = (
    *(Pump.DefaultSetpoint, Pump.LowLimit, Pump.HighLimit),
    *(Pump.HardMinSpeed, Pump.HardMaxSpeed),
)
"""What any setpoint may have become, in the order in which its name is looked for."""
ASKED = {"Plan": Pump.TargetSpeed, "Manual": Pump.ManualSetpoint}
"""What an authority asks for."""


class Snapshot:
    """Of the first pump, unless a name says otherwise."""

    def __init__(self, columns: Columns) -> None:
        def value(tag: Tag, slot: int = FIRST) -> Any:
            return columns[tag].item(slot)

        self.setpoint = float(value(Pump.Setpoint))
        self.second = float(value(Pump.Setpoint, SECOND))
        self.step = float(value(Pump.MaxSpeedChange) * value(System.Elapsed))
        self.low = float(value(Pump.LowLimit))
        self.authority = (Pump.Authority.states or {})[value(Pump.Authority)]
        self.guarded = words(Pump.Guarded, value(Pump.Guarded))
        self.second_guarded = words(Pump.Guarded, value(Pump.Guarded, SECOND))
        self.limited = words(Pump.Limited, value(Pump.Limited))
        asked = ASKED.get(self.authority)
        named = (*NAMES, asked) if asked else NAMES
        self.names = {tag: float(value(tag)) for tag in named}
        self.alarms = frozenset(_set(columns, ALARMS))
        self.latches = frozenset(_set(columns, LATCHES))


def words(tag: Tag, bits: int) -> frozenset[str]:
    """The names of the flags that are set in a bit mask."""
    return frozenset(word for bit, word in (tag.flags or {}).items() if bits >> bit & 1)


def called(flags: frozenset[Flag]) -> list[str]:
    """The names of flags; those of the second pump and of other tables say whose they are."""
    return sorted({_called(flag, flags) for flag in flags})


def _called(flag: Flag, flags: frozenset[Flag]) -> str:
    tag, slot = flag
    if tag.table != "Pump":
        return repr(tag)
    if {(tag, FIRST), (tag, SECOND)} <= flags:
        return f"{tag.name} of both"
    return tag.name if slot == FIRST else f"{tag.name} of the other"


def _set(columns: Columns, tags: tuple[Tag, ...]) -> list[Flag]:
    return [
        (tag, slot) for tag in tags for slot in range(len(columns[tag])) if columns[tag].item(slot)
    ]
