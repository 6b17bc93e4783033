"""Health for supervisors and load balancers: of the processes, and of the data."""

from __future__ import annotations

import math
from typing import Any

import falcon
import numpy as np

from runtime.places import Places
from runtime.progress import Health, look
from runtime.servers.rest import models
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.replies import send
from runtime.servers.rest.snapshots import Snapshots
from runtime.tags import Pump

PROCESSES = ("scan", "recorder", "database", "modbus", "opcua", "rest")
HUNG = 5.0  # s without progress; a process at work moves at least each second
PLAN = 1


def healths(places: Places) -> list[Health | None]:
    """What each process says of itself; None for one that has never started."""
    return [look(places.progress(process)) for process in PROCESSES]


def _told(process: str, health: Health | None) -> dict[str, Any]:
    if health is None:
        return {
            "process": process,
            "state": "absent",
            "text": "has not started",
            "pid": None,
            "age_s": None,
        }
    return {
        "process": process,
        "state": "hung" if health.age > HUNG else health.state.name.lower(),
        "text": health.text,
        "pid": health.pid,
        "age_s": round(health.age, 3),
    }


class HealthResource:
    """Whether this server shows live data."""

    def __init__(self, snapshots: Snapshots, places: Places) -> None:
        self._snapshots = snapshots
        self._places = places

    @documented(models.Health, status=(200, 503), about="health")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """200 while the image is live, 503 with the same body while not; all processes."""
        snapshot = self._snapshots.newest()
        live = snapshot is not None and snapshot.live
        age = snapshot.age if snapshot is not None else math.inf
        told = [_told(*pair) for pair in zip(PROCESSES, healths(self._places), strict=True)]
        resp.status = falcon.HTTP_200 if live else falcon.HTTP_503
        send(
            resp,
            {
                "status": "live" if live else "no live data",
                "scan": snapshot.scan if snapshot is not None else None,
                "image_age_s": round(age, 3) if math.isfinite(age) else None,
                "processes": told,
            },
        )


class ReadinessResource:
    """Whether the system does its job."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._plan_driven = False

    @documented(models.Readiness, status=(200, 503), about="health")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """200 once the image is live, equipment is loaded and a setpoint has followed a plan.

        The last stays true when plans fail later: then operators need this server most.
        """
        snapshot = self._snapshots.newest()
        live = snapshot is not None and snapshot.live
        if snapshot is not None:
            planned = snapshot.columns[Pump.Authority] == PLAN
            configured = snapshot.columns[Pump.Configured].astype(bool)
            self._plan_driven = self._plan_driven or bool(np.any(planned & configured))
        loaded = snapshot is not None and snapshot.plant.version > 0
        ready = live and loaded and self._plan_driven
        resp.status = falcon.HTTP_200 if ready else falcon.HTTP_503
        send(
            resp,
            {
                "ready": ready,
                "image_live": live,
                "equipment_loaded": loaded,
                "plan_driven": self._plan_driven,
            },
        )
