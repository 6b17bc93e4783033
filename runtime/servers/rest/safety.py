"""What protects the plant now, and what has: stops, failsafe, limits, violations."""

from __future__ import annotations

from typing import Any

import falcon
import numpy as np

from runtime.servers.rest import asked, models
from runtime.servers.rest.histories import asking
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.plant import pump_named, station_named
from runtime.servers.rest.queries import Queries
from runtime.servers.rest.replies import mirror, newest, send
from runtime.servers.rest.snapshots import Snapshot, Snapshots
from runtime.servers.rest.tagged import tags
from runtime.tags import Pump, Station, System


class SafetyResource:
    """The state of everything that protects."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    @documented(models.Safety, status=(200, 304), refusals=(503,), about="safety")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Emergency stops, failsafe with the age of plans, and the limits that act.

        Every station is listed; of its pumps, those that a stop, a limit or a trip acts on.
        """
        snapshot = newest(self._snapshots)
        mirror(req, resp, snapshot, lambda: self._render(snapshot))

    def _render(self, snapshot: Snapshot) -> dict[str, Any]:
        columns, plant = snapshot.columns, snapshot.plant
        limited = columns[Pump.Limited].astype(bool) | columns[Pump.LevelTrip].astype(bool)
        stopped = columns[Pump.Stopped].astype(bool) | columns[Pump.EmergencyStop].astype(bool)
        rows = np.flatnonzero(limited | stopped).tolist()
        slots = [slot for slot in rows if slot in plant.pump_in]
        acting: dict[str, list[dict[str, Any]]] = {station: [] for station in plant.stations}
        for slot, row in zip(slots, tags(snapshot, Pump, slots, models.PUMP_SAFETY), strict=True):
            pump = plant.pump_in[slot]
            acting[pump.station_id].append({"pump": pump.pump_id, "tags": row})
        stations = list(plant.stations.values())
        states = tags(snapshot, Station, [s.slot for s in stations], models.STATION_SAFETY)
        return {
            "emergency_stops": sum(
                int(np.count_nonzero(columns[table.EmergencyStop]))
                for table in (System, Station, Pump)
            ),
            "failsafe_stations": int(np.count_nonzero(columns[Station.Failsafe])),
            "limited_pumps": int(np.count_nonzero(limited)),
            "system": {"tags": tags(snapshot, System, [0], models.SYSTEM_SAFETY)[0]},
            "stations": [
                {
                    "station": station.station_id,
                    "tags": row,
                    "pumps": acting[station.station_id],
                }
                for station, row in zip(stations, states, strict=True)
            ],
        }


class ViolationsResource:
    """The record of limits that acted."""

    def __init__(self, snapshots: Snapshots, queries: Queries) -> None:
        self._snapshots = snapshots
        self._queries = queries

    @documented(
        models.Violations,
        query=asked.ViolationsWanted,
        refusals=(404, 503),
        about="safety",
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Safety limits that acted, the newest first, from the database."""
        wanted: asked.ViolationsWanted = req.context.query
        if wanted.pump is not None:
            pump_named(self._snapshots.plant, wanted.pump, wanted.station)
        elif wanted.station is not None:
            station_named(self._snapshots.plant, wanted.station)
        with asking("/api/v1/safety shows what acts now"):
            rows = self._queries.violations(wanted.model_dump())
        send(resp, {"violations": rows})
