"""The image as buffers that Modbus reads are answered from.

Each space of all units is one buffer, encoded for all blocks at once when a request comes and the
image is newer than the buffer. An answer is a slice of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from runtime.equipment import BLOCK, Equipment
from runtime.layout import Columns
from runtime.registers import SYSTEM_UNITS, Block, Point, blocks, points
from runtime.servers.modbus.encoding import DTYPES, Values, encode
from runtime.tag import Space, Table, Tag
from runtime.tags import SHOWN, System

LIVE = (System.ImageAge, System.Live)  # what changes between two images


@dataclass(frozen=True)
class Unit:
    """The blocks of one unit by number, None where there is none; `first` counts over all units."""

    first: int
    blocks: tuple[Block | None, ...]

    def covers(self, address: int, count: int) -> bool:
        """Whether all of these addresses belong to blocks."""
        end = address + count
        found = self.blocks[address // BLOCK : (end - 1) // BLOCK + 1]
        return end <= len(self.blocks) * BLOCK and None not in found

    def block(self, address: int) -> Block | None:
        number = address // BLOCK
        return self.blocks[number] if number < len(self.blocks) else None


class Buffers:
    """All spaces of all units. `columns` is where the newest image is found."""

    def __init__(self, equipment: Equipment, columns: Columns) -> None:
        numbered: dict[int, dict[int, Block]] = {}
        for block in blocks(equipment):
            # A list made for a larger capacity names rows that this image doesn't have.
            if block.slot < columns.rows(block.table):
                numbered.setdefault(block.unit, {})[block.base // BLOCK] = block
        self.units: dict[int, Unit] = {}
        places: list[Block | None] = []
        for unit, found in numbered.items():
            row = [found.get(number) for number in range(max(found) + 1)]
            self.units[unit] = Unit(len(places), tuple(row))
            places += row
        self._buffers = {space: _Buffer(space, places, columns) for space in Space}

    def words(self, space: Space, unit: int, address: int, count: int, sequence: int) -> bytes:
        """Registers of addresses that exist, from the image with this number."""
        buffer = self._fresh(space, unit, sequence)
        start = 2 * (self.units[unit].first * BLOCK + address)
        return buffer.octets[start : start + 2 * count].tobytes()

    def bits(self, space: Space, unit: int, address: int, count: int, sequence: int) -> bytes:
        """Bits of addresses that exist, from the image with this number; the first is lowest."""
        buffer = self._fresh(space, unit, sequence)
        start = self.units[unit].first * BLOCK + address
        return np.packbits(buffer.cells[start : start + count], bitorder="little").tobytes()

    def _fresh(self, space: Space, unit: int, sequence: int) -> _Buffer:
        buffer = self._buffers[space]
        if buffer.sequence != sequence:
            buffer.encode()
            buffer.sequence = sequence
        elif unit in SYSTEM_UNITS:
            buffer.encode_live()
        return buffer


class _Buffer:
    """One space of all units: one cell for each address, and the octets that they are."""

    def __init__(self, space: Space, places: list[Block | None], columns: Columns) -> None:
        of_bits = space in (Space.COIL, Space.DISCRETE)
        self.cells = np.zeros(len(places) * BLOCK, np.uint8 if of_bits else ">u2")
        self.octets = self.cells.view(np.uint8).data
        self.sequence = -1
        self._parts = [_Part(table, space, places, self.cells, columns) for table in SHOWN]

    def encode(self) -> None:
        for part in self._parts:
            part.encode(part.points)

    def encode_live(self) -> None:
        for part in self._parts:
            part.encode(part.live)


class _Part:
    """The blocks of one table in one space: encoded in rows of their own, then put in place."""

    def __init__(
        self,
        table: type[Table],
        space: Space,
        places: list[Block | None],
        cells: Values,
        columns: Columns,
    ) -> None:
        mine = [(n, block.slot) for n, block in enumerate(places) if block and block.table is table]
        self._places, self._slots = np.array(mine, np.intp).reshape(-1, 2).T.copy()
        self._rows = np.zeros((len(mine), BLOCK), cells.dtype)
        self._cells = cells.reshape(-1, BLOCK)
        self._columns = columns
        self.points = [self._place(table, point) for point in points(table, space)]
        self.live = [entry for entry in self.points if entry.point.tag in LIVE]

    def _place(self, table: type[Table], point: Point) -> _Placed:
        cells = self._rows[:, point.offset : point.offset + point.width]
        within = tuple(table.tag(name) for name in point.tag.within or ())
        return _Placed(point, within, cells.view(DTYPES[point.view])[:, 0])

    def encode(self, placed: list[_Placed]) -> None:
        """Encode these points of all rows."""
        if not placed or not len(self._slots):
            return
        for point, within, target in placed:
            values = self._columns[point.tag][self._slots]
            limits = [self._columns[tag][self._slots] for tag in within]
            target[:] = encode(point, values, limits)
        self._cells[self._places] = self._rows


class _Placed(NamedTuple):
    """A point, the tags that it stays within, and where in the rows its values go."""

    point: Point
    within: tuple[Tag, ...]
    target: Values
