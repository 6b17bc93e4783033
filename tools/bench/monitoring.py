"""What the OPC UA server costs while 15,000 monitored values all change once a second.

Clients in another process, over sockets, signed and encrypted (`subscriber`), count what arrives:
a server that leaves changes out is no cheaper. The image is published ten times a second; in every
tenth of them all values are others.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from runtime.layout import Columns
from runtime.tags import Pump
from tools.bench import bed
from tools.bench.lateness import ended, run
from tools.bench.opcua_bed import address, equip, publishing, serving, spent
from tools.bench.subscriber import PUMPS, TAGS

CAPACITY = 10_000  # pumps
SCANS = 10  # from one change of all values to the next
ITEMS = PUMPS * len(TAGS)


@dataclass(frozen=True)
class Monitored:
    """`share` of a core; `cost` of one change told, in s of processor time; `told` and `missed`
    changes, and values that were not Good."""

    share: float
    cost: float
    told: int
    missed: int
    bad: int


def change(columns: Columns, number: int) -> None:
    """Let all values count up in every tenth scan."""
    if number % SCANS == 0:
        columns[Pump.Configured][:] = True
        for tag in TAGS:
            columns[tag][:] = number // SCANS
            if tag.quality is not None:
                columns[Pump.tag(tag.quality)][:] = 2


def measure(seconds: float) -> Monitored:
    with bed.state() as places:
        environ = bed.settings(CAPACITY) | {
            "CALEJO_STATE": str(places.root),
            "CALEJO_SERVERS_OPCUA_ANONYMOUS": "true",
        }
        config = bed.loaded(environ)
        equip(places, config)
        where = address(config)
        with (
            publishing(places, config, change),
            serving(environ, *where) as (process, _),
            run({}, "tools.bench.subscriber", where[0], str(where[1]), str(places.root)) as clients,
        ):
            assert clients.stdout is not None
            if clients.stdout.readline().strip() != "ready":
                raise RuntimeError("the clients ended before they were told anything")
            before, began = spent(process), time.monotonic()
            time.sleep(seconds)
            busy, took = spent(process) - before, time.monotonic() - began
            found = json.loads(ended(clients))
    return Monitored(
        busy / took, busy / max(found["told"], 1), found["told"], found["missed"], found["bad"]
    )


if __name__ == "__main__":
    print(measure(20.0))
