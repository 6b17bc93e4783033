"""A client's session: bounded in what it may ask for, and kept to what is its own."""

from __future__ import annotations

import secrets
from typing import Any, cast

from asyncua import ua
from asyncua.common.utils import ServiceError, create_nonce
from asyncua.crypto.permission_rules import User
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession, SessionState
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua import rights
from runtime.servers.opcua.browsing import Browsing
from runtime.servers.opcua.continuations import Continuations
from runtime.servers.opcua.freshness import Freshness
from runtime.servers.opcua.history import Histories
from runtime.servers.opcua.limits import (
    MOST_BROWSED,
    MOST_CALLED,
    MOST_READ,
    MOST_REGISTERED,
    bounded,
)
from runtime.servers.opcua.methods import Caller, Methods, Refusal
from runtime.servers.opcua.reading import Reading
from runtime.servers.opcua.subscribing import Subscribing
from runtime.servers.opcua.watch import Watch

NONCE = 32  # bytes
DENIED = ua.StatusCode(ua.UInt32(StatusCodes.BadUserAccessDenied))


class Session(Subscribing):
    """What one client does. Its token is random: asyncua's are consecutive numbers."""

    def __init__(
        self,
        server: InternalServer,
        name: Any,
        watch: Watch,
        methods: Methods,
        freshness: Freshness,
    ) -> None:
        super().__init__(server, server.aspace, server.subscription_service, name, external=True)
        server.unregister_external_session(self)
        self.auth_token = ua.NodeId(ua.ByteString(secrets.token_bytes(32)))
        server.register_external_session(self)
        self.connection = None
        self.application = b""  # the certificate of the channel that it was made over
        self._rests = Continuations()
        self._watch = watch
        self._methods = methods
        self._freshness = freshness
        self.histories: Histories | None = None  # None: there is no history here
        self.reading: Reading | None = None  # None: every read is as if it were the first

    @property
    def where(self) -> str:
        """The address of the client."""
        peer = cast(tuple[object, ...], self.name)  # what asyncua gives as name
        return ":".join(map(str, peer[:2]))

    def read_prepared(self, asked: bytes) -> bytes | None:
        """The results of ReadParameters; None if they have to be read as usual."""
        plan = self.reading.plan(asked) if self.reading else None
        if self.reading is None or plan is None:
            return None
        self._freshness.look()
        return self.reading.results(plan)

    async def read(self, params: ua.ReadParameters) -> list[ua.DataValue]:
        bounded(params.NodesToRead, MOST_READ)
        self._freshness.look()
        values = await super().read(params)
        for index, item in enumerate(params.NodesToRead):
            if item.AttributeId in rights.PERSONAL:
                values[index] = rights.personal(self.user, self.aspace, item) or values[index]
        return values

    async def history_read(self, params: ua.HistoryReadParameters) -> list[ua.HistoryReadResult]:
        if self.histories is None:
            raise ServiceError(StatusCodes.BadServiceUnsupported)
        return await self.histories.read(params)

    async def write(self, params: ua.WriteParameters) -> list[ua.StatusCode]:
        bounded(params.NodesToWrite, MOST_READ)
        wanted = params.NodesToWrite
        allowed = [
            rights.may_write(self.user, self.aspace.get(item.NodeId), item) for item in wanted
        ]
        params.NodesToWrite = [item for item, may in zip(wanted, allowed, strict=True) if may]
        answers = iter(await super().write(params) if params.NodesToWrite else ())
        results = [next(answers) if may else DENIED for may in allowed]
        caller = Caller(self.user, self.where)
        for item, result in zip(wanted, results, strict=True):
            if not result.is_good():
                self._methods.refuse(caller, "write", str(item.NodeId.Identifier), result.name)
        return results

    async def browse(self, params: ua.BrowseParameters) -> list[ua.BrowseResult]:
        bounded(params.NodesToBrowse, MOST_BROWSED)
        service = cast(Browsing, self.iserver.view_service)
        return service.browse_in_parts(params, self._rests)

    def go_on_browsing(self, params: ua.BrowseNextParameters) -> list[ua.BrowseResult]:
        bounded(params.ContinuationPoints, MOST_BROWSED)
        release = cast(bool, params.ReleaseContinuationPoints)
        step = self._rests.release if release else self._rests.go_on
        return [step(point) for point in params.ContinuationPoints]

    def register(self, nodes: list[ua.NodeId]) -> list[ua.NodeId]:
        """The ids by which nodes may be named from now on: every id is quick enough as it is."""
        bounded(nodes, MOST_REGISTERED)
        return nodes

    async def translate_browsepaths_to_nodeids(
        self, params: list[ua.BrowsePath]
    ) -> list[ua.BrowsePathResult]:
        bounded(params, MOST_READ)
        return await super().translate_browsepaths_to_nodeids(params)

    async def call(self, params: list[ua.CallMethodRequest]) -> list[ua.CallMethodResult]:
        bounded(params, MOST_CALLED)
        caller = Caller(self.user, self.where, self.session_id)
        allowed = [rights.may_call(self.user, self.aspace, call.MethodId) for call in params]
        wanted = [call for call, may in zip(params, allowed, strict=True) if may]
        answers = iter(await self._methods.call_by(caller, wanted) if wanted else ())
        denied = Refusal(StatusCodes.BadUserAccessDenied)
        for call, may in zip(params, allowed, strict=True):
            if not may:
                self._methods.record(caller, call, denied)
        return [next(answers) if may else denied.result for may in allowed]

    def admit(self, user: User, certificates: int) -> ua.ActivateSessionResult:
        """Let who has proved to be `user` in; instead of asyncua's `activate_session`."""
        if not self.is_activated():
            InternalSession._current_connections += 1
        self.user, self.state, self.nonce = user, SessionState.Activated, create_nonce(NONCE)
        self.touch()
        self._start_timeout_watchdog()
        results = [ua.StatusCode() for _ in range(certificates)]
        return ua.ActivateSessionResult(ServerNonce=ua.ByteString(self.nonce), Results=results)


def is_open(session: InternalSession | None) -> bool:
    return session is not None and session.state is not SessionState.Closed
