"""The list of all tags, for the people who connect a SCADA system: CSV, Markdown or JSON.

One row for each view of a value. A tag that Modbus does not show stands there too, for its OPC UA
node. Addresses count from 0, as in a request; `reference` is the same place counted from 1, with
the digit of its space in front, as many SCADA systems want it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TextIO

from runtime.equipment import SYSTEM_UNIT, Equipment
from runtime.registers import TOKEN, TOKEN_WORDS, Point, View, counts, points
from runtime.tag import Space, Table, Tag
from runtime.tags import Pump, Station, System, shown

_DIGIT = {Space.COIL: 0, Space.DISCRETE: 1, Space.INPUT: 3, Space.HOLDING: 4}


@dataclass(frozen=True)
class Row:
    """One view of one tag of the system, a station or a pump."""

    station: str
    pump: str
    tag: str
    node: str  # OPC UA node id: a string in the namespace of the server
    unit_id: int | None
    space: str
    address: int | None
    registers: int | None
    reference: str
    type: str
    scale: float | None  # value = what is read × scale
    unit: str
    low: float | None
    high: float | None
    access: str
    values: str  # of an enumeration or a bit mask
    description: str


@dataclass(frozen=True)
class _Owner:
    """What has a row in a table: its names and its Modbus block."""

    table: type[Table]
    station: str
    pump: str
    unit: int
    base: int

    @property
    def path(self) -> str:
        return "/".join(filter(None, (self.station, self.pump))) or "System"


def rows(equipment: Equipment) -> Iterator[Row]:
    """The system, then each station with its pumps; what is retired is left out."""
    system = _Owner(System, "", "", SYSTEM_UNIT, 0)
    yield from _of(system)
    yield _token()
    for station in equipment.stations:
        if station.active:
            yield from _of(_Owner(Station, station.station_id, "", station.unit, station.base))
        for pump in equipment.pumps_of(station.station_id):
            if pump.active:
                name = str(pump.pump_id)
                yield from _of(_Owner(Pump, station.station_id, name, pump.unit, pump.base))


def _of(owner: _Owner) -> Iterator[Row]:
    for tag in shown(owner.table):
        if tag.register is None:
            yield _row(owner, tag, None)
        for point in points(owner.table, tag.space):
            if point.tag is tag:
                yield _row(owner, tag, point)


def _row(owner: _Owner, tag: Tag, point: Point | None) -> Row:
    address = None if point is None else owner.base + point.offset
    ranged = tag.low < tag.high and not tag.is_bool
    return Row(
        station=owner.station,
        pump=owner.pump,
        tag=tag.name,
        node=f"{owner.path}/{tag.name}",
        unit_id=None if point is None else owner.unit,
        space="" if point is None else tag.space.value,
        address=address,
        registers=None if point is None else point.width,
        reference="" if address is None else _reference(tag.space, address),
        type="" if point is None else point.view.value,
        scale=1 / counts(tag) if point is not None and point.view is View.SCALED else None,
        unit=tag.unit.symbol,
        low=tag.low if ranged else None,
        high=tag.high if ranged else None,
        access=tag.access.value,
        values=_values(tag.states) or _values(tag.flags),
        description=tag.doc,
    )


def _token() -> Row:
    """The one thing on Modbus that is no tag."""
    return Row(
        station="",
        pump="",
        tag="Token",
        node="",
        unit_id=SYSTEM_UNIT,
        space=Space.HOLDING.value,
        address=TOKEN,
        registers=TOKEN_WORDS,
        reference=_reference(Space.HOLDING, TOKEN),
        type="16 octets",
        scale=None,
        unit="",
        low=None,
        high=None,
        access="w",
        values="",
        description="The access token: written in one request, it lets this connection write.",
    )


def _reference(space: Space, address: int) -> str:
    return f"{_DIGIT[space]}{address + 1:05}"


def _values(names: Mapping[int, str] | None) -> str:
    return "; ".join(f"{value} = {name}" for value, name in (names or {}).items())


def _csv(equipment: Equipment, stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(field.name for field in fields(Row))
    for row in rows(equipment):
        writer.writerow("" if value is None else value for value in asdict(row).values())


def _json(equipment: Equipment, stream: TextIO) -> None:
    listed = [asdict(row) for row in rows(equipment)]
    json.dump({"version": equipment.version, "tags": listed}, stream, indent=1, ensure_ascii=False)
    stream.write("\n")


def _markdown(equipment: Equipment, stream: TextIO) -> None:
    names = [field.name for field in fields(Row)]
    stream.write(f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n")
    for row in rows(equipment):
        cells = ("" if value is None else str(value) for value in asdict(row).values())
        stream.write(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")


FORMATS: dict[str, Callable[[Equipment, TextIO], None]] = {
    "csv": _csv,
    "markdown": _markdown,
    "json": _json,
}


def write(equipment: Equipment, form: str, stream: TextIO) -> None:
    """Write the list in one of FORMATS."""
    FORMATS[form](equipment, stream)


def render(equipment: Equipment, form: str) -> str:
    """The list as text."""
    stream = io.StringIO()
    write(equipment, form, stream)
    return stream.getvalue()
