"""From the rows of stations and pumps to the equipment that is put in force.

A row that can't be used is named and skipped; the others run. If it was in use before, what it was
then stays in force until it is mended or retired: a slip of the pen stops no pump.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from config import Config
from runtime.database.rules import Row, Values, pump_values, station_values
from runtime.equipment import Equipment, PumpEntry, StationEntry

KEPT = "; what was valid before stays in force"


def assemble(
    stations: Sequence[Row], pumps: Sequence[Row], config: Config, known: Equipment
) -> Equipment:
    """The equipment that the rows describe; `known` is what has been in force."""
    return _Assembly(config, known).all(stations, pumps)


class _Assembly:
    def __init__(self, config: Config, known: Equipment) -> None:
        self._config = config
        self._known = known
        self._known_stations = {station.station_id: station for station in known.stations}
        self._known_pumps = {pump.pump_id: pump for pump in known.pumps}
        self._problems: list[str] = []

    def all(self, stations: Sequence[Row], pumps: Sequence[Row]) -> Equipment:
        chosen = self._config.stations
        for missing in sorted(set(chosen) - {str(row["station_id"]) for row in stations}):
            self._problems.append(
                f"stations: found {missing!r} in the configuration, allowed are the station_id of"
                " pump_stations"
            )
        ours = [row for row in stations if not chosen or row["station_id"] in chosen]
        usable = {station.station_id: station for row in ours for station in self._station(row)}
        names = {str(row["station_id"]) for row in ours}
        found = [pump for row in pumps for pump in self._pump(row, usable, names)]
        return Equipment(
            self._known.version, tuple(usable.values()), tuple(found), tuple(self._problems)
        )

    def _station(self, row: Row) -> Iterator[StationEntry]:
        station_id, active = str(row["station_id"]), bool(row["active"])
        known = self._known_stations.get(station_id)
        if not self._has_room(row, f"station {station_id}", "stations", active):
            return
        values, problems = station_values(row, self._config)
        parameters = self._settle(row, active, values, problems, known)
        if parameters is not None:
            yield StationEntry(
                parameters=parameters,
                station_id=station_id,
                active=active,
                timezone=str(row["timezone"]),
                **_common(row),
            )

    def _pump(
        self, row: Row, stations: dict[str, StationEntry], ours: set[str]
    ) -> Iterator[PumpEntry]:
        station_id, pump_id = str(row["station_id"]), cast(int, row["pump_id"])
        if station_id not in ours:
            return
        name = f"station {station_id}, pump {pump_id}"
        station = stations.get(station_id)
        if station is None:
            self._problems.append(f"{name}: its station can not be used")
            return
        active = bool(row["active"]) and station.active
        if not self._has_room(row, name, "pumps", active):
            return
        values, problems = pump_values(row, station.parameters, self._config)
        known = self._known_pumps.get(pump_id)
        parameters = self._settle(row, active, values, problems, known)
        if parameters is not None:
            yield PumpEntry(
                parameters=parameters,
                pump_id=pump_id,
                station_id=station_id,
                active=active,
                **_common(row),
            )

    def _has_room(self, row: Row, name: str, table: str, active: bool) -> bool:
        capacity = getattr(self._config.capacity, table)
        if cast(int, row["slot"]) < capacity:
            return True
        if active:
            self._problems.append(
                f"{name}: found slot {row['slot']}, allowed 0 to {capacity - 1}; raise"
                f" capacity.{table} in scan.yaml and restart"
            )
        return False

    def _settle(
        self,
        row: Row,
        active: bool,
        values: Values,
        problems: list[str],
        known: StationEntry | PumpEntry | None,
    ) -> Values | None:
        """The parameters to use; None if there are none. A retired row keeps its place without."""
        if not problems:
            return values
        kept = known.parameters if known is not None and known.slot == row["slot"] else {}
        if not active:
            return kept
        self._problems += [problem + (KEPT if kept else "") for problem in problems]
        return kept or None


def _common(row: Row) -> dict[str, Any]:
    return {
        "slot": row["slot"],
        "name": str(row["name"]),
        "unit": row["modbus_unit"],
        "base": row["modbus_base"],
    }
