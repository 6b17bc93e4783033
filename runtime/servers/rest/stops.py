"""Emergency stops: set, cleared, listed.

A stop goes to the scan by the shortest way: nothing here waits for a database or for another
client. A pump, station or system that is stopped already stays stopped under the id of the first
stop: stopping it again is answered with that id and 200 instead of 201.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import falcon
import numpy as np
import structlog

from runtime.requests import MailboxFull
from runtime.security.permissions import Permission
from runtime.servers.mirror import Answer, Asker, Result
from runtime.servers.rest import asked, models
from runtime.servers.rest.asking import Asking
from runtime.servers.rest.directory import Plant
from runtime.servers.rest.identity import asker
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.plant import pump_named, station_named
from runtime.servers.rest.problems import Fault, Problem, quoted, unknown
from runtime.servers.rest.queries import Away, Busy, Queries
from runtime.servers.rest.replies import head, newest, send, utc
from runtime.servers.rest.snapshots import Snapshot, Snapshots
from runtime.tags import Pump, Station, System

Stoppable: TypeAlias = type[System] | type[Station] | type[Pump]
TABLES: dict[str, Stoppable] = {"system": System, "station": Station, "pump": Pump}
PATH = "/api/v1/emergency-stops"
REFUSED = {
    Result.UNKNOWN_SLOT: (409, "it is not in use: retired, or not taken over yet"),
    Result.UNKNOWN_STOP: (409, "that emergency stop is not in force any more"),
    Result.CAUSE_REMAINS: (
        409,
        "a pump that the emergency stop shall stop is still reported running, and not by local"
        " control; clear the stop once it stands",
    ),
    Result.TOO_LATE: (503, "the scan did not answer in time; it will not be executed later"),
}

logger = structlog.get_logger()


@dataclass(frozen=True)
class Target:
    """What a stop is about."""

    scope: str
    station: str | None
    pump: int | None
    slot: int

    @property
    def place(self) -> dict[str, Any]:
        return {"scope": self.scope, "station": self.station, "pump": self.pump}


def target(plant: Plant, order: asked.StopOrder) -> Target:
    """What the order names, or a problem that tells what there is."""
    if order.scope == "pump" and order.pump is not None:
        pump = pump_named(plant, order.pump, order.station)
        return Target("pump", pump.station_id, pump.pump_id, pump.slot)
    if order.scope == "station" and order.station is not None:
        station = station_named(plant, order.station)
        return Target("station", station.station_id, None, station.slot)
    return Target("system", None, None, 0)


@dataclass(frozen=True)
class InForce:
    """A stop as the image has it."""

    id: int
    target: Target
    since: float

    def shown(self) -> dict[str, Any]:
        return {"id": str(self.id), **self.target.place, "since": utc(self.since)}


def in_force(snapshot: Snapshot) -> Iterator[InForce]:
    """All stops in force: the system's, those of stations, those of pumps."""
    columns, plant = snapshot.columns, snapshot.plant
    for scope, table in TABLES.items():
        for slot in np.flatnonzero(columns[table.EmergencyStop]).tolist():
            at = Target(scope, *plant.place(table.__name__, slot), slot)
            since = columns.value(table.EmergencyStopSince, slot)
            yield InForce(int(columns[table.EmergencyStopId][slot]), at, since)


def history(queries: Queries, limit: int, identity: int | None = None) -> dict[str, Any]:
    """What the database has of stops; says so if it has no answer."""
    try:
        return {"history": "available", "events": queries.stops(limit, identity)}
    except (Away, Busy) as error:
        logger.warning("history unavailable", reason=str(error))
        return {"history": "unavailable", "events": []}


class StopsResource:
    """Emergency stops."""

    def __init__(self, snapshots: Snapshots, asking: Asking, queries: Queries) -> None:
        self._snapshots = snapshots
        self._asking = asking
        self._queries = queries

    @documented(models.Stops, query=asked.StopsWanted, refusals=(503,), about="emergency stops")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Emergency stops in force and, with `state=all`, what was set and cleared before."""
        wanted: asked.StopsWanted = req.context.query
        snapshot = newest(self._snapshots)
        told = {"history": "omitted", "events": []}
        if wanted.state == "all":
            told = history(self._queries, wanted.limit)
        active = [stop.shown() for stop in in_force(snapshot)]
        send(resp, {**head(snapshot), "active": active, **told})

    @documented(
        models.Done,
        status=(200, 201),
        body=asked.StopOrder,
        needs=Permission.STOP,
        refusals=(401, 403, 404, 409, 503),
        about="emergency stops",
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Stop a pump, a station or the whole system.

        201 when the stop is latched and published. 200 when it was stopped already: the id is that
        of the stop in force.
        """
        order: asked.StopOrder = req.context.json
        at = target(self._snapshots.plant, order)
        table = TABLES[at.scope]
        answer, held = ask(self._asking, at, 1.0, asker(req, order.reason), table.EmergencyStopId)
        identity = held or answer.id
        fresh = identity == answer.id
        event = "emergency stop set" if fresh else "emergency stop in force already"
        logger.warning(event, id=str(identity), scan=answer.scan, **at.place)
        resp.status = falcon.HTTP_201 if fresh else falcon.HTTP_200
        resp.set_header("Location", f"{PATH}/{identity}")
        send(resp, done(identity, at, answer))

    @documented(models.OneStop, refusals=(404, 503), about="emergency stops")
    def on_get_one(self, req: falcon.Request, resp: falcon.Response, stop: str) -> None:
        """One emergency stop: whether it is in force, and what was done to it."""
        snapshot = newest(self._snapshots)
        active = {str(found.id): found for found in in_force(snapshot)}
        told = history(self._queries, models.MANY, int(stop)) if _is_id(stop) else {"events": []}
        if stop not in active and not told["events"]:
            if told.get("history") == "unavailable":
                raise Problem(503, f"Stop {stop} is not in force, and the database is away.")
            raise unknown("emergency stop", "id", stop, active)
        shown = active[stop].shown() if stop in active else None
        send(resp, {**head(snapshot), "active": shown, **told})


class ClearingResource:
    """The end of an emergency stop."""

    def __init__(self, snapshots: Snapshots, asking: Asking) -> None:
        self._snapshots = snapshots
        self._asking = asking

    @documented(
        models.Done,
        body=asked.Clearing,
        needs=Permission.CLEAR,
        refusals=(401, 403, 404, 409, 503),
        about="emergency stops",
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response, stop: str) -> None:
        """Clear an emergency stop, with a reason. Pumps return through limits and rate, no jump."""
        clearing: asked.Clearing = req.context.json
        active = {str(found.id): found for found in in_force(newest(self._snapshots))}
        if stop not in active:
            raise unknown("emergency stop in force", "id", stop, active)
        found = active[stop]
        table = TABLES[found.target.scope]
        answer, _ = ask(
            self._asking,
            found.target,
            0.0,
            asker(req, clearing.reason),
            table.EmergencyStopId,
            found.id,
        )
        logger.warning("emergency stop cleared", id=stop, scan=answer.scan, **found.target.place)
        send(resp, done(found.id, found.target, answer))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) < 1 << 63


def ask(
    asking: Asking, at: Target, value: float, who: Asker, shown: Any, reference: int = 0
) -> tuple[Answer, int]:
    """Ask the scan to set or release the latch; a problem if it did not do so."""
    latch = TABLES[at.scope].EmergencyStop
    try:
        answer, held = asking.ask(latch, at.slot, value, who, shown, reference)
    except MailboxFull as error:
        detail = f"Not done: {error}. Use the hardwired emergency stop if there is danger."
        raise Problem(503, detail, headers={"Retry-After": "1"}) from None
    if answer.result is Result.EXECUTED:
        return answer, held
    status, why = REFUSED.get(answer.result, (500, f"the scan refused it: {answer.result.name}"))
    logger.error("emergency stop not changed", result=answer.result.name, **asdict(at))
    hint = " Use the hardwired emergency stop if there is danger." if status == 503 else ""
    fault = Fault(at.scope, answer.result.name.lower(), quoted(at.place), "see detail")
    raise Problem(status, f"Not done: {why}.{hint}", [fault])


def done(identity: int, at: Target, answer: Answer) -> dict[str, Any]:
    return {
        "id": str(identity),
        **at.place,
        "scan": answer.scan,
        "latency_ms": round(answer.latency * 1000, 1),
        "durable": answer.durable,
    }
