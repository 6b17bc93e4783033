"""What a client may call on a condition (Part 9, 5.5 to 5.8): each is asked of the scan.

    method                             asks for                      the state has to be
    Acknowledge                        acknowledged                  one that waits for it
    Confirm, Reset                     normal                        latched acknowledged
    TimedShelve, OneShotShelve         shelved                       not latched
    Unshelve                           normal                        shelved
    Disable, RemoveFromService         out of service                any other
    Enable, PlaceInService             normal                        out of service
    AddComment                         nothing; it is recorded       any

One-shot shelving ends when the alarm does, at the latest after MaxTimeShelved; that it does is on
disk (`one_shots`) before the client is told that it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.ua.status_codes import StatusCodes

from runtime.alarm import LONGEST_SHELVING, SHORTEST_SHELVING, TO_ACKNOWLEDGE, AlarmState
from runtime.servers.mirror import Asker, MailboxFull, Mirror, Result, Role, Source
from runtime.servers.opcua.condition import LATCHED
from runtime.servers.opcua.condition_methods import (
    CALLS,
    SHELVING,
    comment_of,
    done,
    inputs_of,
)
from runtime.servers.opcua.conditions import Conditions, Key
from runtime.servers.opcua.methods import STATUS, Caller, Refusal
from runtime.servers.opcua.one_shots import OneShot, OneShots
from runtime.servers.opcua.refresh import Refreshes
from runtime.servers.opcua.users import role_of
from runtime.tags import ALARMS

_S = AlarmState
logger = structlog.get_logger()


@dataclass(frozen=True)
class _Call:
    """What is asked of which condition."""

    key: Key
    name: str
    caller: Caller
    event_id: object = None
    comment: str = ""
    duration: float = 0.0  # ms


class ConditionCalls:
    """Does what clients call on conditions."""

    def __init__(self, mirror: Mirror, conditions: Conditions, refreshes: Refreshes) -> None:
        self._mirror = mirror
        self._conditions = conditions
        self._refreshes = refreshes
        self._ending: set[asyncio.Task[None]] = set()
        self._file: OneShots | None = None
        self._kept: frozenset[OneShot] = frozenset()
        self._recalled = False

    def takes(self, call: ua.CallMethodRequest) -> bool:
        return call.MethodId in CALLS

    async def result(self, caller: Caller, call: ua.CallMethodRequest) -> ua.CallMethodResult:
        """The result of a call of one of CALLS. Raises Refusal, MailboxFull."""
        name, inputs = CALLS[call.MethodId]
        given = inputs_of(call.InputArguments or [], inputs)
        name = name.removesuffix("2") if "Refresh" not in name else name
        if "SubscriptionId" in given:
            self._refresh(caller, given)
            return done(inputs)
        path = str(call.ObjectId.Identifier).removesuffix(f"/{SHELVING}")
        key = self._conditions.at(path)
        if key is None:
            raise Refusal(StatusCodes.BadNodeIdUnknown)
        asked = _Call(
            key,
            name,
            caller,
            given.get("EventId"),
            comment_of(given),
            given.get("ShelvingTime") or 0.0,
        )
        self._judge(asked)
        if name == "AddComment":
            self._note(asked)
        else:
            await self._ask(asked)
        return done(inputs)

    def recall(self, file: OneShots) -> None:
        """Keep what is shelved until it ends in a file, and go on with what is there."""
        self._file = file
        self._kept = file.load()

    def look(self) -> None:
        """Let go what was shelved until it ends, and has ended."""
        if not self._recalled:
            self._recalled = self._conditions.recall(self._kept)
            return
        for key in self._conditions.ended():
            self._do(self._end(key))
        if not self._ending and self._conditions.one_shots() != self._kept:
            self._do(self._keep())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _keep(self) -> None:
        """Have on disk what is shelved until it ends, if that is not what is there."""
        now = self._conditions.one_shots()
        if self._file is not None and now != self._kept:
            self._kept = now
            await asyncio.to_thread(self._file.keep, now)

    async def stop(self) -> None:
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _refresh(self, caller: Caller, given: dict[str, Any]) -> None:
        numbers = [int(value or 0) for value in given.values()]
        try:
            self._refreshes.begin(caller.session, *numbers)
        except ServiceError as error:
            raise Refusal(error.code) from None

    def _judge(self, call: _Call) -> None:
        """Refuse what makes no sense in the present state. The scan judges again."""
        state = self._conditions.state(call.key)
        back = call.name in ("Enable", "PlaceInService")
        if state is _S.OUT_OF_SERVICE and not back:
            already = call.name in ("Disable", "RemoveFromService")
            raise Refusal(
                StatusCodes.BadConditionAlreadyDisabled
                if already
                else StatusCodes.BadConditionDisabled
            )
        if call.name in ("Acknowledge", "Confirm", "AddComment") and not self._conditions.concerns(
            call.key, call.event_id
        ):
            raise Refusal(StatusCodes.BadEventIdUnknown)
        fault = _fault(call, state, self._conditions.is_once(call.key))
        if fault is not None:
            raise Refusal(fault)

    async def _ask(self, call: _Call) -> None:
        wish, seconds = _wish(call)
        with self._conditions.changing(call.key):
            result = await self._put(call.key, wish, seconds, _asker(call))
            if result is not Result.EXECUTED:
                raise Refusal(STATUS.get(result, StatusCodes.BadUnexpectedError))
            if wish is _S.SHELVED:
                self._conditions.shelve(call.key, once=call.name == "OneShotShelve")
            self._conditions.comment(call.key, call.comment, call.caller.user.name or "")
            if wish is _S.SHELVED:
                await self._keep()

    async def _put(self, key: Key, wish: AlarmState, seconds: int, asker: Asker) -> Result:
        tag = ALARMS[key[0]].state
        return (await self._mirror.ask_async(tag, key[1], float(wish), asker, seconds)).result

    def _note(self, call: _Call) -> None:
        declared = ALARMS[call.key[0]]
        asker = _asker(call)
        self._mirror.note(asker, f"comment {declared.tag.name}", declared.state, call.key[1])
        self._conditions.comment(call.key, call.comment, call.caller.user.name or "")
        self._conditions.tell(call.key)

    async def _end(self, key: Key) -> None:
        who = self._conditions.shelved_by(key)
        asker = Asker(Source.OPCUA, Role.OPERATOR, who, "it was shelved until its end", "")
        with self._conditions.changing(key):
            try:
                result = await self._put(key, _S.NORMAL, 0, asker)
            except MailboxFull:
                return  # the next look tries again
        alarm, slot = repr(ALARMS[key[0]].tag), key[1]
        logger.info("one-shot shelving ended", alarm=alarm, slot=slot, result=result.name)


def _fault(call: _Call, state: AlarmState, once: bool) -> int | None:
    """The status code of what makes no sense in a state; None if it does."""
    shelved = state is _S.SHELVED
    match call.name:
        case "Acknowledge" if state not in TO_ACKNOWLEDGE:
            return StatusCodes.BadConditionBranchAlreadyAcked
        case "Confirm" if state is not _S.LATCHED_ACKNOWLEDGED:
            return StatusCodes.BadConditionBranchAlreadyConfirmed
        case "Reset" if state not in LATCHED:
            return StatusCodes.BadInvalidState
        case "Enable" | "PlaceInService" if state is not _S.OUT_OF_SERVICE:
            return StatusCodes.BadConditionAlreadyEnabled
        case "Unshelve" if not shelved:
            return StatusCodes.BadConditionNotShelved
        case "TimedShelve" if not SHORTEST_SHELVING <= call.duration / 1e3 <= LONGEST_SHELVING:
            return StatusCodes.BadShelvingTimeOutOfRange
        case "TimedShelve" | "OneShotShelve" if shelved and once is (call.name == "OneShotShelve"):
            return StatusCodes.BadConditionAlreadyShelved
    return None


def _wish(call: _Call) -> tuple[AlarmState, int]:
    """The state to ask for, and for how long, in s."""
    match call.name:
        case "Acknowledge":
            return _S.ACKNOWLEDGED, 0
        case "TimedShelve":
            return _S.SHELVED, int(call.duration / 1e3)
        case "OneShotShelve":
            return _S.SHELVED, LONGEST_SHELVING
        case "Disable" | "RemoveFromService":
            return _S.OUT_OF_SERVICE, 0
    return _S.NORMAL, 0


def _asker(call: _Call) -> Asker:
    user, role = call.caller.user, role_of(call.caller.user)
    if role is None:
        raise Refusal(StatusCodes.BadUserAccessDenied)
    return Asker(Source.OPCUA, role, user.name or "", call.comment, call.caller.where)
