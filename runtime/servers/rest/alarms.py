"""Alarms: every tag that declares one and is true."""

from __future__ import annotations

from typing import Any

import falcon
import numpy as np
from numpy.typing import NDArray

from runtime.servers.rest import models
from runtime.servers.rest.directory import Plant
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.replies import mirror, newest, utc
from runtime.servers.rest.snapshots import Snapshot, Snapshots
from runtime.tag import Tag
from runtime.tags import SHOWN, System

DECLARED = [(table, tag) for table in SHOWN for tag in table.tags() if tag.alarm is not None]
PRIORITIES = np.array([tag.alarm.priority for _, tag in DECLARED if tag.alarm is not None])


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
        kinds, slots, since = _active(snapshot)
        order = np.lexsort((since, PRIORITIES[kinds]))[: models.MANY]
        return {
            "active": len(slots),
            "alarms": [
                _told(snapshot.plant, DECLARED[kind][1], slot, moment)
                for kind, slot, moment in zip(
                    kinds[order].tolist(), slots[order].tolist(), since[order].tolist(), strict=True
                )
            ],
        }


def _active(snapshot: Snapshot) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Kind (place in DECLARED), row and beginning of each active alarm of equipment in use."""
    columns = snapshot.columns
    kinds, rows, since = [], [], []
    for kind, (table, tag) in enumerate(DECLARED):
        active = columns[tag].astype(bool)
        if table is not System:
            active &= columns[table.tag("Configured")].astype(bool)
        found = np.flatnonzero(active)
        kinds.append(np.full(len(found), kind))
        rows.append(found)
        since.append(columns[table.tag(tag.since)][found].astype(float))
    return np.concatenate(kinds), np.concatenate(rows), np.concatenate(since)


def _told(plant: Plant, tag: Tag, slot: int, since: float) -> dict[str, Any]:
    alarm = tag.alarm
    assert alarm is not None
    station, pump = plant.place(tag.table, slot)
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
