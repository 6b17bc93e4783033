"""Alarms: every tag that declares one and is true."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import falcon
import numpy as np

from runtime.servers.rest import models
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.replies import mirror, newest, utc
from runtime.servers.rest.snapshots import Plant, Snapshot, Snapshots
from runtime.tag import Table, Tag
from runtime.tags import SHOWN, Pump, Station, System

DECLARED = [(table, tag) for table in SHOWN for tag in table.tags() if tag.alarm is not None]


class AlarmsResource:
    """Active alarms."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    @documented(models.Alarms, status=(200, 304), refusals=(503,), about="alarms")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Active alarms: cause, consequence, what to do; by priority, the oldest first."""
        snapshot = newest(self._snapshots)
        mirror(req, resp, snapshot, lambda: self._render(snapshot))

    def _render(self, snapshot: Snapshot) -> dict[str, Any]:
        found = [
            (tag.alarm.priority, snapshot.columns.value(table.tag(tag.since), slot), tag, slot)
            for table, tag in DECLARED
            if tag.alarm is not None
            for slot in _active(snapshot, table, tag)
        ]
        found.sort(key=lambda alarm: alarm[:2])
        return {
            "active": len(found),
            "alarms": [
                _told(snapshot.plant, tag, slot, since)
                for _, since, tag, slot in found[: models.MANY]
            ],
        }


def _active(snapshot: Snapshot, table: type[Table], tag: Tag) -> list[int]:
    """The rows in which the alarm is active. Only equipment in use has alarms."""
    active = snapshot.columns[tag].astype(bool)
    if table is not System:
        active &= snapshot.columns[table.tag("Configured")].astype(bool)
    slots: list[int] = np.flatnonzero(active).tolist()
    return [slot for slot in slots if table is System or slot in _known(snapshot.plant, table)]


def _known(plant: Plant, table: type[Table]) -> Container[int]:
    return plant.station_in if table is Station else plant.pump_in


def _told(plant: Plant, tag: Tag, slot: int, since: float) -> dict[str, Any]:
    station, pump = None, None
    if tag.table == Station.__name__:
        station = plant.station_in[slot].station_id
    elif tag.table == Pump.__name__:
        station, pump = plant.pump_in[slot].station_id, plant.pump_in[slot].pump_id
    alarm = tag.alarm
    assert alarm is not None
    return {
        "alarm": tag.name,
        "scope": tag.table.lower(),
        "station": station,
        "pump": pump,
        "priority": alarm.priority,
        "text": tag.doc,
        "cause": alarm.cause,
        "consequence": alarm.consequence,
        "response": alarm.response,
        "since": utc(since),
    }
