"""Reads the tag list of a SCADA system: a CSV file with columns of any order, and others beside.

What it must have is a place for each value: `node`, or `unit_id` with `address` and `space`, or
`unit_id` with `reference`. A name (`tag`, with `station` and `pump`) tells what is meant to lie
there; `type` and `scale` are compared where they are given. A line without a place is passed over.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.registers import View
from runtime.tag import Space
from runtime.taglist.rows import DIGITS, SYSTEM

SEPARATORS = ",;\t|"
NAMES = {
    "station": ("station", "stationid"),
    "pump": ("pump", "pumpid"),
    "tag": ("tag", "tagname"),
    "node": ("node", "nodeid", "opcuanodeid"),
    "unit_id": ("unitid", "slave", "slaveid", "device", "deviceid"),
    "space": ("space", "area", "registertype"),
    "address": ("address", "offset"),
    "reference": ("reference", "ref"),
    "type": ("type", "datatype", "format"),
    "scale": ("scale", "factor", "gain"),
}
TYPES = {
    View.BIT: ("bool", "boolean", "bit", "digital"),
    View.FLOAT: ("float32", "float", "real", "single"),
    View.WHOLE: ("uint32", "udint", "dword", "ulong"),
    View.SCALED: ("int16", "int", "short", "sint16"),
}
SPACES = {
    Space.COIL: ("coil", "coils", "0", "0x"),
    Space.DISCRETE: ("discreteinput", "discreteinputs", "discrete", "1", "1x"),
    Space.INPUT: ("inputregister", "inputregisters", "input", "3", "3x"),
    Space.HOLDING: ("holdingregister", "holdingregisters", "holding", "4", "4x"),
}
_VIEWS = {word: view.value for view, words in TYPES.items() for word in words}
_SPACES = {word: space for space, words in SPACES.items() for word in words}
_OF_DIGIT = {digit: space for space, digit in DIGITS.items()}


class BadFileError(Exception):
    """The file can't be compared: what, where, found, allowed."""


@dataclass(frozen=True)
class Place:
    """Where a value is read over Modbus."""

    unit: int
    space: Space
    address: int

    def __str__(self) -> str:
        return f"{self.space.value} {self.address} of unit {self.unit}"


@dataclass(frozen=True)
class Entry:
    """What a SCADA system believes of a value; None: it doesn't say."""

    line: int
    owner: str | None  # System, station or station/pump
    tag: str | None
    node: str | None
    place: Place | None
    type: str | None
    scale: float | None


def read(file: Path) -> list[Entry]:
    """All entries; raises BadFileError with every fault of the file, or OSError."""
    return _Reading(str(file), _text(file.read_bytes())).all()


def _text(content: bytes) -> str:
    """UTF-8, or what Windows writes."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "�")


def _word(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _columns(head: list[str]) -> dict[str, int]:
    """Where the columns that are compared stand; our own name of one goes before the others'."""
    words = [_word(cell) for cell in head]
    found = {}
    for name, known in NAMES.items():
        place = next((words.index(word) for word in known if word in words), None)
        if place is not None:
            found[name] = place
    return found


class _Reading:
    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._problems: list[str] = []
        heads = {mark: text.partition("\n")[0].split(mark) for mark in SEPARATORS}
        self._separator = max(SEPARATORS, key=lambda mark: len(_columns(heads[mark])))
        self._lines = csv.reader(io.StringIO(text), delimiter=self._separator)
        self._head = self._first()
        self._at = _columns(self._head)

    def _first(self) -> list[str]:
        try:
            return next(self._lines, [])
        except csv.Error as error:
            raise BadFileError(
                f"{self._file}: line 1: found what is no CSV ({error}), allowed names of columns"
            ) from None

    def all(self) -> list[Entry]:
        self._require_columns()
        entries = list(self._entries())
        if self._problems:
            raise BadFileError("\n".join(self._problems))
        if not entries:
            raise BadFileError(
                f"{self._file}: found no line with a place, allowed are lines below the names of"
                " the columns with a node, or a Modbus unit and address"
            )
        return entries

    def _require_columns(self) -> None:
        ways = ({"node"}, {"unit_id", "address", "space"}, {"unit_id", "reference"})
        if not any(way <= self._at.keys() for way in ways):
            found = ", ".join(cell.strip() for cell in self._head) or "nothing"
            raise BadFileError(
                f"{self._file}: line 1: found the columns {found}; allowed are those with node, or"
                " with unit_id, address and space, or with unit_id and reference (comma,"
                " semicolon, tabulator or | between them)"
            )

    def _entries(self) -> Iterator[Entry]:
        try:
            for cells in self._lines:
                if any(cell.strip() for cell in cells):
                    entry = self._entry(cells)
                    if entry is not None:
                        yield entry
        except csv.Error as error:
            self._wrong("the line", f"what is no CSV ({error})", "a line of cells")

    def _entry(self, cells: list[str]) -> Entry | None:
        if len(cells) <= max(self._at.values()):
            self._wrong("the line", f"{len(cells)} cells", f"as many as line 1, {len(self._head)}")
            return None
        given = {name: cells[place].strip() for name, place in self._at.items()}
        place = self._place(given)
        node = given.get("node") or None
        if place is None and node is None:
            return None  # a value of the SCADA system's own, or one whose fault is noted
        owner, tag = _name(given)
        kind = given.get("type", "")
        return Entry(
            self._lines.line_num,
            owner,
            tag,
            node,
            place,
            _VIEWS.get(_word(kind), kind) or None,
            self._number("scale", given.get("scale", "")),
        )

    def _place(self, given: dict[str, str]) -> Place | None:
        reference = given.get("reference", "")
        if not (given.get("address") or reference):
            return None
        unit = self._whole("unit_id", given.get("unit_id", ""), 255)
        if given.get("address"):
            address = self._whole("address", given["address"], 65_535)
            word = given.get("space", "")
            space = _SPACES.get(_word(word))
            if space is None:
                self._wrong("space", repr(word), ", ".join(space.value for space in Space))
        else:
            space, address = self._referred(reference)
        if unit is None or space is None or address is None:
            return None
        return Place(unit, space, address)

    def _referred(self, reference: str) -> tuple[Space | None, int | None]:
        found = re.fullmatch(r"([0134])(\d{4,5})", reference)
        if found and 1 <= int(found[2]) <= 65_536:
            return _OF_DIGIT[int(found[1])], int(found[2]) - 1
        self._wrong("reference", repr(reference), "0, 1, 3 or 4 and then 00001 to 65536")
        return None, None

    def _whole(self, name: str, text: str, most: int) -> int | None:
        if re.fullmatch(r"\d{1,5}", text, re.ASCII) and int(text) <= most:
            return int(text)
        self._wrong(name, repr(text), f"a whole number from 0 to {most}")
        return None

    def _number(self, name: str, text: str) -> float | None:
        if not text:
            return None
        plain = text if self._separator == "," else text.replace(",", ".")
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", plain, re.ASCII | re.IGNORECASE):
            return float(plain)
        self._wrong(name, repr(text), "a number such as 0.01, or nothing")
        return None

    def _wrong(self, name: str, found: str, allowed: str) -> None:
        where = f"{self._file}: line {self._lines.line_num}"
        self._problems.append(f"{where}: {name}: found {found}, allowed {allowed}")


def _name(given: dict[str, str]) -> tuple[str | None, str | None]:
    """What is meant: owner and tag, as far as they are given; `North/11/Speed` is both."""
    above, _, tag = given.get("tag", "").rpartition("/")
    if not tag:
        return None, None
    if above:
        return above, tag
    if "station" not in given:
        return None, tag
    return "/".join(filter(None, (given["station"], given.get("pump")))) or SYSTEM, tag
