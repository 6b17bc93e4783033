"""Alerts: who was told of which alarm, by which way, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import falcon
from pydantic import AwareDatetime, Field

from runtime.servers.rest.asked import PRINTABLE
from runtime.servers.rest.histories import asking
from runtime.servers.rest.models import MANY, Model, PumpId, StationId
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.plant import pump_named, station_named
from runtime.servers.rest.queries import Queries
from runtime.servers.rest.replies import send
from runtime.servers.rest.snapshots import Snapshots

AlertState = Literal["gathered", "digested", "pending", "delivered", "expired", "withdrawn"]


class AlertsWanted(Model):
    """Which alerts."""

    station: StationId | None = None
    pump: PumpId | None = None
    channel: str | None = Field(None, max_length=64, pattern=PRINTABLE)
    state: AlertState | None = None
    since: AwareDatetime | None = Field(None, description="Not made before this time.")
    limit: int = Field(100, ge=1, le=MANY, description="Most alerts, the newest first.")


class Attempt(Model):
    number: int
    at: datetime
    took_s: float
    outcome: Literal["delivered", "failed"]
    error: str | None


class Alert(Model):
    """One message to one channel."""

    key: str = Field(description="By which its receiver recognises repeats.")
    alarm_key: str | None = Field(description="The occurrence of the alarm that it tells.")
    kind: Literal["raised", "cleared", "digest", "test"]
    channel: str
    tag: str | None
    station: StationId | None
    pump: PumpId | None
    priority: Literal[1, 2, 3, 4]
    title: str
    message: str
    value: str | None
    limit: str | None
    since: datetime | None = Field(description="Since when the alarm has been active.")
    at: datetime
    state: AlertState
    ended_at: datetime | None
    digest: str | None = Field(description="The key of the digest that told it in a flood.")
    attempts: list[Attempt]


class Alerts(Model):
    alerts: list[Alert]


class AlertsResource:
    """The history of alerts."""

    def __init__(self, snapshots: Snapshots, queries: Queries) -> None:
        self._snapshots = snapshots
        self._queries = queries

    @documented(Alerts, query=AlertsWanted, refusals=(404, 503), about="alarms")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Messages by mail, SMS and webhook with every attempt, the newest first."""
        wanted: AlertsWanted = req.context.query
        if wanted.pump is not None:
            pump_named(self._snapshots.plant, wanted.pump, wanted.station)
        elif wanted.station is not None:
            station_named(self._snapshots.plant, wanted.station)
        with asking("`calejo alerts history` shows what is here"):
            rows = self._queries.alerts(wanted.model_dump())
        send(resp, {"alerts": rows})
