"""Compares what a SCADA system believes with the map that is in force.

    unknown      nothing of that name, or nothing at that place, is in the map
    moved        the value is there, at another place
    other type   the value is there, and is read as something else
    other scale  the value is there, and a count means something else
    missing      the map has it, the file has not

Either view of a value, the 32-bit or the scaled one, or its node, stands for the value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from runtime.equipment import BLOCK, Equipment
from runtime.registers import SYSTEM_UNITS
from runtime.taglist.rows import (
    EVERYTHING,
    NAMESPACE,
    SYSTEM,
    Owner,
    Protocol,
    Row,
    Selection,
    owners,
    path,
    rows,
    rows_of,
)
from runtime.taglist.scada import Entry, Place

_STRING = re.compile(rf"^(ns={NAMESPACE};)?s=|^NS{NAMESPACE}\|String\|")  # as clients write ids


class Difference(NamedTuple):
    """One difference; `line` is that of the file, 0 if it stands nowhere there."""

    kind: str
    line: int
    words: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{self.kind}: {where}{self.words}"


class _Indexed:
    """The rows of one owner, by tag, and by space and address (both of a 32-bit value)."""

    def __init__(self, owner: Owner) -> None:
        self.of_tag: dict[str, list[Row]] = {}
        self.at: dict[tuple[str, int], Row] = {}
        for row in rows_of(owner):
            self.of_tag.setdefault(row.tag, []).append(row)
            if row.address is not None and row.registers is not None:
                for address in range(row.address, row.address + row.registers):
                    self.at[row.space, address] = row


class Comparison:
    """The map, ready to be asked for names, nodes and places."""

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment
        self._owners = {owner.path: owner for owner in owners(equipment)}
        self._blocks = {(one.unit, one.base // BLOCK): one for one in self._owners.values()}
        for unit in SYSTEM_UNITS:
            self._blocks[unit, 0] = self._owners[SYSTEM]
        retired = [(p.station_id, str(p.pump_id)) for p in equipment.pumps if not p.active]
        retired += [(s.station_id, "") for s in equipment.stations if not s.active]
        self._retired = {path(*names) for names in retired}
        # Files mostly keep together what belongs together.
        self._indexed = lru_cache(32)(_Indexed)

    def differences(
        self, entries: Sequence[Entry], selection: Selection = EVERYTHING, partial: bool = False
    ) -> Iterator[Difference]:
        """All of them, in the order of the file; then what `selection` has and the file lacks."""
        present: set[tuple[str, str]] = set()
        for entry in entries:
            found, differences = self._compared(entry)
            yield from differences
            if found is not None:
                present.add((found.owner, found.tag))
        if not partial:
            wanted = replace(selection, protocol=selection.protocol or _spoken(entries))
            yield from _missing(rows(self._equipment, wanted), present)

    def _compared(self, entry: Entry) -> tuple[Row | None, list[Difference]]:
        """The row that an entry means, if any, and how the two differ."""
        meant = self._meant(entry)
        if isinstance(meant, Difference):
            return None, [meant]
        at, first = self._at(entry.place) if entry.place else (None, False)
        at = at if first else None
        if meant and entry.place and at not in meant:
            return meant[0], [Difference("moved", entry.line, _moved(meant, entry, entry.place))]
        row = at or next(iter(meant), None)
        if row is None:
            return None, [Difference("unknown", entry.line, self._nothing_at(entry.place))]
        return row, list(_read_otherwise(row, entry)) if at else []

    def _meant(self, entry: Entry) -> list[Row] | Difference:
        """The rows that the entry names; none if it names nothing and only has a place."""
        if entry.node is not None:
            owner, _, tag = _STRING.sub("", entry.node).rpartition("/")
            named = f"the node {entry.node}"
        elif entry.tag is not None and entry.owner is not None:
            owner, tag = entry.owner, entry.tag
            named = f"{owner}/{tag}"
        else:
            return []
        known = self._owners.get(owner)
        found = self._indexed(known).of_tag.get(tag, []) if known else []
        return found or Difference("unknown", entry.line, named + self._why(owner))

    def _why(self, owner: str) -> str:
        if owner in self._retired:
            return f": {owner} is retired"
        return " is not in the map" if owner in self._owners else f": there is no {owner!r}"

    def _at(self, place: Place) -> tuple[Row | None, bool]:
        """What lies at a place, and whether it begins there."""
        owner = self._blocks.get((place.unit, place.address // BLOCK))
        key = place.space.value, place.address
        row = self._indexed(owner).at.get(key) if owner else None
        return row, row is not None and row.address == place.address

    def _nothing_at(self, place: Place | None) -> str:
        row, _ = self._at(place) if place else (None, False)
        if row is not None:
            return f"{place}: this is the second half of {row.owner}/{row.tag}"
        return f"{place}: nothing lies there"


def _spoken(entries: Iterable[Entry]) -> Protocol | None:
    """The protocol that a file is about, if it is one alone."""
    placed = {entry.place is not None for entry in entries}
    if len(placed) > 1:
        return None
    return Protocol.MODBUS if True in placed else Protocol.OPCUA


def _moved(meant: list[Row], entry: Entry, found: Place) -> str:
    alike = [row for row in meant if row.type == entry.type] or meant
    places = [f"{row.space} {row.address} ({row.type})" for row in alike if row.space]
    allowed = " or ".join(places)
    unit = alike[0].unit_id
    name = f"{alike[0].owner}/{alike[0].tag}"
    if not allowed:
        return f"{name}: found {found}, allowed none: Modbus does not show it"
    return f"{name}: found {found}, allowed {allowed} of unit {unit}"


def _read_otherwise(row: Row, entry: Entry) -> Iterator[Difference]:
    name = f"{row.owner}/{row.tag}"
    if entry.type is not None and entry.type != row.type:
        words = f"{name}: found {entry.type}, allowed {row.type}"
        yield Difference("other type", entry.line, words)
    elif entry.scale is not None and not math.isclose(entry.scale, row.scale or 1.0):
        words = f"{name}: found {entry.scale:g}, allowed {row.scale or 1.0:g}"
        yield Difference("other scale", entry.line, words)


def _missing(listed: Iterable[Row], present: set[tuple[str, str]]) -> Iterator[Difference]:
    """One difference for each station and pump: what of it the file lacks."""
    lacking: dict[str, dict[str, bool]] = {}
    for row in listed:
        lacking.setdefault(row.owner, {})[row.tag] = (row.owner, row.tag) not in present
    for owner, tags in lacking.items():
        lacks = [tag for tag, lacked in tags.items() if lacked]
        if len(lacks) == len(tags):
            yield Difference("missing", 0, f"{owner}: all of its {len(tags)} values")
        elif lacks:
            yield Difference("missing", 0, f"{owner}: {', '.join(lacks)}")
