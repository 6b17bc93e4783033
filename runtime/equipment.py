"""The equipment (ISA-88/95): the stations and pumps that this runtime controls.

The database process reads it from PostgreSQL, keeps the last good list in the state directory, and
writes its parameters into the inputs. Servers take names and addresses from the same file, so a
start without a database still knows every pump.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from runtime.layout import Columns
from runtime.tag import Area, Table
from runtime.tags import Pump, Station, System

SYSTEM_UNIT = 255
BLOCK = 100  # Modbus addresses of one station or pump, in each of the four spaces


class EquipmentError(Exception):
    """The list can't be read; the message says which and why."""


@dataclass(frozen=True)
class StationEntry:
    """One station. `parameters` holds its parameter tags by name, in the tags' units."""

    slot: int
    station_id: str
    name: str
    timezone: str
    unit: int
    base: int
    active: bool
    parameters: dict[str, float]


@dataclass(frozen=True)
class PumpEntry:
    """One pump. `parameters` holds its parameter tags by name, in the tags' units."""

    slot: int
    pump_id: int
    station_id: str
    name: str
    unit: int
    base: int
    active: bool
    parameters: dict[str, float]


@dataclass(frozen=True)
class Equipment:
    """All stations and pumps. `problems` names the rows of the database that were skipped."""

    version: int = 0
    stations: tuple[StationEntry, ...] = ()
    pumps: tuple[PumpEntry, ...] = ()
    problems: tuple[str, ...] = field(default=())

    def station(self, station_id: str) -> StationEntry | None:
        return next((s for s in self.stations if s.station_id == station_id), None)

    def pump(self, station_id: str, pump_id: int) -> PumpEntry | None:
        return next(
            (p for p in self.pumps if p.pump_id == pump_id and p.station_id == station_id), None
        )

    def pumps_of(self, station_id: str) -> list[PumpEntry]:
        return [pump for pump in self.pumps if pump.station_id == station_id]

    def save(self, path: Path) -> None:
        """Write to `path` as a whole or not at all."""
        partial = path.with_suffix(f".{os.getpid()}")
        with partial.open("w") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)


def load(path: Path) -> Equipment:
    """The equipment last saved; none if nothing was. Raises EquipmentError."""
    try:
        data = orjson.loads(path.read_bytes())
        return Equipment(
            data["version"],
            tuple(StationEntry(**station) for station in data["stations"]),
            tuple(PumpEntry(**pump) for pump in data["pumps"]),
            tuple(data["problems"]),
        )
    except FileNotFoundError:
        return Equipment()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EquipmentError(f"equipment list {path}: not readable ({error!r})") from None


def fill(equipment: Equipment, columns: Columns) -> None:
    """Write and seal all parameters. Rows that the equipment doesn't have become unused."""
    _fill(Station, ((s.slot, s.active, s.parameters) for s in equipment.stations), columns)
    _fill(Pump, ((p.slot, p.active, p.parameters) for p in equipment.pumps), columns)
    slots = {station.station_id: station.slot for station in equipment.stations}
    for pump in equipment.pumps:
        columns[Pump.Station][pump.slot] = slots[pump.station_id]
    columns[System.PlantVersion][0] = equipment.version
    columns.seal()


def _fill(
    table: type[Table], rows: Iterable[tuple[int, bool, dict[str, float]]], columns: Columns
) -> None:
    parameters = [tag for tag in table.tags() if tag.area is Area.PARAMETER]
    for tag in parameters:
        columns[tag].fill(0)
    configured = table.tag("Configured")
    for slot, active, values in rows:
        for name, value in values.items():
            columns[table.tag(name)][slot] = value
        columns[configured][slot] = active
