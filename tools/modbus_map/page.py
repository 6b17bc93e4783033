"""The page: how the map is laid out, and every register of a block, from the declared tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from runtime.equipment import BLOCK, SYSTEM_UNIT
from runtime.registers import (
    COUNTS,
    NO_COUNT,
    SCALED,
    SYSTEM_UNITS,
    TOKEN,
    TOKEN_WORDS,
    Point,
    View,
    counts,
    points,
)
from runtime.tag import Access, Quality, Space, Table, Tag
from runtime.taglist.rows import DIGITS
from runtime.tags import SHOWN, System

HEAD = f"""\
# The Modbus map

Where every value lies, and how to read it. The registers are declared beside their tags in
`runtime/tags/`; this page is written from there by `python -m tools.modbus_map`, and a test
compares. The map of *your* plant, with the units and addresses of its stations and pumps, is what
`calejo tags` prints; [scada.md](scada.md) says how to connect, and what happens on writes.

## Layout

The system, each station and each pump has a *block*: {BLOCK} addresses from a base, in each of the
four spaces (coils, discrete inputs, input registers, holding registers), in one unit.

| block | unit | base |
|---|---|---|
| the system | {SYSTEM_UNIT}, and {SYSTEM_UNITS[1]} for masters that can't send {SYSTEM_UNIT} | 0 |
| a station | 1 to 240: the next for each new station | the next free one of the unit |
| a pump | that of its station | the next free one of the unit |

    address = base of the block + register in the tables below

Addresses count from 0, as in a request. Many SCADA systems count from 1 and put the digit of the
space in front: holding register 100 is 400101 there. `calejo tags` prints both (`address`,
`reference`).

Bases are multiples of {BLOCK}. Units and bases are assigned once, when a station or pump is
entered, and kept in the database (`pump_stations`, `pumps`); so is the meaning of every register of
a block (`modbus_registers`). The view `modbus_map` is the whole of it. Nothing moves when equipment
is added, renamed or retired, nor with a new version: its new tags take registers that were free.
Retired equipment keeps its addresses; taken into use again, it is where it was. A program that
would move, drop or rescale a register that SCADA may read is refused, by `calejo migrate` and
whenever it connects to the database, with the registers named; and nothing listens for Modbus then,
without the database neither, since the state directory keeps a copy (`registers.json`).

Addresses of a block at which nothing lies read 0. A read that reaches beyond the blocks of its unit
is answered with exception 2, so one request may span several blocks.

## Two views of a value

| | 32-bit view | 16-bit view |
|---|---|---|
| where | `base + register` | `base + {SCALED} + register / 2` |
| type | `float32` (IEEE 754), or `uint32` for whole numbers | `int16`, signed |
| value | what is read | what is read × scale |
| no value | NaN (`7FC00000` hex) | {NO_COUNT} (`8000` hex) |
| too large | infinity; of a whole number its low 32 bits | ±{COUNTS} |

**Word order.** 32-bit values are big-endian, high word first: 42.5 is `422A 0000`. With
`servers.modbus.word_order: low_first` it is `0000 422A`, for the whole server, written values too;
`calejo tags` says which. Read the two registers of a value in one request, so that they are from
one scan.

Neither view ever shows a setpoint outside its limits by rounding. Bits show once, as a coil or
discrete input.

## Quality and age

A measurement has a quality beside it, in the register that the tables name:

| value | quality | means |
|---|---|---|
"""

AFTER_QUALITY = """\

What is not accepted leaves the last accepted value standing (0 before the first), so nothing
invented is ever shown: look at the quality before the number.

Ages: `FeedbackAge` of a pump, `PlanAge` of a station, `DatabaseAge` of the system; `ImageAge` is
that of everything, with `Live` for yes or no. These two go on when the scan stands still. Stations
and pumps are answered with exception 4 then: an old value is never shown as if it were new.
"""

TITLES = {
    "System": f"the system: unit {SYSTEM_UNIT} (or {SYSTEM_UNITS[1]}), base 0",
    "Station": "a station",
    "Pump": "a pump",
}
COLUMNS = ("register", "16-bit", "tag", "type", "scale", "unit", "range", "quality", "meaning")
BIT_COLUMNS = ("address", "tag", "quality", "meaning")


def page() -> str:
    parts = [HEAD, *_qualities(), AFTER_QUALITY]
    for table in SHOWN:
        parts.append(f"\n## Registers of {TITLES[table.__name__]}\n")
        for space in Space:
            parts += _space(table, space)
    return "".join(parts)


def _qualities() -> Iterator[str]:
    words = {
        Quality.BAD: "not to be trusted: never measured, too old, out of range or stuck",
        Quality.UNCERTAIN: "it changed faster than it can; at most for `feedback.max_age`",
        Quality.GOOD: "measured, in range, in time",
    }
    for quality in sorted(Quality):
        yield f"| {quality.value} | {quality.name.title()} | {words[quality]} |\n"


def _space(table: type[Table], space: Space) -> Iterator[str]:
    found = points(table, space)
    if not found:
        return
    yield f"\n### {space.value.capitalize()}s ({DIGITS[space]}xxxxx)\n\n"
    if space in (Space.COIL, Space.DISCRETE):
        in_order = sorted(found, key=lambda point: point.offset)
        yield _table(BIT_COLUMNS, (_bit(table, point) for point in in_order))
        return
    views = sorted(found, key=lambda point: (point.tag.register or 0, point.offset))
    rows = [_row(table, list(pair)) for _, pair in groupby(views, key=lambda point: point.tag)]
    if table is System and space is Space.HOLDING:
        words = f"The access token, {TOKEN_WORDS} registers written in one request; reads 0."
        rows.append([str(TOKEN), "", "Token", "16 octets", "", "", "", "", words])
    yield _table(COLUMNS, rows)


def _bit(table: type[Table], point: Point) -> list[str]:
    return [str(point.offset), point.tag.name, _quality(table, point.tag), point.tag.doc]


def _row(table: type[Table], views: list[Point]) -> list[str]:
    tag = views[0].tag
    of_view = {point.view: point for point in views}
    scaled = of_view.pop(View.SCALED)
    (wide,) = of_view.values()
    return [
        str(wide.offset),
        str(scaled.offset),
        tag.name,
        wide.view.value,
        f"{1 / counts(tag):g}",
        tag.unit.symbol,
        f"{tag.low:g} to {tag.high:g}" if tag.low < tag.high and not tag.states else "",
        _quality(table, tag),
        _meaning(tag),
    ]


def _quality(table: type[Table], tag: Tag) -> str:
    if tag.quality is None:
        return ""
    register = table.tag(tag.quality).register
    return tag.quality if register is None else f"{register} ({tag.quality})"


def _meaning(tag: Tag) -> str:
    names = tag.states or tag.flags or {}
    listed = ", ".join(f"{number} {word}" for number, word in names.items())
    parts = [tag.doc]
    if listed:
        parts.append(f"Bits: {listed}." if tag.flags else f"{listed}.")
    if tag.access is Access.REQUEST:
        parts.append("Can be written.")
    return " ".join(parts)


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(columns)
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
