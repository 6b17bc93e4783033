"""The inner server: asyncua's services, with ours in place of those that are slow or open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any, cast

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.database.historian import Historian
from runtime.requests import Source
from runtime.servers.mirror import Mirror
from runtime.servers.opcua import (
    capabilities,
    history_capabilities,
    references,
    service_level,
    session,
    standard_nodes,
)
from runtime.servers.opcua.address_space import AddressSpace, Nodes
from runtime.servers.opcua.attributes import standard
from runtime.servers.opcua.browsing import Browsing
from runtime.servers.opcua.condition_calls import ConditionCalls
from runtime.servers.opcua.condition_nodes import ConditionNodes, listening
from runtime.servers.opcua.conditions import Conditions
from runtime.servers.opcua.event_items import EventItems
from runtime.servers.opcua.freshness import Freshness
from runtime.servers.opcua.gate import Attributes
from runtime.servers.opcua.guard import Guard
from runtime.servers.opcua.history import Histories
from runtime.servers.opcua.items import Items
from runtime.servers.opcua.limits import (
    MOST_QUEUED,
    MOST_SUBSCRIPTIONS_OF_ALL,
    MOST_UNACKNOWLEDGED,
    SHORTEST_SESSION,
    SIGN_IN,
)
from runtime.servers.opcua.methods import Methods
from runtime.servers.opcua.model_changes import model_change
from runtime.servers.opcua.plant import Place, Plant
from runtime.servers.opcua.reading import Reading
from runtime.servers.opcua.refresh import Refreshes
from runtime.servers.opcua.sign_in import Refusal
from runtime.servers.opcua.subscribing import monitored
from runtime.servers.opcua.subscription import Subscriptions
from runtime.servers.opcua.users import ANONYMOUS, Nobody
from runtime.servers.opcua.values import Values
from runtime.servers.opcua.watch import Watch
from runtime.servers.refusals import Refused

STATUS = standard(ObjectIds.Server_ServerStatus)


class Core(InternalServer):
    """All services and the address space they work on."""

    def __init__(
        self, mirror: Mirror, plant: Plant, guard: Guard, connections: int, idle: float
    ) -> None:
        super().__init__(Nobody())
        self.channels, self.sign_in = guard.channels, guard.sign_in
        self._refusals = mirror.refusals
        values = Values(mirror)
        self.watch = Watch(values)
        self.reading = Reading(self.aspace, values)
        self.freshness = Freshness(mirror)
        self._space = AddressSpace(plant, values)
        self._space.also = ConditionNodes(plant).node
        self.listeners = EventItems()
        self.histories: Histories | None = None
        self.conditions = Conditions(values, plant, self.listeners)
        self.subscription_service = Subscriptions(self, self.aspace, self.watch, self.listeners)
        self.listeners.begin = self.conditions.begin
        self._refreshes = Refreshes(self.subscription_service, self.conditions)
        self._methods = Methods(self.aspace, mirror)
        self.condition_calls = ConditionCalls(mirror, self.conditions, self._refreshes)
        self._methods.conditions = self.condition_calls
        self.method_service = self._methods
        self.attribute_service = Attributes(self.aspace)
        self.view_service = Browsing(self.aspace, self._space)
        self.allow_remote_admin = False
        self.max_connections = connections
        self.max_sessions = connections
        self.max_session_timeout_ms = max(idle * 1e3, SHORTEST_SESSION)
        self.min_session_timeout_ms = SHORTEST_SESSION
        self.max_pending_activation_seconds = SIGN_IN
        self.max_subscriptions = MOST_SUBSCRIPTIONS_OF_ALL
        self.max_monitored_item_queue_size = MOST_QUEUED
        self.max_unacked_messages_per_subscription = MOST_UNACKNOWLEDGED

    @property
    def sessions(self) -> int:
        return len(self._external_sessions)

    @property
    def items(self) -> int:
        return monitored(self.subscription_service.subscriptions.values())

    async def init(self, shelffile: Path | None = None) -> None:
        await super().init(shelffile)
        self.aspace._nodes = Nodes(self.aspace._nodes, self._space)
        listening(self.aspace)
        self.aspace[references.OBJECTS].references.append(references.to_root(self._space.plant))
        self.aspace[references.OBJECT].references += references.to_types(self._space.plant)
        capabilities.tell(self.aspace, self.max_sessions)
        history_capabilities.tell(self.aspace)

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        standard_nodes.fill(self.aspace)

    def tell(self, changes: Mapping[Place, int]) -> None:
        """Tell clients what stations and pumps have come or gone, and names that are others."""
        if changes:
            self.listeners.tell(model_change(changes))
        for subscription in self.subscription_service.subscriptions.values():
            cast(Items, subscription.monitored_item_srv).look_again()

    def remember(self, historian: Historian, silence: float) -> None:
        """Answer what was, too; values are stored again after `silence` s."""
        self.histories = Histories(self.aspace, self._space.plant, historian, silence)

    async def serve_at_level(self, level: int) -> None:
        """Tell clients how good this server is, and its state (`service_level`)."""
        state = service_level.server_state(level)
        now = self.aspace[STATUS].attributes[AttributeIds.Value].value
        whole = copy(now.Value.Value) if now is not None and now.Value else None
        await self._show(ObjectIds.Server_ServiceLevel, level, ua.VariantType.Byte)
        await self._show(ObjectIds.Server_ServerStatus_State, state, ua.VariantType.Int32)
        if whole is not None:
            whole.State = state
            await self._show(ObjectIds.Server_ServerStatus, whole, ua.VariantType.ExtensionObject)

    async def _show(self, number: int, value: object, kind: ua.VariantType) -> None:
        shown = ua.DataValue(ua.Variant(value, kind))
        await self.aspace.write_attribute_value(standard(number), AttributeIds.Value, shown)

    async def stop(self) -> None:
        if self.time_task is not None:
            self.time_task.cancel()  # asyncua would wait up to a second for it
            await asyncio.gather(self.time_task, return_exceptions=True)
            self.time_task = None
        self.sign_in.close()
        await self._refreshes.stop()
        await self.condition_calls.stop()
        await super().stop()

    def create_session(
        self, name: str, user: User = ANONYMOUS, external: bool = False
    ) -> InternalSession:
        if self.sessions >= self.max_sessions:
            raise ServiceError(StatusCodes.BadTooManySessions)
        made = session.Session(self, name, self.watch, self._methods, self.freshness)
        made.histories = self.histories
        made.reading = self.reading
        return made

    def refuse_sign_in(self, refusal: Refusal, where: str) -> None:
        """Record that somebody was not let in: a security event."""
        who = refusal.who or "unknown"
        problem = str(refusal)
        self._refusals.record(Refused(Source.OPCUA, who, None, where, "sign in", "", problem))

    def register_server(self, server: Any, conf: Any = None) -> None:
        """Refuse: this is no discovery server, and asyncua would remember what anybody sends."""
        raise ServiceError(StatusCodes.BadServiceUnsupported)
