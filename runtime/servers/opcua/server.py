"""The OPC UA server: one endpoint, a plant that changes, and values pushed to who monitors them."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import time
from datetime import UTC, datetime
from importlib.metadata import version
from ipaddress import ip_address

import structlog
from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.server.server import Server

from runtime import equipment
from runtime.equipment import Equipment
from runtime.places import Places
from runtime.servers.mirror import Mirror
from runtime.servers.opcua.channel import OFFERED
from runtime.servers.opcua.connection import LARGEST_CHUNK, Listener
from runtime.servers.opcua.core import Core
from runtime.servers.opcua.freshness import IDLE
from runtime.servers.opcua.gate import Services
from runtime.servers.opcua.guard import NAME, guard
from runtime.servers.opcua.limits import LARGEST_MESSAGE, TICK
from runtime.servers.opcua.members import NAMESPACE
from runtime.servers.opcua.one_shots import OneShots
from runtime.servers.opcua.plant import Plant
from runtime.servers.opcua.service_level import service_level

PATH = "calejo"
RENEWAL = 5.0  # s between looks at the certificate
EXPECTED = ("sending service fault",)  # said by asyncua at each of them

logger = structlog.get_logger()


class OpcUaServer(Server):
    """Serves what a mirror shows."""

    def __init__(
        self,
        mirror: Mirror,
        places: Places,
        bound: socket.socket,
        connections: int,
        idle: float,
        anonymous: bool = False,
    ) -> None:
        gc.disable()  # until it is started: collecting would take as long as making all that
        self._mirror = mirror
        self._plant = Plant()
        self._equipment = Equipment()
        self._level = 0  # not told yet
        self._pushed = 0.0
        self._bound = bound
        host, port = bound.getsockname()[:2]
        self.guard = guard(places, mirror.refusals, host, anonymous)
        self._looked = time.monotonic()  # when for a new certificate
        self.core = Core(mirror, self._plant, self.guard, connections, idle)
        self.core.condition_calls.recall(OneShots(places.one_shots))
        super().__init__(iserver=self.core)
        mirror.equipment = equipment.load(places.equipment)  # known before the scan runs
        self._take_over(mirror.equipment)
        host = socket.gethostname() if ip_address(host).is_unspecified else host
        self.set_endpoint(f"opc.tcp://{f'[{host}]' if ':' in host else host}:{port}/{PATH}")
        self.name = self.manufacturer_name = NAME
        self.product_uri = NAMESPACE
        self._application_uri = self.guard.uri
        self.application_type = ua.ApplicationType.Server
        self.limits = TransportLimits(
            max_recv_buffer=LARGEST_CHUNK,
            max_send_buffer=LARGEST_CHUNK,
            max_chunk_count=LARGEST_MESSAGE // LARGEST_CHUNK + 1,
            max_message_size=LARGEST_MESSAGE,
        )
        unknown = [ua.AnonymousIdentityToken] if anonymous else []
        self.set_identity_tokens([*unknown, ua.UserNameIdentityToken, ua.X509IdentityToken])
        self._offer()

    @property
    def clients(self) -> int:
        return len(self.bserver.clients) if self.bserver else 0

    async def start(self) -> None:
        """Build the address space and take connections."""
        for name in ("asyncua.server.uaprocessor", "asyncua.server.server"):
            logging.getLogger(name).addFilter(_is_news)
        try:
            await self.init()
        finally:
            gc.freeze()  # they live as long as the process
            gc.enable()
        await self.register_namespace(NAMESPACE)
        release, now = version("calejo"), datetime.now(UTC)
        await self.set_build_info(
            NAMESPACE, self.manufacturer_name, self.name, release, release, now
        )
        await self.core.start()
        self.bserver = Listener(self.core, self._bound, self.limits)
        self.bserver.set_policies(self.guard.channels.policies)
        await self.bserver.start()

    def _offer(self) -> None:
        """Offer endpoints with the certificate that is ours now; None is for discovery alone."""
        self.core.certificate = self.guard.channels.own.identity.certificate
        self.core.endpoints.clear()
        for level, policy in enumerate(OFFERED, start=1):
            self._set_endpoints(policy, ua.MessageSecurityMode.SignAndEncrypt, level)
            for token in self.core.endpoints[-1].UserIdentityTokens:
                shown = token.TokenType is not ua.UserTokenType.Anonymous
                token.SecurityPolicyUri = ua.String(policy.URI) if shown else None
        self.guard.channels.renew(Services())

    async def _renew_certificate(self, now: float) -> None:
        if now - self._looked < RENEWAL:
            return
        self._looked = now
        own = self.guard.channels.own
        if await asyncio.to_thread(own.renew, datetime.now(UTC)):
            logger.info("certificate renewed", valid_until=own.expires.isoformat())
            self._offer()

    async def follow(self) -> None:
        """Take the newest snapshot, and push what changed of it; to be called often."""
        self.core.freshness.look(TICK * 0.9 if self.core.items else IDLE)
        if self._mirror.equipment.version:
            self._take_over(self._mirror.equipment)
        now = time.monotonic()
        await self._renew_certificate(now)
        if now - self._pushed < TICK * 0.9:
            return
        self._pushed = now
        self.core.watch.push(now)
        self.core.condition_calls.look()
        self.core.conditions.look()
        level = service_level(self._mirror)
        if level != self._level:
            self._level = level
            await self.core.serve_at_level(level)

    def _take_over(self, found: Equipment) -> None:
        if found is not self._equipment:
            self._equipment = found
            changes = self._plant.update(found)
            self.core.watch.renew()
            self.core.conditions.renew()
            self.core.tell(changes)


def _is_news(record: logging.LogRecord) -> bool:
    """A client's mistake is answered to the client, and a known state said once is enough."""
    return not str(record.msg).startswith(EXPECTED)
