"""The contract of a function block.

A block is its pins (the tags it reads and writes), one `execute`, and its manual (the docstring).
It works on whole columns, for all pumps or stations at once, in place: no allocation, no input or
output, no clock, no randomness. All of its state is in tags. It uses only operations that IEEE 754
rounds exactly (+ − × ÷ min max, comparison) in a fixed order, so the same inputs and state give the
same outputs, bit for bit, on any machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from runtime.layout import REQUESTS, Columns
from runtime.tag import Tag
from runtime.tags import NUMBER, Request, System

Real: TypeAlias = NDArray[np.float64]
Flag: TypeAlias = NDArray[np.bool_]
Number: TypeAlias = NDArray[np.integer[Any]]

ACCEPTED = 1  # Request.Result of a request that the scan has admitted
REQUEST_PINS = (
    System.Requests,
    System.RequestsTaken,
    Request.Id,
    Request.Tag,
    Request.Slot,
    Request.Value,
    Request.Result,
)


class UndeclaredPin(Exception):
    """A block asked for a tag that it doesn't declare."""


class Block:
    """One function block. Subclasses declare their pins and execute.

    `reads` are values of this scan, written earlier in it. `previous` are values of the previous
    scan, read before their writer executes. A block also sees what it writes itself.
    """

    reads: ClassVar[tuple[Tag, ...]] = ()
    previous: ClassVar[tuple[Tag, ...]] = ()
    writes: ClassVar[tuple[Tag, ...]] = ()

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def execute(self) -> None:
        """Compute this scan's values of the written tags."""
        raise NotImplementedError

    def real(self, tag: Tag) -> Real:
        """The column of a float tag."""
        return self._pin(tag, "f8")

    def flag(self, tag: Tag) -> Flag:
        """The column of a boolean tag."""
        return self._pin(tag, "?")

    def number(self, tag: Tag) -> Number:
        """The column of an integer tag."""
        return self._pin(tag, tag.dtype)

    def _pin(self, tag: Tag, dtype: str) -> NDArray[Any]:
        if tag.dtype != dtype:
            raise UndeclaredPin(f"{type(self).__name__} takes {tag} as {dtype}, it is {tag.dtype}")
        column: NDArray[Any] = self._columns[tag]
        if tag in self.writes:
            return column
        if tag not in self.reads and tag not in self.previous:
            raise UndeclaredPin(f"{type(self).__name__} does not declare {tag}")
        view = column.view()
        view.flags.writeable = False
        return view


class Requests:
    """The requests admitted in this scan, for a block that declares REQUEST_PINS."""

    def __init__(self, block: Block) -> None:
        self._total = block.number(System.Requests)
        self._taken = block.number(System.RequestsTaken)
        self._ids = block.number(Request.Id)
        self._tags = block.number(Request.Tag)
        self._slots = block.number(Request.Slot)
        self._values = block.real(Request.Value)
        self._results = block.number(Request.Result)

    def admitted(self) -> Iterator[tuple[int, int, float, int]]:
        """Tag number, slot, value and id of each, in the order of their arrival."""
        total = int(self._total[0])
        for count in range(total - int(self._taken[0]), total):
            row = count % REQUESTS
            if self._results[row] == ACCEPTED:
                yield (
                    int(self._tags[row]),
                    int(self._slots[row]),
                    float(self._values[row]),
                    int(self._ids[row]),
                )


def scratch(like: NDArray[Any], dtype: str = "f8") -> NDArray[Any]:
    """A working column of the same length, made once so that `execute` allocates nothing."""
    return np.zeros(len(like), dtype)


__all__ = ["NUMBER", "REQUEST_PINS", "Block", "Flag", "Number", "Real", "Requests", "scratch"]
