"""The Modbus process: listens, answers from the image, says how it is."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
import uvloop

from config import Config
from config.modbus import ModbusServer
from runtime.layout import Capacity
from runtime.places import Places
from runtime.progress import Progress, State
from runtime.register_map import Copy
from runtime.servers.health import health
from runtime.servers.listening import listening
from runtime.servers.mirror import Mirror
from runtime.servers.modbus.server import Server
from runtime.servers.modbus.service import Service
from runtime.servers.modbus.tls import Security

BEAT = 0.5  # s

logger = structlog.get_logger()


def main(config: Config, places: Places) -> None:
    """Serve until SIGTERM or SIGINT."""
    progress = Progress(places.progress("modbus"))
    settings = config.servers.modbus
    registers = Copy(places.registers)
    _wait_while_wrong(registers, progress)
    bound = listening("modbus", settings.listen, progress)
    secure = None
    if address := settings.secure.listen:
        security = Security(places.certificates / "modbus", address.host)
        secure = listening("modbus.secure", address, progress), security
    capacity = Capacity.of(config.capacity)
    mirror = Mirror(places, capacity, "modbus")
    try:
        service = Service(mirror, places, settings.word_order)
        serve = _serve(
            mirror, lambda: Server(service, settings, bound, secure), registers, progress
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve)
    finally:
        mirror.close()


def _wait_while_wrong(registers: Copy, progress: Progress) -> None:
    """Nobody listens while a client would read something else than it means to."""
    told = ""
    while wrong := registers.contradiction():
        if wrong != told:
            logger.error("modbus is not served", reason=wrong)
            told = wrong
        progress.say(State.DEGRADED, wrong)
        progress.beat()
        time.sleep(BEAT)


async def _serve(
    mirror: Mirror, made: Callable[[], Server], registers: Copy, progress: Progress
) -> None:
    """Until told to end, or the database says that this program must not serve."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    server = made()
    settings = server.settings
    await server.start()
    logger.info("modbus listening", address=_where(settings))
    while not ended.is_set() and not registers.contradiction():
        mirror.refresh()
        progress.say(*health(mirror, _words(server, settings)))
        progress.beat()
        server.close_idle()
        if server.security:
            server.security.renew()
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), BEAT)
    await server.end()


def _words(server: Server, settings: ModbusServer) -> str:
    return f"{_where(settings)}, {server.clients} of {settings.connections} connections"


def _where(settings: ModbusServer) -> str:
    secure = f" and {settings.secure.listen} (secure)" if settings.secure.listen else ""
    return f"{settings.listen}{secure}"
