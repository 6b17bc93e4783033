"""The OPC UA server with 10,000 pumps: how soon it answers, what it holds, what it costs at rest.

The process is started as the supervisor starts it; it is up when it answers the first message of a
client. Its image is published ten times a second, as if by the scan, and all measurements change.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from runtime.layout import Columns
from runtime.tags import Pump, shown
from tools.bench import bed
from tools.bench.opcua_bed import address, equip, memory, publishing, serving, spent

PUMPS = 10_000
SETTLING = 2.0  # s


@dataclass(frozen=True)
class Cost:
    """`start` in s from the start of the process, of which it was `busy` (processor time; what is
    left, others had the cores); `first` the same where it has to make its certificate; `memory` in
    bytes at most, `share` of a core."""

    start: float
    busy: float
    first: float
    memory: int
    share: float
    nodes: int


def measure(seconds: float) -> Cost:
    """Start the server, wait until it answers, and look at it for a while."""
    dice = np.random.default_rng(bed.SEED)

    def change(columns: Columns, number: int) -> None:
        for tag in (Pump.Speed, Pump.Power, Pump.Flow, Pump.Level):
            columns[tag][:] = dice.random(PUMPS)

    with bed.state() as places:
        environ = bed.settings(PUMPS) | {"CALEJO_STATE": str(places.root)}
        config = bed.loaded(environ)
        equip(places, config)
        with publishing(places, config, change):
            with serving(environ, *address(config)) as (process, first):
                pass
            with serving(environ, *address(config)) as (process, start):
                busy = spent(process)
                time.sleep(SETTLING)
                before = spent(process)
                time.sleep(seconds)
                share = (spent(process) - before) / seconds
                most = memory(process)
        return Cost(start, busy, first, most, share, PUMPS * (1 + len(shown(Pump))))
