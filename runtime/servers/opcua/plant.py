"""The objects that have tags: the system, its stations and their pumps, by their paths.

A place never goes away while the server runs: a client may hold its node id. What the equipment no
longer has is marked as absent, and all its values are Bad.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.equipment import Equipment
from runtime.tag import Table
from runtime.tags import Pump, Station, System

ROOT = "/"
GROUP = 100  # most stations, or pumps of a station, that are shown without groups


@dataclass(eq=False, slots=True)
class Place:
    """An object: the root, the system, a station, a pump, or a group of stations or pumps.

    `slot` is its row in `table`; the root and groups have no table. `name` is unique among the
    children of its parent and never changes, `title` is what people call it.
    """

    path: str
    name: str
    title: str
    parent: Place | None = None
    table: type[Table] | None = None
    slot: int = 0
    present: bool = True
    children: dict[str, Place] = field(default_factory=dict)
    groups: dict[int, Place] = field(default_factory=dict)

    def shown(self) -> list[Place]:
        """The children as a client browses them: in groups by slot if there are many.

        A slot is for life, so a child stays in its group, and a path or node id never names it.
        """
        if len(self.children) <= GROUP:
            return list(self.children.values())
        alone = [child for child in self.children.values() if child.table is System]
        return alone + [group for _, group in sorted(self.groups.items())]

    def child(self, name: str) -> Place | None:
        """The child of a name. A group may be on the way, but need not."""
        found = self.children.get(name)
        return found or next((group for group in self.groups.values() if group.name == name), None)


class Plant:
    """All places, by path: `System`, `<station>`, `<station>/<pump>`; `/` is the root."""

    def __init__(self) -> None:
        self.root = Place(ROOT, "Calejo", "Calejo")
        self._places = {ROOT: self.root}
        self._put(System.__name__, System.__name__, System.__name__, self.root, System, 0)

    def get(self, path: str) -> Place | None:
        """The place at a path; `/2` is the third group of stations, `/0/S1` one of S1's pumps."""
        return self._places.get(path)

    def update(self, equipment: Equipment) -> None:
        """Add what is new, take over new names and slots, mark what is gone."""
        for place in self._places.values():
            place.present = place.table not in (Station, Pump)
        for station in sorted(equipment.stations, key=lambda entry: entry.slot):
            identity = station.station_id
            self._put(identity, identity, station.name, self.root, Station, station.slot)
        for pump in sorted(equipment.pumps, key=lambda entry: entry.slot):
            above = self._places.get(pump.station_id)
            if above is not None and above.table is Station:
                name = str(pump.pump_id)
                self._put(f"{above.path}/{name}", name, pump.name, above, Pump, pump.slot)

    def _put(
        self, path: str, name: str, title: str, parent: Place, table: type[Table], slot: int
    ) -> None:
        place = self._places.get(path)
        if place is None:
            place = self._places[path] = Place(path, name, title, parent, table)
            parent.children[name] = place
            if table is not System:
                self._join(place, parent, slot // GROUP)
        place.title, place.slot, place.present = title or name, slot, True

    def _join(self, place: Place, parent: Place, number: int) -> None:
        group = parent.groups.get(number)
        if group is None:
            path = f"/{number}" if parent is self.root else f"/{number}/{parent.path}"
            group = Place(path, f"Group {number}", place.name, parent)
            parent.groups[number] = self._places[path] = group
        group.children[place.name] = place
        first, last = next(iter(group.children)), place.name
        group.title = first if first == last else f"{first} … {last}"
