"""Calls: what a method wishes is asked of the scan, and the caller hears what it answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.crypto.permission_rules import User
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.server.address_space import MethodService
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.mirror import Answer, Asker, MailboxFull, Mirror, Result, Source
from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.arguments import Refusal, checked, is_text
from runtime.servers.opcua.method import OUTPUTS, Method
from runtime.servers.opcua.plant import Kind, Place
from runtime.servers.opcua.users import Known, role_of
from runtime.servers.refusals import Refused

if TYPE_CHECKING:
    from runtime.servers.opcua.condition_calls import ConditionCalls

__all__ = ["STATUS", "Caller", "Methods", "Refusal", "is_text"]

STATUS = {
    Result.EXECUTED: StatusCodes.Good,
    Result.UNKNOWN_SLOT: StatusCodes.BadOutOfService,
    Result.OUT_OF_RANGE: StatusCodes.BadOutOfRange,
    Result.UNKNOWN_STOP: StatusCodes.BadInvalidState,
    Result.CAUSE_REMAINS: StatusCodes.BadRequestNotAllowed,
    Result.TOO_LATE: StatusCodes.BadTimeout,
    Result.NOT_WRITABLE: StatusCodes.BadNotWritable,
    Result.WRONG_STATE: StatusCodes.BadInvalidState,
    Result.NOT_ALLOWED: StatusCodes.BadUserAccessDenied,
}


@dataclass(frozen=True)
class Caller:
    """Who calls, and from which address."""

    user: User
    where: str
    session: ua.NodeId | None = None  # in which; None where it doesn't matter


class Methods(MethodService):
    """The method services."""

    def __init__(self, aspace: Standard, mirror: Mirror) -> None:
        super().__init__(aspace)
        self._mirror = mirror
        self.conditions: ConditionCalls | None = None  # what is called on conditions

    async def call_by(
        self, caller: Caller, calls: list[ua.CallMethodRequest]
    ) -> list[ua.CallMethodResult]:
        """The results of calls, one after the other."""
        return [await self._result(caller, call) for call in calls]

    async def _result(self, caller: Caller, call: ua.CallMethodRequest) -> ua.CallMethodResult:
        try:
            if self.conditions is not None and self.conditions.takes(call):
                return await self.conditions.result(caller, call)
            place, method = self._target(call)
            given = checked(call.InputArguments or [], method.inputs)
            answer = await self._ask(place, method, given, caller)
        except Refusal as refusal:
            self.record(caller, call, refusal)
            return refusal.result
        except MailboxFull:
            return Refusal(StatusCodes.BadResourceUnavailable).result
        return _told(answer, len(given))

    def record(self, caller: Caller, call: ua.CallMethodRequest, refusal: Refusal) -> None:
        """A call that was refused before the scan was asked for what it wants."""
        texts = [given.Value for given in call.InputArguments or []]
        reason = next((text for text in texts if isinstance(text, str)), "")
        self.refuse(
            caller,
            f"call {call.MethodId.Identifier}",
            str(call.ObjectId.Identifier),
            str(refusal.result.StatusCode.name),
            reason,
        )

    def refuse(
        self, caller: Caller, action: str, target: str, problem: str, reason: str = ""
    ) -> None:
        """Record that something was refused to a caller."""
        known = isinstance(caller.user, Known)
        refused = Refused(
            Source.OPCUA,
            (caller.user.name or "") if known else "anonymous",
            role_of(caller.user) if known else None,
            caller.where,
            action,
            target,
            problem,
            reason,
        )
        self._mirror.refusals.record(refused)

    def _target(self, call: ua.CallMethodRequest) -> tuple[Place, Method]:
        """The object and the method, which may be named as the one of the object's type."""
        owner, node = self._aspace.get(call.ObjectId), self._aspace.get(call.MethodId)
        if owner is None or node is None:
            raise Refusal(StatusCodes.BadNodeIdUnknown)
        if isinstance(owner, PlantNode) and isinstance(node, PlantNode) and owner.member is None:
            place, method = owner.place, node.member.method if node.member else None
            typed = node.place.kind is Kind.TYPE and node.place.table is place.table
            if method is not None and not place.declares and (node.place is place or typed):
                return place, method
        raise Refusal(StatusCodes.BadMethodInvalid)

    async def _ask(self, place: Place, method: Method, given: list[Any], caller: Caller) -> Answer:
        wish, reason = method.wish(given), str(given[-1] or "").strip()
        role = role_of(caller.user)
        assert role is not None  # rights were checked before
        asker = Asker(Source.OPCUA, role, caller.user.name or "", reason, caller.where)
        if not place.present:
            raise Refusal(StatusCodes.BadOutOfService)
        refers = 0
        if wish.refers is not None:
            self._mirror.refresh()
            refers = int(self._mirror.columns[wish.refers][place.slot])
            if not refers:
                raise Refusal(StatusCodes.BadInvalidState)
        return await self._mirror.ask_async(wish.tag, place.slot, wish.value, asker, refers)


def _told(answer: Answer, inputs: int) -> ua.CallMethodResult:
    """The scan's answer as the caller gets it.

    A stop that is in force but not yet on disk is Good, and says that it isn't complete.
    """
    status = STATUS.get(answer.result, StatusCodes.BadUnexpectedError)
    if answer.result is Result.EXECUTED and not answer.durable:
        status = StatusCodes.GoodCompletesAsynchronously
    values = (answer.id, answer.scan, answer.latency) if answer.result is Result.EXECUTED else ()
    return ua.CallMethodResult(
        StatusCode=ua.StatusCode(ua.UInt32(status)),
        InputArgumentResults=[ua.StatusCode()] * inputs,
        OutputArguments=[
            ua.Variant(value, output.kind) for value, output in zip(values, OUTPUTS, strict=False)
        ],
    )
