"""What may be asked of an alarm: acknowledge, shelve, take out of service, and the ways back.

Each is a request to the scan, recorded with who, why and from where. Asking twice does no harm:
what is so already is answered with 200 and `changed: false`, and the scan is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import falcon
import structlog

from runtime.alarm import TO_ACKNOWLEDGE, WORDS, AlarmState
from runtime.requests import MailboxFull
from runtime.security.permissions import Permission
from runtime.servers.mirror import Answer, Asker, Result
from runtime.servers.rest import asked, models
from runtime.servers.rest.alarms import not_normal
from runtime.servers.rest.asking import Asking
from runtime.servers.rest.identity import asker
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.plant import pump_named, station_named
from runtime.servers.rest.problems import Fault, Problem, unknown
from runtime.servers.rest.replies import newest, send
from runtime.servers.rest.snapshots import Snapshot, Snapshots
from runtime.tags import ALARMS, DeclaredAlarm

AT_ONCE = 50  # half of what a scan takes, so that a stop that comes meanwhile is taken with them
REFUSALS = (401, 403, 404, 409, 503)

Responder = TypeVar("Responder", bound=Callable[..., None])
logger = structlog.get_logger()


@dataclass(frozen=True)
class Wish:
    """What to ask for: a state, and the states from which that is of use. From others it is so."""

    state: AlarmState
    of_use: frozenset[AlarmState]


_HIDDEN = frozenset({AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE})
_ALL, _SERVED = frozenset(AlarmState), frozenset({AlarmState.OUT_OF_SERVICE})
_LATCHED = frozenset({AlarmState.LATCHED, AlarmState.LATCHED_ACKNOWLEDGED})
ACKNOWLEDGE = Wish(AlarmState.ACKNOWLEDGED, TO_ACKNOWLEDGE | _HIDDEN)
SHELVE = Wish(AlarmState.SHELVED, _ALL)
UNSHELVE = Wish(AlarmState.NORMAL, frozenset({AlarmState.SHELVED}))
TAKE_OUT = Wish(AlarmState.OUT_OF_SERVICE, _ALL - _SERVED)
RETURN = Wish(AlarmState.NORMAL, _SERVED)
RESET = Wish(AlarmState.NORMAL, _LATCHED)


@dataclass(frozen=True)
class Target:
    """The alarm that a body names."""

    declared: DeclaredAlarm
    slot: int
    place: Mapping[str, Any]

    @property
    def named(self) -> dict[str, Any]:
        return {"alarm": self.declared.tag.name, **self.place}

    def state(self, snapshot: Snapshot) -> AlarmState:
        return AlarmState(int(snapshot.columns.value(self.declared.state, self.slot)))


def target(snapshot: Snapshot, named: asked.AlarmNamed) -> Target:
    """What a body names, or a problem that tells what there is."""
    plant = snapshot.plant
    scope, slot, station, pump = "system", 0, None, None
    if named.pump is not None:
        entry = pump_named(plant, named.pump, named.station)
        scope, slot, station, pump = "pump", entry.slot, entry.station_id, entry.pump_id
    elif named.station is not None:
        scope, station = "station", named.station
        slot = station_named(plant, named.station).slot
    known = {a.tag.name: a for a in ALARMS if a.table.__name__.lower() == scope}
    if named.alarm not in known:
        raise unknown("alarm", "body.alarm", named.alarm, known, f" of a {scope}")
    return Target(known[named.alarm], slot, {"scope": scope, "station": station, "pump": pump})


def _takes(body: type[asked.AlarmNamed], needs: Permission) -> Callable[[Responder], Responder]:
    return documented(models.AlarmDone, body=body, needs=needs, refusals=REFUSALS, about="alarms")


class AlarmWishesResource:
    """Wishes about one alarm."""

    def __init__(self, snapshots: Snapshots, asking: Asking) -> None:
        self._snapshots = snapshots
        self._asking = asking

    @_takes(asked.AlarmNamed, Permission.ACKNOWLEDGE)
    def on_post_acknowledge(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Acknowledge an alarm."""
        self._do(req, resp, ACKNOWLEDGE)

    @_takes(asked.AlarmShelved, Permission.SHELVE)
    def on_post_shelve(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Hide an alarm for a while, with a reason. One of priority 1 takes an engineer."""
        self._do(req, resp, SHELVE)

    @_takes(asked.AlarmNamed, Permission.SHELVE)
    def on_post_unshelve(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show a shelved alarm again. If it is active it is announced anew."""
        self._do(req, resp, UNSHELVE)

    @_takes(asked.AlarmHidden, Permission.SUPPRESS)
    def on_post_take_out(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Hide an alarm until it is returned to service, with a reason. It takes an engineer."""
        self._do(req, resp, TAKE_OUT)

    @_takes(asked.AlarmNamed, Permission.SUPPRESS)
    def on_post_return(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Return an alarm to service. It takes an engineer."""
        self._do(req, resp, RETURN)

    @_takes(asked.AlarmNamed, Permission.ACKNOWLEDGE)
    def on_post_reset(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Reset a latched alarm that has been acknowledged and is not active any more."""
        self._do(req, resp, RESET)

    def _do(self, req: falcon.Request, resp: falcon.Response, wish: Wish) -> None:
        named: asked.AlarmNamed = req.context.json
        snapshot = newest(self._snapshots)
        at = target(snapshot, named)
        if at.state(snapshot) not in wish.of_use:
            send(resp, _unchanged(at, snapshot))
            return
        seconds = named.seconds if isinstance(named, asked.AlarmShelved) else 0
        answer, state = self._ask(at, wish, asker(req, named.reason), seconds)
        if answer.result is Result.EXECUTED:
            logger.info("alarm changed", id=str(answer.id), scan=answer.scan, **at.named)
            send(resp, _changed(at, answer, state))
            return
        snapshot = newest(self._snapshots)
        if answer.result is not Result.WRONG_STATE or at.state(snapshot) in wish.of_use:
            raise _refusal(at, answer.result, at.state(snapshot))
        send(resp, _unchanged(at, snapshot))  # somebody else was quicker

    def _ask(self, at: Target, wish: Wish, who: Asker, seconds: int) -> tuple[Answer, int]:
        tag = at.declared.state
        try:
            return self._asking.ask(tag, at.slot, wish.state, who, tag, seconds)
        except MailboxFull as error:
            raise _full(error) from None


class AcknowledgeAllResource:
    """All alarms of a station at once."""

    def __init__(self, snapshots: Snapshots, asking: Asking) -> None:
        self._snapshots = snapshots
        self._asking = asking

    @documented(
        models.AllAcknowledged,
        body=asked.StationAcknowledged,
        needs=Permission.ACKNOWLEDGE,
        refusals=(401, 403, 404, 503),
        about="alarms",
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Acknowledge what waits for it in a station, as of the newest scan: each for itself."""
        wanted: asked.StationAcknowledged = req.context.json
        snapshot = newest(self._snapshots)
        station = station_named(snapshot.plant, wanted.station)
        found = not_normal(snapshot)
        waiting = [
            (ALARMS[kind].state, slot)
            for kind, slot, state, of in zip(
                *(c.tolist() for c in (found.kind, found.slot, found.state, found.station)),
                strict=True,
            )
            if of == station.slot and state in TO_ACKNOWLEDGE
        ]
        acknowledged = 0
        who = asker(req, wanted.reason)
        try:
            for start in range(0, min(len(waiting), models.MANY), AT_ONCE):
                some = waiting[start : start + AT_ONCE]
                answers = self._asking.ask_each(some, AlarmState.ACKNOWLEDGED, who)
                acknowledged += sum(answer.result is Result.EXECUTED for answer, _ in answers)
        except MailboxFull as error:
            raise _full(error) from None
        logger.info("alarms acknowledged", station=wanted.station, count=acknowledged)
        left = len(waiting) - acknowledged
        send(
            resp,
            {"station": wanted.station, "acknowledged": acknowledged, "left": left},
        )


def _full(error: MailboxFull) -> Problem:
    return Problem(503, f"Not done: {error}.", headers={"Retry-After": "1"})


def _refusal(at: Target, result: Result, state: AlarmState) -> Problem:
    status, why = {
        Result.UNKNOWN_SLOT: (409, "it is not in use: retired, or not taken over yet"),
        Result.WRONG_STATE: (409, f"that is not possible while it is {WORDS[state]}"),
        Result.NOT_ALLOWED: (403, "that takes an engineer"),
        Result.TOO_LATE: (503, "the scan did not answer in time; it will not be done later"),
    }.get(result, (500, f"the scan refused it: {result.name}"))
    found = f"{at.declared.tag.name}, {WORDS[state]}"
    fault = Fault("body.alarm", result.name.lower().replace("_", " "), found, "see detail")
    return Problem(status, f"Not done: {why}.", [fault])


def _changed(at: Target, answer: Answer, state: int) -> dict[str, Any]:
    return {
        **at.named,
        "state": WORDS[state],
        "changed": True,
        "id": str(answer.id),
        "scan": answer.scan,
        "latency_ms": round(answer.latency * 1000, 1),
        "durable": answer.durable,
    }


def _unchanged(at: Target, snapshot: Snapshot) -> dict[str, Any]:
    return {
        **at.named,
        "state": WORDS[at.state(snapshot)],
        "changed": False,
        "id": None,
        "scan": snapshot.scan,
        "latency_ms": 0.0,
        "durable": True,
    }
