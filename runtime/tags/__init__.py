"""Every value of the system, declared once.

From here come the memory layout, the Modbus map, the OPC UA address space, the REST schema, the
metrics, the reference page and the list that SCADA engineers import (`calejo tags`). Adding a value
is one declaration here plus the block that writes it. Register offsets are part of a declaration
and are never changed or used again; new tags take new ones.

Times are seconds on the scan clock (CLOCK_MONOTONIC of this machine) unless a name says UTC.
"""

from __future__ import annotations

from runtime.tag import Access, Table, Tag
from runtime.tags.alarms import ALARM_OF_STATE, ALARMS, DeclaredAlarm
from runtime.tags.annunciation import ANNUNCIATIONS_KEPT, Annunciation
from runtime.tags.kinds import FOREVER
from runtime.tags.pump import Pump
from runtime.tags.requests import Request
from runtime.tags.starts import STARTS_KEPT, Start
from runtime.tags.station import Station
from runtime.tags.statistics import Block, Bucket
from runtime.tags.system import System

__all__ = [
    "ALARMS",
    "ALARM_OF_STATE",
    "ANNUNCIATIONS_KEPT",
    "FOREVER",
    "NUMBER",
    "SHOWN",
    "STARTS_KEPT",
    "TABLES",
    "TAGS",
    "Annunciation",
    "Block",
    "Bucket",
    "DeclaredAlarm",
    "Pump",
    "Request",
    "Start",
    "Station",
    "System",
    "shown",
]

TABLES: tuple[type[Table], ...] = (
    *(System, Station, Pump),
    *(Start, Annunciation, Request),
    *(Bucket, Block),
)
SHOWN: tuple[type[Table], ...] = (System, Station, Pump)
TAGS: tuple[Tag, ...] = tuple(tag for table in TABLES for tag in table.tags())
NUMBER: dict[Tag, int] = {tag: number for number, tag in enumerate(TAGS)}


def shown(table: type[Table]) -> list[Tag]:
    """The tags of a table that the outside may see, in the order of their declaration."""
    return [tag for tag in table.tags() if tag.access is not Access.INTERNAL]
