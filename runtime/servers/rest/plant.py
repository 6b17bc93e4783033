"""Stations and pumps with all their tags."""

from __future__ import annotations

from typing import Any

import falcon

from runtime.equipment import PumpEntry, StationEntry
from runtime.servers.rest import models
from runtime.servers.rest.directory import Plant, named
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.problems import Problem, unknown
from runtime.servers.rest.replies import mirror, newest
from runtime.servers.rest.snapshots import Snapshot, Snapshots
from runtime.servers.rest.tagged import tags
from runtime.tags import Pump, Station, System


def station_named(plant: Plant, station: str) -> StationEntry:
    """The station of that id, or a problem that tells which there are."""
    found = plant.stations.get(station)
    if found is None:
        raise unknown("station", "station", station, plant.stations)
    return found


def pump_named(plant: Plant, pump: int | str, station: str | None = None) -> PumpEntry:
    """The pump of that id, in that station if one is named, or a problem that tells which are."""
    try:
        found = plant.pumps.get(int(pump))
    except ValueError:
        found = None
    if station is not None:
        known = [
            entry.pump_id for entry in plant.pumps_of[station_named(plant, station).station_id]
        ]
        if found is None or found.station_id != station:
            raise _unknown_pump(pump, known, station)
    elif found is None:
        raise _unknown_pump(pump, list(plant.pumps))
    return found


def _unknown_pump(pump: int | str, known: list[int], station: str = "") -> Problem:
    return unknown("pump", "pump", pump, known, f" in station {station!r}" if station else "")


def _head(station: StationEntry) -> dict[str, Any]:
    return {
        "station": station.station_id,
        "name": station.name,
        "timezone": station.timezone,
        "active": station.active,
    }


class StationsResource:
    """All stations."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    @documented(models.Stations, status=(200, 304), refusals=(503,), about="plant")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The system and all stations with their tags, and which pumps they have."""
        snapshot = newest(self._snapshots)
        mirror(req, resp, snapshot, lambda: self._render(snapshot))

    def _render(self, snapshot: Snapshot) -> dict[str, Any]:
        plant = snapshot.plant
        stations = list(plant.stations.values())
        rows = tags(snapshot, Station, [station.slot for station in stations])
        return {
            "system": {"tags": tags(snapshot, System, [0])[0]},
            "stations": [
                {
                    **_head(station),
                    "tags": row,
                    "pumps": plant.pumps_listed[station.station_id],
                }
                for station, row in zip(stations, rows, strict=True)
            ],
            "problems": plant.problems,
        }


class StationResource:
    """One station."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    @documented(models.StationReply, status=(200, 304), refusals=(404, 503), about="plant")
    def on_get(self, req: falcon.Request, resp: falcon.Response, station: str) -> None:
        """A station and its pumps with their tags."""
        entry = station_named(self._snapshots.plant, station)
        snapshot = newest(self._snapshots)
        mirror(req, resp, snapshot, lambda: self._render(snapshot, entry))

    def _render(self, snapshot: Snapshot, station: StationEntry) -> dict[str, Any]:
        pumps = snapshot.plant.pumps_of[station.station_id]
        rows = tags(snapshot, Pump, [pump.slot for pump in pumps])
        return {
            **_head(station),
            "tags": tags(snapshot, Station, [station.slot])[0],
            "pumps": [{**named(pump), "tags": row} for pump, row in zip(pumps, rows, strict=True)],
        }


class PumpResource:
    """One pump."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    @documented(models.PumpReply, status=(200, 304), refusals=(404, 503), about="plant")
    def on_get(self, req: falcon.Request, resp: falcon.Response, station: str, pump: str) -> None:
        """A pump with its tags."""
        entry = pump_named(self._snapshots.plant, pump, station)
        snapshot = newest(self._snapshots)
        mirror(req, resp, snapshot, lambda: self._render(snapshot, entry))

    def _render(self, snapshot: Snapshot, pump: PumpEntry) -> dict[str, Any]:
        return {
            "station": pump.station_id,
            **named(pump),
            "tags": tags(snapshot, Pump, [pump.slot])[0],
        }
