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
from runtime.servers.modbus.pdu import MOST_WORDS
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

    def reaches(self) -> tuple[int, ...]:
        """For each block the address at which the blocks from it on end; 0 where there is none."""
        ends, end = [], 0
        for number in reversed(range(len(self.blocks))):
            end = 0 if self.blocks[number] is None else end or (number + 1) * BLOCK
            ends.append(end)
        return tuple(reversed(ends))


class Buffers:
    """All spaces of all units. `columns` is where the newest image is found.

    With `low_first`, the register with the low word of a 32-bit value stands first.
    """

    def __init__(self, equipment: Equipment, columns: Columns, low_first: bool = False) -> None:
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
        self._buffers = {space: _Buffer(space, places, columns, low_first) for space in Space}
        self._of_function = {3: self._buffers[Space.HOLDING], 4: self._buffers[Space.INPUT]}
        self._reaches = {
            number: (2 * BLOCK * unit.first, unit.reaches())
            for number, unit in self.units.items()
            if number not in SYSTEM_UNITS
        }

    def registers(
        self, unit: int, function: int, address: int, count: int, sequence: int
    ) -> bytes | None:
        """Registers of a station's unit; None if these are none, or not all of them are there."""
        found, buffer = self._reaches.get(unit), self._of_function.get(function)
        if found is None or buffer is None or not 1 <= count <= MOST_WORDS:
            return None
        first, reaches = found
        number = address // BLOCK
        if number >= len(reaches) or address + count > reaches[number]:
            return None
        if buffer.sequence != sequence:
            buffer.encode(sequence)
        start = first + 2 * address
        return buffer.whole[start : start + 2 * count]

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
            buffer.encode(sequence)
        elif unit in SYSTEM_UNITS:
            buffer.encode_live()
        return buffer


class _Buffer:
    """One space of all units: one cell for each address, and the octets that they are."""

    def __init__(
        self, space: Space, places: list[Block | None], columns: Columns, low_first: bool
    ) -> None:
        of_bits = space in (Space.COIL, Space.DISCRETE)
        self.cells = np.zeros(len(places) * BLOCK, np.uint8 if of_bits else ">u2")
        self.octets = self.cells.view(np.uint8).data
        self.whole = b""  # the octets as encoded last, of which a slice costs least
        self.sequence = -1
        self._parts = [
            _Part(table, space, places, self.cells, columns, low_first) for table in SHOWN
        ]

    def encode(self, sequence: int) -> None:
        for part in self._parts:
            part.encode(part.points)
        self.whole, self.sequence = self.octets.tobytes(), sequence

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
        low_first: bool,
    ) -> None:
        mine = [(n, block.slot) for n, block in enumerate(places) if block and block.table is table]
        self._places, self._slots = np.array(mine, np.intp).reshape(-1, 2).T.copy()
        self._rows = np.zeros((len(mine), BLOCK), cells.dtype)
        self._cells = cells.reshape(-1, BLOCK)
        self._columns = columns
        self._order = -1 if low_first else 1
        self.points = [self._place(table, point) for point in points(table, space)]
        self.live = [entry for entry in self.points if entry.point.tag in LIVE]

    def _place(self, table: type[Table], point: Point) -> _Placed:
        cells = self._rows[:, point.offset : point.offset + point.width]
        within = tuple(table.tag(name) for name in point.tag.within or ())
        return _Placed(point, within, cells)

    def encode(self, placed: list[_Placed]) -> None:
        """Encode these points of all rows."""
        if not placed or not len(self._slots):
            return
        for point, within, target in placed:
            values = self._columns[point.tag][self._slots]
            limits = [self._columns[tag][self._slots] for tag in within]
            encoded = encode(point, values, limits).astype(DTYPES[point.view])
            target[:] = encoded.view(self._rows.dtype).reshape(target.shape)[:, :: self._order]
        self._cells[self._places] = self._rows


class _Placed(NamedTuple):
    """A point, the tags that it stays within, and where in the rows its values go."""

    point: Point
    within: tuple[Tag, ...]
    target: Values
