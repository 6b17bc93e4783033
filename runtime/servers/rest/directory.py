"""The equipment, indexed for look-ups."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import orjson

from runtime.equipment import Equipment, PumpEntry, StationEntry


def named(pump: PumpEntry) -> dict[str, Any]:
    """A pump by name."""
    return {"pump": pump.pump_id, "name": pump.name, "active": pump.active}


class Plant:
    """The stations and pumps that a snapshot is about."""

    def __init__(self, listed: Equipment) -> None:
        self.version = listed.version
        self.problems = listed.problems
        self.stations: dict[str, StationEntry] = {s.station_id: s for s in listed.stations}
        self.pumps: dict[int, PumpEntry] = {p.pump_id: p for p in listed.pumps}
        self.pumps_of: dict[str, list[PumpEntry]] = {s: [] for s in self.stations}
        for pump in listed.pumps:
            self.pumps_of[pump.station_id].append(pump)

    @cached_property
    def pumps_listed(self) -> dict[str, orjson.Fragment]:
        """For each station its pumps by name, in JSON: there may be ten thousand."""
        return {
            station: orjson.Fragment(orjson.dumps([named(pump) for pump in pumps]))
            for station, pumps in self.pumps_of.items()
        }

    def place(self, table: str, slot: int) -> tuple[str | None, int | None]:
        """Station and pump that a row is about; None where there is none, or none is listed."""
        if table == "Station" and slot in self.station_in:
            return self.station_in[slot].station_id, None
        if table == "Pump" and slot in self.pump_in:
            return self.pump_in[slot].station_id, self.pump_in[slot].pump_id
        return None, None

    @cached_property
    def station_in(self) -> dict[int, StationEntry]:
        """The stations by slot."""
        return {station.slot: station for station in self.stations.values()}

    @cached_property
    def pump_in(self) -> dict[int, PumpEntry]:
        """The pumps by slot."""
        return {pump.slot: pump for pump in self.pumps.values()}
