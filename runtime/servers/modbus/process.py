"""The Modbus process: listens, answers from the image, says how it is."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import suppress

import structlog

from config import Config, ModbusServer
from runtime.layout import Capacity
from runtime.places import Places
from runtime.processes import UNUSABLE
from runtime.progress import Progress, State
from runtime.servers.listening import ListenError, bind
from runtime.servers.mirror import Mirror
from runtime.servers.modbus.server import Server
from runtime.servers.modbus.service import Service

BEAT = 0.5  # s

logger = structlog.get_logger()


def main(config: Config, places: Places) -> None:
    """Serve until SIGTERM or SIGINT."""
    progress = Progress(places.progress("modbus"))
    settings = config.servers.modbus
    try:
        bound = bind(settings.listen.host, settings.listen.port, "servers.modbus.listen")
    except ListenError as error:
        progress.say(State.DEGRADED, str(error))
        logger.error("can't listen", reason=str(error))
        sys.exit(UNUSABLE)
    capacity = Capacity.of(config.capacity)
    mirror = Mirror(places, capacity, "modbus")
    try:
        asyncio.run(_serve(mirror, places, settings, bound, progress))
    finally:
        mirror.close()


async def _serve(
    mirror: Mirror,
    places: Places,
    settings: ModbusServer,
    bound: socket.socket,
    progress: Progress,
) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    server = Server(Service(mirror, places), bound, settings.connections, settings.idle)
    await server.serve_forever(background=True)
    logger.info("modbus listening", address=str(settings.listen))
    while not ended.is_set():
        mirror.refresh()
        progress.say(*_health(mirror, server, settings))
        progress.beat()
        server.close_idle()
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), BEAT)
    await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus'


def _health(mirror: Mirror, server: Server, settings: ModbusServer) -> tuple[State, str]:
    words = f"{settings.listen}, {server.clients} of {settings.connections} connections"
    if not mirror.sequence:
        return State.DEGRADED, f"{words}; the scan has not published yet"
    if mirror.stale:
        return State.DEGRADED, f"{words}; the scan has stood still for {mirror.age:.0f} s"
    return State.GOOD, words
