"""The rows of the list: one for each view of a value.

A tag that Modbus does not show stands there too, for its OPC UA node. Addresses count from 0, as in
a request; `reference` is the same place counted from 1, with the digit of its space in front, as
many SCADA systems want it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache

from runtime.equipment import SYSTEM_UNIT, Equipment
from runtime.registers import TOKEN, TOKEN_WORDS, Point, View, counts, points
from runtime.tag import Space, Table, Tag
from runtime.tags import Pump, Station, System, shown

NAMESPACE = 2  # index of the namespace of the OPC UA server
SYSTEM = System.__name__
HIGH_FIRST = "high_first"
DIGITS = {Space.COIL: 0, Space.DISCRETE: 1, Space.INPUT: 3, Space.HOLDING: 4}
DATA_TYPES = {
    "?": "Boolean",
    "u1": "Byte",
    "u2": "UInt16",
    "u4": "UInt32",
    "u8": "UInt64",
    "i8": "Int64",
    "f8": "Double",
}


class UnknownEquipmentError(Exception):
    """A station or pump was chosen that there is not; the message says which there are."""


class Protocol(Enum):
    """By which a value is read."""

    MODBUS = "modbus"
    OPCUA = "opcua"


@dataclass(frozen=True)
class Row:
    """One view of one tag of the system, a station or a pump."""

    station: str
    pump: str
    tag: str
    node: str  # OPC UA node id
    data_type: str  # of the node
    unit_id: int | None
    space: str
    address: int | None
    registers: int | None
    reference: str
    type: str  # of the registers
    word_order: str  # of two registers
    scale: float | None  # value = what is read × scale
    unit: str
    low: float | None
    high: float | None
    access: str
    values: str  # of an enumeration or a bit mask
    description: str

    @property
    def owner(self) -> str:
        return path(self.station, self.pump)


@dataclass(frozen=True)
class Selection:
    """What of the list is wanted: empty means all."""

    stations: tuple[str, ...] = ()
    pumps: tuple[int, ...] = ()
    protocol: Protocol | None = None


EVERYTHING = Selection()


@dataclass(frozen=True)
class Owner:
    """What has a row in a table: its names and its Modbus block."""

    table: type[Table]
    station: str
    pump: str
    unit: int
    base: int

    @property
    def path(self) -> str:
        return path(self.station, self.pump)


def path(station: str, pump: str) -> str:
    """The OPC UA path of a pump, a station or the system."""
    return "/".join(filter(None, (station, pump))) or SYSTEM


def rows(
    equipment: Equipment, selection: Selection = EVERYTHING, word_order: str = HIGH_FIRST
) -> Iterator[Row]:
    """The system, then each station with its pumps; what is retired is left out.

    Raises UnknownEquipmentError at once.
    """
    _require(equipment, selection)
    return _rows(equipment, selection, word_order)


def _rows(equipment: Equipment, selection: Selection, word_order: str) -> Iterator[Row]:
    for owner in owners(equipment, selection):
        for row in rows_of(owner, word_order):
            match selection.protocol:
                case Protocol.MODBUS if not row.space:
                    continue
                case Protocol.OPCUA if not row.node or row.type == View.SCALED.value:
                    continue
                case Protocol.OPCUA:
                    yield _node_only(row)
                case _:
                    yield row


def _node_only(row: Row) -> Row:
    return replace(
        row,
        unit_id=None,
        space="",
        address=None,
        registers=None,
        reference="",
        type="",
        word_order="",
        scale=None,
    )


def _require(equipment: Equipment, selection: Selection) -> None:
    """Refuse what was mistyped: a list that is silently empty helps nobody."""
    stations = [SYSTEM, *(s.station_id for s in equipment.stations if s.active)]
    pumps = [p.pump_id for p in equipment.pumps if p.active]
    for kind, wanted, known in (
        ("station", selection.stations, stations),
        ("pump", selection.pumps, pumps),
    ):
        for one in wanted:
            if one not in known:
                allowed = ", ".join(map(str, known[:20])) + (", …" if len(known) > 20 else "")
                raise UnknownEquipmentError(
                    f"--{kind}: found {one!r}, allowed {allowed or 'none: no pump is in use'}"
                )


def owners(equipment: Equipment, selection: Selection = EVERYTHING) -> Iterator[Owner]:
    """The system, stations and pumps in use."""
    pumps = {p.pump_id: p for p in equipment.pumps if p.active}
    of_station: dict[str, list[int]] = {}
    for pump in pumps.values():
        if not selection.pumps or pump.pump_id in selection.pumps:
            of_station.setdefault(pump.station_id, []).append(pump.pump_id)
    if SYSTEM in selection.stations or not (selection.stations or selection.pumps):
        yield Owner(System, "", "", SYSTEM_UNIT, 0)
    for station in equipment.stations:
        name = station.station_id
        if selection.stations and name not in selection.stations:
            continue
        if station.active and not selection.pumps:
            yield Owner(Station, name, "", station.unit, station.base)
        for pump in (pumps[number] for number in of_station.get(name, ())):
            yield Owner(Pump, name, str(pump.pump_id), pump.unit, pump.base)


def rows_of(owner: Owner, word_order: str = HIGH_FIRST) -> Iterator[Row]:
    """All views of all values of one thing."""
    for tag in shown(owner.table):
        if tag.register is None:
            yield _row(owner, tag, None, "")
        for point in points(owner.table, tag.space):
            if point.tag is tag:
                yield _row(owner, tag, point, word_order if point.width == 2 else "")
    if owner.table is System:
        yield _token()


def _row(owner: Owner, tag: Tag, point: Point | None, word_order: str) -> Row:
    address = None if point is None else owner.base + point.offset
    ranged = tag.low < tag.high and not tag.is_bool
    return Row(
        station=owner.station,
        pump=owner.pump,
        tag=tag.name,
        node=f"ns={NAMESPACE};s={owner.path}/{tag.name}",
        data_type=DATA_TYPES[tag.dtype],
        unit_id=None if point is None else owner.unit,
        space="" if point is None else tag.space.value,
        address=address,
        registers=None if point is None else point.width,
        reference="" if address is None else reference(tag.space, address),
        type="" if point is None else point.view.value,
        word_order=word_order,
        scale=1 / counts(tag) if point is not None and point.view is View.SCALED else None,
        unit=tag.unit.symbol,
        low=tag.low if ranged else None,
        high=tag.high if ranged else None,
        access=tag.access.value,
        values=_meanings(tag),
        description=tag.doc,
    )


def _token() -> Row:
    """The one thing on Modbus that is no tag."""
    return Row(
        *("", "", "Token", "", ""),
        unit_id=SYSTEM_UNIT,
        space=Space.HOLDING.value,
        address=TOKEN,
        registers=TOKEN_WORDS,
        reference=reference(Space.HOLDING, TOKEN),
        type="16 octets",
        word_order="",
        scale=None,
        unit="",
        low=None,
        high=None,
        access="w",
        values="",
        description="The access token: written in one request, it lets this connection write.",
    )


def reference(space: Space, address: int) -> str:
    """An address counted from 1, with the digit of its space: 400101 is holding register 100."""
    return f"{DIGITS[space]}{address + 1:05}"


@cache
def _meanings(tag: Tag) -> str:
    names = tag.states or tag.flags or {}
    return "; ".join(f"{value} = {name}" for value, name in names.items())
