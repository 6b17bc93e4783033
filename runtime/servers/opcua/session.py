"""A client's session: bounded in what it may ask for, and kept to what is its own."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sized
from typing import Any, cast

from asyncua import ua
from asyncua.common.utils import ServiceError, create_nonce
from asyncua.crypto.permission_rules import User
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession, SessionState
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua import rights
from runtime.servers.opcua.browsing import Browsing
from runtime.servers.opcua.continuations import Continuations
from runtime.servers.opcua.freshness import Freshness
from runtime.servers.opcua.history import Histories
from runtime.servers.opcua.limits import (
    LONGEST_UNSERVED,
    MOST_BROWSED,
    MOST_CALLED,
    MOST_ITEMS,
    MOST_ITEMS_AT_ONCE,
    MOST_READ,
    MOST_REGISTERED,
    MOST_SUBSCRIPTIONS,
    SLOWEST,
    TICK,
)
from runtime.servers.opcua.methods import Caller, Methods, Refusal
from runtime.servers.opcua.watch import Watch

NONCE = 32  # bytes
DENIED = ua.StatusCode(ua.UInt32(StatusCodes.BadUserAccessDenied))


class Session(InternalSession):
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
        self.connection: object | None = None  # what serves it now; None while that is lost
        self.application = b""  # the certificate of the channel that it was made over
        self._rests = Continuations()
        self._watch = watch
        self._methods = methods
        self._freshness = freshness
        self.histories: Histories | None = None  # None: there is no history here

    @property
    def where(self) -> str:
        """The address of the client."""
        peer = cast(tuple[object, ...], self.name)  # what asyncua gives as name
        return ":".join(map(str, peer[:2]))

    async def read(self, params: ua.ReadParameters) -> list[ua.DataValue]:
        _bounded(params.NodesToRead, MOST_READ)
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
        _bounded(params.NodesToWrite, MOST_READ)
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
        _bounded(params.NodesToBrowse, MOST_BROWSED)
        service = cast(Browsing, self.iserver.view_service)
        return service.browse_in_parts(params, self._rests)

    def go_on_browsing(self, params: ua.BrowseNextParameters) -> list[ua.BrowseResult]:
        _bounded(params.ContinuationPoints, MOST_BROWSED)
        release = cast(bool, params.ReleaseContinuationPoints)
        step = self._rests.release if release else self._rests.go_on
        return [step(point) for point in params.ContinuationPoints]

    def register(self, nodes: list[ua.NodeId]) -> list[ua.NodeId]:
        """The ids by which nodes may be named from now on: every id is quick enough as it is."""
        _bounded(nodes, MOST_REGISTERED)
        return nodes

    async def translate_browsepaths_to_nodeids(
        self, params: list[ua.BrowsePath]
    ) -> list[ua.BrowsePathResult]:
        _bounded(params, MOST_READ)
        return await super().translate_browsepaths_to_nodeids(params)

    async def call(self, params: list[ua.CallMethodRequest]) -> list[ua.CallMethodResult]:
        _bounded(params, MOST_CALLED)
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

    async def create_subscription(
        self,
        params: ua.CreateSubscriptionParameters,
        callback: Callable[..., Any],
        request_callback: Callable[..., Any] | None = None,
    ) -> ua.CreateSubscriptionResult:
        if len(self._own()) >= MOST_SUBSCRIPTIONS:
            raise ServiceError(StatusCodes.BadTooManySubscriptions)
        wish = float(params.RequestedPublishingInterval)
        interval = min(wish, SLOWEST) if wish > TICK * 1e3 else TICK * 1e3
        lives = int(LONGEST_UNSERVED / interval)
        params.RequestedPublishingInterval = ua.Duration(interval)
        params.RequestedLifetimeCount = _counter(params.RequestedLifetimeCount, lives)
        params.RequestedMaxKeepAliveCount = _counter(params.RequestedMaxKeepAliveCount, lives // 3)
        return await super().create_subscription(params, callback, request_callback)

    def modify_subscription(
        self, params: ua.ModifySubscriptionParameters
    ) -> ua.ModifySubscriptionResult:
        self._check(params.SubscriptionId)
        return super().modify_subscription(params)

    async def delete_subscriptions(self, ids: list[int]) -> list[ua.StatusCode]:
        own = self._own()
        wanted = [number if number in own else 0 for number in ids]  # 0 is nobody's
        return await super().delete_subscriptions(wanted)

    async def set_publishing_mode(
        self, params: ua.SetPublishingModeParameters
    ) -> list[ua.StatusCode]:
        own = self._own()
        params.SubscriptionIds = [
            n if int(n) in own else ua.IntegerId(0) for n in params.SubscriptionIds
        ]
        return await super().set_publishing_mode(params)

    async def create_monitored_items(
        self, params: ua.CreateMonitoredItemsParameters
    ) -> list[ua.MonitoredItemCreateResult]:
        self._check(params.SubscriptionId)
        _bounded(params.ItemsToCreate, MOST_ITEMS_AT_ONCE)
        present = monitored(self.subscription_service.subscriptions.values())
        if present + len(params.ItemsToCreate) > MOST_ITEMS:
            raise ServiceError(StatusCodes.BadTooManyMonitoredItems)
        self._freshness.look()
        return await super().create_monitored_items(params)

    async def modify_monitored_items(
        self, params: ua.ModifyMonitoredItemsParameters
    ) -> list[ua.MonitoredItemModifyResult]:
        self._check(params.SubscriptionId)
        _bounded(params.ItemsToModify, MOST_ITEMS_AT_ONCE)
        return await super().modify_monitored_items(params)

    async def delete_monitored_items(
        self, params: ua.DeleteMonitoredItemsParameters
    ) -> list[ua.StatusCode]:
        self._check(params.SubscriptionId)
        return await super().delete_monitored_items(params)

    async def set_monitoring_mode(
        self, params: ua.SetMonitoringModeParameters
    ) -> list[ua.StatusCode]:
        self._check(params.SubscriptionId)
        return await super().set_monitoring_mode(params)

    def publish(
        self, acks: Iterable[ua.SubscriptionAcknowledgement] | None = None
    ) -> tuple[int, list[ua.StatusCode]]:
        own = self._own()
        if not own:
            raise ServiceError(StatusCodes.BadNoSubscription)
        results = []
        for ack in acks or ():
            subscription = own.get(int(ack.SubscriptionId))
            if subscription is not None:
                subscription.publish([int(ack.SequenceNumber)])
            found = StatusCodes.Good if subscription else StatusCodes.BadSubscriptionIdInvalid
            results.append(ua.StatusCode(ua.UInt32(found)))
        return len(own), results

    def republish(self, params: ua.RepublishParameters) -> ua.NotificationMessage:
        subscription = self._check(params.SubscriptionId)
        if int(params.RetransmitSequenceNumber) not in subscription._not_acknowledged_results:
            raise ServiceError(StatusCodes.BadMessageNotAvailable)
        return super().republish(params)

    # asyncua's own override has a parameter more, too.
    async def transfer_subscriptions(  # type: ignore[override]
        self, params: ua.TransferSubscriptionsParameters, callback: Callable[..., Any]
    ) -> list[ua.TransferResult]:
        """Take over subscriptions of a session of the same user whose connection is lost."""
        subscriptions = self.subscription_service.subscriptions
        mine = {number for number, found in subscriptions.items() if self._may_take(found)}
        params.SubscriptionIds = [
            number if int(number) in mine else ua.IntegerId(0) for number in params.SubscriptionIds
        ]
        results = await super().transfer_subscriptions(params, callback)
        processor: UaProcessor = callback.__self__  # type: ignore[attr-defined]  # a bound method
        for number in mine & {int(number) for number in params.SubscriptionIds}:
            # asyncua leaves this with the lost connection, which publishes nothing any more.
            publishes: Callable[[Any], Any] = processor.get_publish_request
            subscriptions[number].pub_request_callback = publishes
        return results

    def _may_take(self, subscription: InternalSubscription) -> bool:
        if subscription.session_id == self.session_id:
            return True
        for owner in self.iserver._external_sessions.values():
            if owner.session_id == subscription.session_id and isinstance(owner, Session):
                return owner.connection is None and owner.user == self.user
        return True

    def _own(self) -> dict[int, InternalSubscription]:
        found = self.subscription_service.subscriptions.items()
        return {number: one for number, one in found if one.session_id == self.session_id}

    def _check(self, number: int) -> InternalSubscription:
        own = self._own()
        if int(number) not in own:
            raise ServiceError(StatusCodes.BadSubscriptionIdInvalid)
        return own[int(number)]


def monitored(subscriptions: Iterable[InternalSubscription]) -> int:
    """How many monitored items there are."""
    return sum(len(one.monitored_item_srv._monitored_items) for one in subscriptions)


def is_open(session: InternalSession | None) -> bool:
    return session is not None and session.state is not SessionState.Closed


def _bounded(items: Sized | None, most: int) -> None:
    if not items:
        raise ServiceError(StatusCodes.BadNothingToDo)
    if len(items) > most:
        raise ServiceError(StatusCodes.BadTooManyOperations)


def _counter(asked: int, most: int) -> ua.Counter:
    return ua.Counter(min(int(asked) or most, most))
