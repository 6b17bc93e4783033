"""The Modbus process: listens, answers from the image, says how it is."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress

import structlog

from config import Config, ModbusServer
from runtime.layout import Capacity
from runtime.places import Places
from runtime.progress import Progress
from runtime.servers.health import health
from runtime.servers.listening import listening
from runtime.servers.mirror import Mirror
from runtime.servers.modbus.server import Server
from runtime.servers.modbus.service import Service

BEAT = 0.5  # s

logger = structlog.get_logger()


def main(config: Config, places: Places) -> None:
    """Serve until SIGTERM or SIGINT."""
    progress = Progress(places.progress("modbus"))
    settings = config.servers.modbus
    bound = listening("modbus", settings.listen, progress)
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
        progress.say(*health(mirror, _words(server, settings)))
        progress.beat()
        server.close_idle()
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), BEAT)
    await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus'


def _words(server: Server, settings: ModbusServer) -> str:
    return f"{settings.listen}, {server.clients} of {settings.connections} connections"
