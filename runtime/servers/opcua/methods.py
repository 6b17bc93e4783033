"""Methods: an emergency stop is asked of the scan, and the caller hears what the scan answered."""

from __future__ import annotations

from dataclasses import dataclass

from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.server.address_space import MethodService
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.mirror import Answer, Asker, MailboxFull, Mirror, Result, Role, Source
from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.members import INPUTS, OUTPUTS, Method
from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.references import node_id
from runtime.servers.refusals import Refused

LONGEST_REASON = 1000  # characters

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


class Refusal(Exception):
    """A call is refused: the status of the call, and of its arguments if they are the reason."""

    def __init__(self, status: int, *arguments: int) -> None:
        super().__init__(status)
        self.result = ua.CallMethodResult(
            StatusCode=ua.StatusCode(ua.UInt32(status)),
            InputArgumentResults=[ua.StatusCode(ua.UInt32(code)) for code in arguments],
        )


@dataclass(frozen=True)
class Caller:
    """Who calls, and from which address."""

    user: User
    where: str


class Methods(MethodService):
    """The method services."""

    def __init__(self, aspace: Standard, mirror: Mirror) -> None:
        super().__init__(aspace)
        self._mirror = mirror

    async def call_by(
        self, caller: Caller, calls: list[ua.CallMethodRequest]
    ) -> list[ua.CallMethodResult]:
        """The results of calls, one after the other."""
        return [await self._result(caller, call) for call in calls]

    async def _result(self, caller: Caller, call: ua.CallMethodRequest) -> ua.CallMethodResult:
        try:
            place, method = self._target(call)
            if caller.user.role is not UserRole.User:
                raise Refusal(StatusCodes.BadUserAccessDenied)
            reason = _reason(call.InputArguments or [], method)
            answer = await self._ask(place, method, reason, caller)
        except Refusal as refusal:
            self._record(caller, call, refusal)
            return refusal.result
        except MailboxFull:
            return Refusal(StatusCodes.BadResourceUnavailable).result
        return _told(answer)

    def _record(self, caller: Caller, call: ua.CallMethodRequest, refusal: Refusal) -> None:
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
        known = caller.user.role is UserRole.User
        refused = Refused(
            Source.OPCUA,
            (caller.user.name or "") if known else "anonymous",
            Role.OPERATOR if known else None,
            caller.where,
            action,
            target,
            problem,
            reason,
        )
        self._mirror.refusals.record(refused)

    def _target(self, call: ua.CallMethodRequest) -> tuple[Place, Method]:
        owner, node = self._aspace.get(call.ObjectId), self._aspace.get(call.MethodId)
        if owner is None or node is None:
            raise Refusal(StatusCodes.BadNodeIdUnknown)
        if isinstance(node, PlantNode) and node_id(node.place.path) == call.ObjectId:
            method = node.member.method if node.member else None
            if method is not None:
                return node.place, method
        raise Refusal(StatusCodes.BadMethodInvalid)

    async def _ask(self, place: Place, method: Method, reason: str, caller: Caller) -> Answer:
        assert place.table is not None  # only objects with tags have methods
        tag = place.table.tag("EmergencyStop")
        asker = Asker(Source.OPCUA, Role.OPERATOR, caller.user.name or "", reason, caller.where)
        if not place.present:
            raise Refusal(StatusCodes.BadOutOfService)
        if method is Method.SET:
            return await self._mirror.ask_async(tag, place.slot, 1.0, asker)
        self._mirror.refresh()
        in_force = int(self._mirror.columns[place.table.tag("EmergencyStopId")][place.slot])
        if not in_force:
            raise Refusal(StatusCodes.BadInvalidState)
        return await self._mirror.ask_async(tag, place.slot, 0.0, asker, in_force)


def _reason(arguments: list[ua.Variant], method: Method) -> str:
    """The reason, checked: one string; whoever clears a stop has to give one."""
    if len(arguments) != len(INPUTS):
        few = len(arguments) < len(INPUTS)
        raise Refusal(StatusCodes.BadArgumentsMissing if few else StatusCodes.BadTooManyArguments)
    given = arguments[0]
    if given.VariantType is not ua.VariantType.String or given.is_array:
        raise Refusal(StatusCodes.BadInvalidArgument, StatusCodes.BadTypeMismatch)
    reason = str(given.Value or "").strip()
    missing = method is Method.CLEAR and not reason
    if missing or len(reason) > LONGEST_REASON or not _is_text(reason):
        raise Refusal(StatusCodes.BadInvalidArgument, StatusCodes.BadOutOfRange)
    return reason


def _is_text(reason: str) -> bool:
    """Whether JSON and PostgreSQL can hold it: no lone surrogates, no zero bytes."""
    try:
        return b"\0" not in reason.encode()
    except UnicodeEncodeError:
        return False


def _told(answer: Answer) -> ua.CallMethodResult:
    """The scan's answer as the caller gets it.

    A stop that is in force but not yet on disk is Good, and says that it isn't complete.
    """
    status = STATUS.get(answer.result, StatusCodes.BadUnexpectedError)
    if answer.result is Result.EXECUTED and not answer.durable:
        status = StatusCodes.GoodCompletesAsynchronously
    values = (answer.id, answer.scan, answer.latency) if answer.result is Result.EXECUTED else ()
    return ua.CallMethodResult(
        StatusCode=ua.StatusCode(ua.UInt32(status)),
        InputArgumentResults=[ua.StatusCode()],
        OutputArguments=[
            ua.Variant(value, kind) for value, (_, kind, _) in zip(values, OUTPUTS, strict=False)
        ],
    )
