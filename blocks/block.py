"""The contract of a function block.

A block is its pins (the tags it reads and writes), one law, and its manual (the docstring). The
law is plain Python over columns, for all pumps or stations at once, in place, and is compiled to
machine code: no allocation, no input or output, no clock, no randomness. All of its state is in
tags. It uses only operations that IEEE 754 rounds exactly (+ − × ÷, comparison) in a fixed order,
so the same inputs and state give the same outputs, bit for bit, on any machine.

    @compiled
    def _judge(system: Pins, pump: Pins, max_age: float) -> None:
        for p in range(len(pump.Configured)):
            pump.FeedbackAge[p] = system.Now[0] - pump.MeasuredTime[p]

The parameters of a law that are named after a table (system, station, pump, request, …) are
the block's pins of that table: `pump.Setpoint[p]` is tag Pump.Setpoint of the pump in slot p. Those
that follow are the block's settings, in the order in which its `__init__` passes them on. What a
block doesn't declare is not there, and what it doesn't declare as written can't be written: such a
law is not compiled.
"""

from __future__ import annotations

import inspect
from collections import namedtuple
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

from numpy.typing import NDArray

from runtime.compiled import prepared
from runtime.layout import Columns
from runtime.tag import Table, Tag
from runtime.tags import Annunciation, Pump, Request, Start, Station, System

Pins: TypeAlias = Any
"""The columns of one table that a block declares, by the names of their tags."""

_TABLES = {
    table.__name__.lower(): table for table in (System, Station, Pump, Request, Start, Annunciation)
}


class Block:
    """One function block. Subclasses declare their pins and their law.

    `reads` are values of this scan, written earlier in it. `previous` are values of the previous
    scan, read before their writer executes. A block also sees what it writes itself.
    """

    reads: ClassVar[tuple[Tag, ...]] = ()
    previous: ClassVar[tuple[Tag, ...]] = ()
    writes: ClassVar[tuple[Tag, ...]] = ()
    law: ClassVar[Callable[..., None]]

    def __init_subclass__(cls) -> None:
        """Name the pins of each table, so that kept machine code finds their types by name.

        The compiler tells types of one name and the same fields apart only slowly, at every call:
        so the names differ between blocks.
        """
        declared = dict.fromkeys((*cls.reads, *cls.previous, *cls.writes))
        for table in _TABLES.values():
            name = f"{cls.__name__}{table.__name__}Pins"
            tags = [tag.name for tag in declared if tag.table == table.__name__]
            pins = namedtuple(name, tags)  # type: ignore[misc]
            pins.__module__, pins.__qualname__ = cls.__module__, f"{cls.__qualname__}.{name}"
            setattr(cls, name, pins)

    def __init__(self, columns: Columns, *settings: object) -> None:
        law = type(self).law
        names = inspect.signature(getattr(law, "py_func", law)).parameters
        tables = (_TABLES[name] for name in names if name in _TABLES)
        self.arguments = (*(self._pins(columns, table) for table in tables), *settings)
        self._law = prepared(law, self.arguments)

    def execute(self) -> None:
        """Compute this scan's values of the written tags."""
        self._law(*self.arguments)

    def _pins(self, columns: Columns, table: type[Table]) -> Pins:
        pins = getattr(self, f"{type(self).__name__}{table.__name__}Pins")
        return pins(*(self._column(columns, table.tag(name)) for name in pins._fields))

    def _column(self, columns: Columns, tag: Tag) -> NDArray[Any]:
        column: NDArray[Any] = columns[tag].view()
        column.flags.writeable = tag in self.writes
        return column
