"""The Modbus map, derived from tags and equipment.

The system (units 255 and 0), each station and each pump has a block of 100 addresses in each of the
four address spaces, at a unit and base of its own. Inside a block, a value that is no bit shows
twice:

    base + register              32 bits, high word first: float32, or uint32 for whole numbers
    base + 60 + register / 2     16 bits, signed, one count being the tag's `step`

The 16-bit view saturates at ±32767; -32768 (8000 hex) says that there is no value, as NaN does in
the 32-bit view. A whole number shows its low 32 bits. Addresses of a block at which nothing lies
read 0.

In the holding registers of the system, `TOKEN` takes the access token and reads 0.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from runtime.equipment import SYSTEM_UNIT, Equipment
from runtime.tag import Space, Table, Tag
from runtime.tags import SHOWN, Pump, Station, System, shown

SYSTEM_UNITS = (SYSTEM_UNIT, 0)  # 255 is what the standard recommends, 0 what some masters send
SCALED = 60
TOKEN = 90
TOKEN_WORDS = 8
COUNTS = 32767
NO_COUNT = -32768


class View(Enum):
    """How a value shows: its type as SCADA systems name it."""

    BIT = "bool"
    FLOAT = "float32"
    WHOLE = "uint32"
    SCALED = "int16"


_FORMATS = {View.FLOAT: ">f", View.WHOLE: ">I", View.SCALED: ">h"}


@dataclass(frozen=True)
class Point:
    """One view of a tag: where in the block it lies and how many addresses it takes."""

    tag: Tag
    view: View
    offset: int

    @property
    def width(self) -> int:
        return 2 if self.view in (View.FLOAT, View.WHOLE) else 1

    def value(self, data: bytes) -> float:
        """What `data`, the registers of this point, says; NaN if that there is no value.

        A float32 says the shortest decimal number that it stands for: 49.9, which may be a limit,
        and not 49.900001525878906, which would be over it.
        """
        (number,) = struct.unpack(_FORMATS[self.view], data)
        if self.view is View.FLOAT:
            return float(str(np.float32(number)))
        if self.view is View.WHOLE:
            return float(number)
        return math.nan if number == NO_COUNT else number / counts(self.tag)


def counts(tag: Tag) -> float:
    """Counts of the scaled view for one unit of the value.

    Steps are 1, 0.1, 0.01 …: dividing by the whole number gives the decimal fraction exactly
    rounded, which multiplying by the step does not.
    """
    return float(round(1 / tag.step))


def _points(table: type[Table], space: Space) -> Iterator[Point]:
    for tag in shown(table):
        if tag.register is None or tag.space is not space:
            continue
        if tag.is_bool:
            yield Point(tag, View.BIT, tag.register)
        else:
            yield Point(tag, View.FLOAT if tag.is_float else View.WHOLE, tag.register)
            yield Point(tag, View.SCALED, SCALED + tag.register // 2)


_POINTS = {(table, space): tuple(_points(table, space)) for table in SHOWN for space in Space}
_OCCUPIED = {
    place: {point.offset + word: point for point in points for word in range(point.width)}
    for place, points in _POINTS.items()
}


def points(table: type[Table], space: Space) -> tuple[Point, ...]:
    """What a block of this table shows in a space, in the order of the tags."""
    return _POINTS[table, space]


def point_at(table: type[Table], space: Space, offset: int) -> Point | None:
    """What lies at an address of a block; both addresses of a 32-bit value lead to it."""
    return _OCCUPIED[table, space].get(offset)


@dataclass(frozen=True)
class Block:
    """The block of one row: 100 addresses from `base` of `unit`, in each space."""

    unit: int
    base: int
    table: type[Table]
    slot: int


def blocks(equipment: Equipment) -> Iterator[Block]:
    """Every block of the map, ordered by unit and base. Retired equipment keeps its own."""
    found = [Block(unit, 0, System, 0) for unit in SYSTEM_UNITS]
    found += [Block(s.unit, s.base, Station, s.slot) for s in equipment.stations]
    found += [Block(p.unit, p.base, Pump, p.slot) for p in equipment.pumps]
    yield from sorted(found, key=lambda block: (block.unit, block.base))
