"""The OPC UA process: listens, mirrors the image, says how it is."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from config import Config
from config.model import OpcUaServer as Settings
from runtime import heap
from runtime.database.address import runtime_dsn
from runtime.database.historian import Historian
from runtime.layout import Capacity
from runtime.places import Places
from runtime.progress import Progress, State
from runtime.servers.health import health
from runtime.servers.listening import listening
from runtime.servers.mirror import Mirror
from runtime.servers.opcua.server import OpcUaServer

POLL = 0.05  # s between looks whether something is due
BEAT = 0.5  # s
EXPIRING = timedelta(days=30)  # to the end of the certificate: ours is renewed before

logger = structlog.get_logger()


def main(config: Config, places: Places) -> None:
    """Serve until SIGTERM or SIGINT."""
    heap.keep_small()
    progress = Progress(places.progress("opcua"))
    settings = config.servers.opcua
    bound = listening("opcua", settings.listen, progress)
    mirror = Mirror(places, Capacity.of(config.capacity), "opcua")
    historian = Historian(runtime_dsn(config, places))
    try:
        asyncio.run(_serve(config, mirror, places, bound, progress, historian))
    finally:
        historian.close()
        mirror.close()


async def _serve(
    config: Config,
    mirror: Mirror,
    places: Places,
    bound: socket.socket,
    progress: Progress,
    historian: Historian,
) -> None:
    settings = config.servers.opcua
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    server = OpcUaServer(
        mirror, places, bound, settings.connections, settings.idle, settings.anonymous
    )
    server.core.remember(historian, config.history.silence)
    await server.start()
    logger.info("opcua listening", address=server.endpoint.geturl())
    said = 0.0
    while not ended.is_set():
        await server.follow()
        if time.monotonic() - said >= BEAT:
            said = time.monotonic()
            progress.say(*_health(mirror, server, settings))
            progress.beat()
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), POLL)
    await server.stop()


def _health(mirror: Mirror, server: OpcUaServer, settings: Settings) -> tuple[State, str]:
    """As good as the snapshot, and as certificate and accounts."""
    own, guard = server.guard.channels.own, server.guard
    left = own.expires - datetime.now(UTC)
    words = (
        f"{settings.listen}, {server.clients} of {settings.connections} connections, "
        f"{server.core.sessions} sessions, {server.core.items} monitored items"
        f", certificate until {own.expires:%Y-%m-%d}"
    )
    state, words = health(mirror, words)
    troubles = [own.problem, guard.accounts.problem]
    if left < EXPIRING:
        troubles.append(f"the certificate ends in {max(left.days, 0)} days; {own.path} has it")
    told = "; ".join(trouble for trouble in troubles if trouble)
    return (State.DEGRADED, f"{words}; {told}") if told else (state, words)
