"""Clients that read ten times a second, as SCADA systems do: how long each answer takes.

    python -m tools.bench.polling modbus|opcua HOST PORT STATE COUNT

until SIGTERM; says "ready" when all are connected, and at the end as JSON p50, p99 and the longest
time in s, and the reads per second. Requests are made beforehand, and answers, of OPC UA encrypted,
are not looked into but for one of each client at first: what is measured is the server. A request
whose turn comes before the last one is answered goes out late, and its time counts from its turn.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import struct_to_binary

from runtime import equipment
from runtime.places import Places
from runtime.servers.opcua.references import node_id
from runtime.tags import Pump, shown
from tools.bench.figures import spread
from tools.bench.opcua_bed import client, to_the_end

PERIOD = 0.1  # s between reads of one client
REGISTERS = 100
VALUES = 20  # of a pump, that one OPC UA request reads
_LENGTH_OF_MODBUS = struct.Struct(">4xH")
_LENGTH_OF_OPCUA = struct.Struct("<4xI")


class Poller(asyncio.Protocol):
    """One client: asks at its turns, and takes the time of each answer."""

    def __init__(self, make: Callable[[int], bytes], size: Callable[[bytes], int]) -> None:
        self.times: list[float] = []
        self._make, self._size = make, size
        self._buffer = b""
        self._number = 0
        self._asked: float | None = None  # when; None while nothing is under way
        self._turn = 0.0

    def begin(self, transport: asyncio.Transport, turn: float) -> None:
        self._transport, self._turn = transport, turn
        self._loop = asyncio.get_running_loop()
        self._loop.call_at(turn, self._ask)

    def _ask(self) -> None:
        self._number += 1
        late = time.monotonic() - self._turn > PERIOD
        self._asked = self._turn if late else time.monotonic()
        self._transport.write(self._make(self._number))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) < 8 or len(self._buffer) < self._size(self._buffer):
            return
        now, self._buffer = time.monotonic(), b""
        if self._asked is not None:
            self.times.append(now - self._asked)
        self._turn += PERIOD
        self._loop.call_at(self._turn, self._ask)

    def connection_lost(self, reason: Exception | None) -> None:
        os._exit(1)  # a server that hangs up is not measured


async def modbus(host: str, port: int, places: Places, count: int) -> list[Poller]:
    """Clients that read the registers of one pump each."""

    def make(number: int) -> bytes:
        return struct.pack(">HHHBBHH", number & 0xFFFF, 0, 6, 1, 3, 100, REGISTERS)

    def size(answer: bytes) -> int:
        if answer[7] != 3:
            raise ValueError(f"found the answer {answer.hex()}, expected registers")
        return 6 + int(_LENGTH_OF_MODBUS.unpack_from(answer)[0])

    loop, pollers = asyncio.get_running_loop(), []
    for place in range(count):
        poller = Poller(make, size)
        transport, _ = await loop.create_connection(lambda poller=poller: poller, host, port)  # type: ignore[misc]
        poller.begin(transport, loop.time() + 1.0 + PERIOD * place / count)
        pollers.append(poller)
    return pollers


async def opcua(host: str, port: int, places: Places, count: int) -> list[Poller]:
    """Clients that read values of one pump each, signed and encrypted."""
    loop, pollers = asyncio.get_running_loop(), []
    pumps = equipment.load(places.equipment).pumps
    certificate: bytes | None = None
    for place in range(count):
        pump = pumps[place % len(pumps)]
        link = await client(places.root, host, port, certificate)
        certificate = link.security_policy.peer_certificate
        await link.connect_socket()
        await link.send_hello()
        await link.open_secure_channel()
        await link.create_session()
        await link.activate_session()
        nodes = [
            ua.ReadValueId(
                node_id(f"{pump.station_id}/{pump.pump_id}/{tag.name}"),
                ua.IntegerId(AttributeIds.Value),
            )
            for tag in shown(Pump)[:VALUES]
        ]
        found = await link.uaclient.read(ua.ReadParameters(NodesToRead=nodes))
        assert len(found) == VALUES
        request = ua.ReadRequest()
        request.Parameters = ua.ReadParameters(NodesToRead=nodes)
        protocol = link.uaclient.protocol
        assert protocol is not None
        assert protocol.transport is not None
        protocol._setup_request_header(request.RequestHeader, 10.0)
        body, channel, first = struct_to_binary(request), protocol._connection, protocol._request_id

        def make(number: int, body: bytes = body, channel=channel, first=first) -> bytes:  # type: ignore[no-untyped-def]
            return bytes(channel.message_to_binary(body, request_id=first + number))

        poller = Poller(make, lambda answer: int(_LENGTH_OF_OPCUA.unpack_from(answer)[0]))
        transport = protocol.transport
        transport.set_protocol(poller)
        poller.begin(transport, loop.time() + 1.0 + PERIOD * place / count)
        pollers.append(poller)
    return pollers


async def _run(kind: str, host: str, port: int, places: Places, count: int) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    pollers = await (modbus if kind == "modbus" else opcua)(host, port, places, count)
    print("ready", flush=True)
    await asyncio.sleep(1.0 + 10 * PERIOD)
    for poller in pollers:
        poller.times.clear()
    began = time.monotonic()
    await ended.wait()
    times = [t for poller in pollers for t in poller.times]
    rate = len(times) / (time.monotonic() - began)
    print(json.dumps({"rate": rate, **vars(spread(times))}), flush=True)


def main() -> None:
    kind, host, port, root, count = sys.argv[1:]
    logging.disable(logging.WARNING)  # the library has opinions about names and times
    work = _run(kind, host, int(port), Places(Path(root)), int(count))
    asyncio.run(to_the_end(work))


if __name__ == "__main__":
    main()
