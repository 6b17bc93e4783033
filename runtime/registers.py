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
from functools import cache

from runtime.equipment import BLOCK, SYSTEM_UNIT, Equipment
from runtime.tag import Space, Table, Tag
from runtime.tags import Pump, Station, System, shown

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
        """The value that `data`, this point's registers, says; NaN if it says that there is none."""
        (number,) = struct.unpack(_FORMATS[self.view], data)
        if self.view is not View.SCALED:
            return float(number)
        return math.nan if number == NO_COUNT else number / counts(self.tag)


def counts(tag: Tag) -> float:
    """Counts of the scaled view for one unit of the value.

    Steps are 1, 0.1, 0.01 …: dividing by the whole number gives the decimal fraction exactly
    rounded, which multiplying by the step does not.
    """
    return float(round(1 / tag.step))


@cache
def points(table: type[Table], space: Space) -> tuple[Point, ...]:
    """What a block of this table shows in a space, in the order of the tags."""
    return tuple(
        point
        for tag in shown(table)
        if tag.register is not None and tag.space is space
        for point in _views(tag, tag.register)
    )


def _views(tag: Tag, register: int) -> tuple[Point, ...]:
    if tag.is_bool:
        return (Point(tag, View.BIT, register),)
    wide = View.FLOAT if tag.is_float else View.WHOLE
    return Point(tag, wide, register), Point(tag, View.SCALED, SCALED + register // 2)


@cache
def occupied(table: type[Table], space: Space) -> dict[int, Point]:
    """The point at each address of a block; both addresses of a wide one lead to it."""
    return {
        point.offset + word: point for point in points(table, space) for word in range(point.width)
    }


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


__all__ = ["BLOCK", "TOKEN", "TOKEN_WORDS", "Block", "Point", "View", "blocks", "counts", "points"]
