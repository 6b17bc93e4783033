"""The list as CSV, Markdown or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import fields
from typing import TextIO

from runtime.equipment import Equipment
from runtime.taglist.rows import EVERYTHING, HIGH_FIRST, Row, Selection, rows

COLUMNS = tuple(field.name for field in fields(Row))


def _csv(equipment: Equipment, selection: Selection, word_order: str, stream: TextIO) -> None:
    listed = rows(equipment, selection, word_order)
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in listed:
        writer.writerow("" if value is None else value for value in vars(row).values())


def _json(equipment: Equipment, selection: Selection, word_order: str, stream: TextIO) -> None:
    listed = [vars(row) for row in rows(equipment, selection, word_order)]
    json.dump({"version": equipment.version, "tags": listed}, stream, indent=1, ensure_ascii=False)
    stream.write("\n")


def _markdown(equipment: Equipment, selection: Selection, word_order: str, stream: TextIO) -> None:
    listed = rows(equipment, selection, word_order)
    stream.write(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n")
    for row in listed:
        cells = ("" if value is None else str(value) for value in vars(row).values())
        stream.write(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")


FORMATS: dict[str, Callable[[Equipment, Selection, str, TextIO], None]] = {
    "csv": _csv,
    "markdown": _markdown,
    "json": _json,
}


def write(
    equipment: Equipment,
    form: str,
    stream: TextIO,
    selection: Selection = EVERYTHING,
    word_order: str = HIGH_FIRST,
) -> None:
    """Write the list in one of FORMATS."""
    FORMATS[form](equipment, selection, word_order, stream)


def render(equipment: Equipment, form: str, selection: Selection = EVERYTHING) -> str:
    """The list as text."""
    stream = io.StringIO()
    write(equipment, form, stream, selection)
    return stream.getvalue()
