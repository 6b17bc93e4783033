"""The objects that have tags: the system, its stations and their pumps, by their paths.

A place never goes away while the server runs: a client may hold its node id. What the equipment no
longer has, or has retired, is absent: nothing refers to it any more, so no client finds it by
browsing, and all its values are Bad (BadOutOfService), at once and until it comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from runtime.equipment import Equipment
from runtime.tag import Table
from runtime.tags import SHOWN, Pump, Station, System

ROOT = "/"
GROUP = 100  # most stations, or pumps of a station, that are shown without groups


class Kind(Enum):
    """What a place is: only objects have values, the others say how these are arranged."""

    FOLDER = auto()  # the root, or a group of stations or pumps
    OBJECT = auto()  # the system, a station, a pump
    TYPE = auto()  # what all objects of a table have in common
    PLACEHOLDER = auto()  # in a type: any number of objects of another one


# How a place has changed, as bits: the verbs of ModelChangeStructureDataType (Part 5, 12.16).
NODE_ADDED, REFERENCE_ADDED, REFERENCE_DELETED = 1, 4, 8


@dataclass(eq=False, slots=True)
class Place:
    """`slot` is its row in `table`, which folders don't have. `name` is unique among the children
    of its parent and never changes, `title` is what people call it. `version` is that of the
    equipment with which its references last changed.
    """

    path: str
    name: str
    title: str
    parent: Place | None = None
    table: type[Table] | None = None
    slot: int = 0
    kind: Kind = Kind.OBJECT
    present: bool = True
    version: int = 0
    children: dict[str, Place] = field(default_factory=dict)
    groups: list[Place] = field(default_factory=list)
    group: Place | None = None

    @property
    def declares(self) -> bool:
        """Whether its members are declarations, not values."""
        return self.kind in (Kind.TYPE, Kind.PLACEHOLDER)

    @property
    def grouped(self) -> bool:
        """Whether its children are shown in groups, as there are many. Once so, always so."""
        return len(self.children) > GROUP

    @property
    def above(self) -> Place | None:
        """What shows it: its parent, or a group of that."""
        return self.group if self.group and self.parent and self.parent.grouped else self.parent

    def shown(self) -> list[Place]:
        """The children as a client browses them."""
        alone = [child for child in self.children.values() if child.present]
        if not self.grouped:
            return alone
        return [child for child in alone if child.group is None] + self.groups

    def child(self, name: str) -> Place | None:
        """The child of a name. A group may be on the way, but need not."""
        found = self.children.get(name)
        if found is not None and found.present:
            return found
        return next((group for group in self.groups if group.name == name), None)


class Plant:
    """All places, by path: `System`, `<station>`, `<station>/<pump>`; `/` is the root, `/PumpType`
    a type, `/2` the third group of stations, `/0/S1` the first one of S1's pumps.
    """

    def __init__(self) -> None:
        self.root = Place(ROOT, "Calejo", "Calejo", kind=Kind.FOLDER)
        self.types = {table: _type(table) for table in SHOWN}
        holder = "/StationType/<Pump>"
        station = self.types[Station]
        station.children["<Pump>"] = Place(
            holder, "<Pump>", "<Pump>", station, Pump, kind=Kind.PLACEHOLDER
        )
        self._places = {ROOT: self.root, holder: station.children["<Pump>"]}
        self._places |= {place.path: place for place in self.types.values()}
        self._changes: dict[Place, int] = {}
        name = System.__name__
        self._put(name, name, name, self.root, System, 0, present=True)

    def __iter__(self) -> Iterator[Place]:
        """All folders and objects; types have no values."""
        return (place for place in self._places.values() if not place.declares)

    def get(self, path: str) -> Place | None:
        """The place at a path."""
        return self._places.get(path)

    def update(self, equipment: Equipment) -> dict[Place, int]:
        """Add what is new, take over new names and slots, hide what is gone: what that changed."""
        self._changes = {}
        before = [place for place in self._equipped() if place.present]
        for place in before:
            place.present = False
        for station in sorted(equipment.stations, key=lambda entry: entry.slot):
            name, title = station.station_id, station.name
            self._put(name, name, title, self.root, Station, station.slot, station.active)
        for pump in sorted(equipment.pumps, key=lambda entry: entry.slot):
            above = self._places.get(pump.station_id)
            if above is not None and above.table is Station and above.kind is Kind.OBJECT:
                name = str(pump.pump_id)
                path = f"{above.path}/{name}"
                self._put(path, name, pump.name, above, Pump, pump.slot, pump.active)
        self._compare(set(before))
        for place in self._changes:
            place.version = equipment.version
        return self._changes

    def _equipped(self) -> Iterator[Place]:
        return (p for p in self._places.values() if p.kind is Kind.OBJECT and p.table is not System)

    def _put(
        self,
        path: str,
        name: str,
        title: str,
        parent: Place,
        table: type[Table],
        slot: int,
        present: bool,
    ) -> None:
        place = self._places.get(path)
        if place is None:
            place = self._places[path] = Place(path, name, title, parent, table)
            parent.children[name] = place
            self._change(place, NODE_ADDED)
            if table is not System:
                self._join(place, parent)
        place.title, place.slot, place.present = title or name, slot, present

    def _join(self, place: Place, parent: Place) -> None:
        """Put a new child into its group, which it never leaves: no path or node id names it."""
        number = (len(parent.children) - 1) // GROUP
        if number == len(parent.groups):
            path = f"/{number}" if parent is self.root else f"/{number}/{parent.path}"
            group = Place(path, f"Group {number}", "", parent, kind=Kind.FOLDER)
            parent.groups.append(group)
            self._places[path] = group
            self._change(group, NODE_ADDED)
        place.group = group = parent.groups[number]
        group.children[place.name] = place
        first, last = next(iter(group.children)), place.name
        group.title = first if first == last else f"{first} … {last}"
        if len(parent.children) == GROUP + 1:  # from now on it shows groups in their place
            self._change(parent, REFERENCE_ADDED | REFERENCE_DELETED)

    def _compare(self, before: set[Place]) -> None:
        """Note what refers to others than before."""
        for place in self._equipped():
            if place.present != (place in before):
                verb = REFERENCE_ADDED if place.present else REFERENCE_DELETED
                self._change(place, verb)
                if place.above is not None:
                    self._change(place.above, verb)

    def _change(self, place: Place, verb: int) -> None:
        self._changes[place] = self._changes.get(place, 0) | verb


def _type(table: type[Table]) -> Place:
    name = f"{table.__name__}Type"
    return Place(f"/{name}", name, name, table=table, kind=Kind.TYPE)
