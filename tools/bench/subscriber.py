"""Clients that monitor values: `python -m tools.bench.subscriber HOST PORT STATE`, until SIGTERM.

Each of several clients has a connection, signed and encrypted, and a subscription to one tag of
many pumps. It says "ready" when all have been told for the first time, and at the end as JSON how
many values were told since then and how many were not. A value is a count that grows by one with
each change, so one left out is noticed. Of the messages only what is counted is decoded: what is
measured is the server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.utils import Buffer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary

from runtime import equipment
from runtime.places import Places
from runtime.servers.opcua.references import node_id
from runtime.tag import Tag
from runtime.tags import Pump
from tools.bench.opcua_bed import TIMEOUT, client, to_the_end

TAGS = (Pump.Setpoint, Pump.Speed, Pump.Power, Pump.Flow, Pump.Level)
PUMPS = 3_000  # of which each tag is monitored
PUBLISHING, SAMPLING = 1_000.0, 500.0  # ms
QUEUE = 4
AT_ONCE = 1_000  # items created by one request
REQUESTS = 3  # to publish that wait at the server
VALUE, STATUS, TIMES, DOUBLE = 1, 2, (4, 8), 11  # bits of a DataValue, and a type


@dataclass
class Count:
    """What all clients were told."""

    told: int = 0
    missed: int = 0
    bad: int = 0


@dataclass
class Subscriber:
    """One client."""

    link: Client
    count: Count
    last: dict[int, int] = field(default_factory=dict)  # value by handle
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self, paths: list[str]) -> None:
        """Create subscription and items, and ask to be told."""
        create = ua.CreateSubscriptionRequest()
        create.Parameters = ua.CreateSubscriptionParameters(
            ua.Duration(PUBLISHING), ua.Counter(1_000), ua.Counter(10), PublishingEnabled=True
        )
        body = await self._ask(create)
        made = struct_from_binary(ua.CreateSubscriptionResponse, body).Parameters
        for start in range(0, len(paths), AT_ONCE):
            items = [
                _item(handle, paths[handle])
                for handle in range(start, min(start + AT_ONCE, len(paths)))
            ]
            wanted = ua.CreateMonitoredItemsParameters(
                made.SubscriptionId, ua.TimestampsToReturn.Both, items
            )
            for result in await self.link.uaclient.create_monitored_items(wanted):
                result.StatusCode.check()

    async def listen(self) -> None:
        """Take messages, one after the other, and acknowledge each with the next request."""
        acknowledged: list[ua.SubscriptionAcknowledgement] = []
        while True:
            request = ua.PublishRequest()
            request.Parameters.SubscriptionAcknowledgements = acknowledged
            acknowledged = [self._take(bytes((await self._ask(request)).read(-1)))]

    async def _ask(self, request: object) -> Buffer:
        protocol = self.link.uaclient.protocol
        assert protocol is not None
        return await protocol.send_request(request, TIMEOUT)

    def _take(self, message: bytes) -> ua.SubscriptionAcknowledgement:
        """Count what a message tells."""
        body = Buffer(message)
        nodeid_from_binary(body)
        struct_from_binary(ua.ResponseHeader, body).ServiceResult.check()
        at = len(message) - len(body)
        subscription, available = struct.unpack_from("<Ii", message, at)
        at += 9 + 4 * max(available, 0)  # and whether there is more
        sequence, _, parts = struct.unpack_from("<Iqi", message, at)
        if parts > 0:
            for handle, value in _values(message, at + 16):
                self._note(handle, value)
        return ua.SubscriptionAcknowledgement(subscription, sequence)

    def _note(self, handle: int, value: float | None) -> None:
        if value is None:
            self.count.bad += 1
            return
        before, self.last[handle] = self.last.get(handle), int(value)
        if before is None:
            if len(self.last) == PUMPS:
                self.ready.set()
        else:
            self.count.told += 1
            self.count.missed += int(value) - before - 1


def _item(handle: int, path: str) -> ua.MonitoredItemCreateRequest:
    return ua.MonitoredItemCreateRequest(
        ua.ReadValueId(node_id(path), ua.IntegerId(AttributeIds.Value)),
        ua.MonitoringMode.Reporting,
        ua.MonitoringParameters(
            ua.IntegerId(handle), ua.Duration(SAMPLING), None, ua.Counter(QUEUE)
        ),
    )


def _values(message: bytes, at: int) -> Iterator[tuple[int, float | None]]:
    """Handle and value of each notification of a DataChangeNotification that begins there."""
    (count,) = struct.unpack_from("<i", message, at + 9)  # after its type, encoding and length
    at += 13
    for _ in range(count):
        handle, mask = struct.unpack_from("<IB", message, at)
        at += 5
        value = None
        if mask & VALUE:
            kind = message[at]
            at += 1
            if kind == DOUBLE:
                (value,) = struct.unpack_from("<d", message, at)
                at += 8
            elif kind:
                raise ValueError(f"found a value of type {kind}, expected {DOUBLE}")
        at += 4 if mask & STATUS else 0
        at += 8 * sum(bool(mask & bit) for bit in TIMES)
        yield handle, value


def _paths(places: Places, tag: Tag) -> list[str]:
    pumps = equipment.load(places.equipment).pumps[:PUMPS]
    return [f"{pump.station_id}/{pump.pump_id}/{tag.name}" for pump in pumps]


async def _run(host: str, port: int, places: Places) -> None:
    count, ended = Count(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    subscribers = []
    for tag in TAGS:
        link = await client(places.root, host, port)
        await link.connect()
        subscribers.append(Subscriber(link, count))
        await subscribers[-1].begin(_paths(places, tag))
    listening = [asyncio.create_task(one.listen()) for one in subscribers for _ in range(REQUESTS)]
    async with asyncio.timeout(TIMEOUT):
        for one in subscribers:
            await one.ready.wait()
    count.told = count.missed = count.bad = 0
    print("ready", flush=True)
    over = asyncio.create_task(ended.wait())
    done, _ = await asyncio.wait([over, *listening], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()  # raises what ended a client
    print(json.dumps(vars(count)), flush=True)


def main() -> None:
    logging.disable(logging.WARNING)  # the library has opinions about names and times
    host, port, root = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    asyncio.run(to_the_end(_run(host, port, Places(root))))


if __name__ == "__main__":
    main()
