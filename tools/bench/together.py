"""Reads of 100 clients of each protocol at once, while the scan runs every 10 ms.

Each client reads ten times a second (`polling`): 100 registers over Modbus TCP, 20 values of a pump
over OPC UA, signed and encrypted. The scan, of 1,000 pumps whose feedback is renewed, and both
servers are processes of their own, as in real life.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass

from runtime.layout import Capacity
from runtime.realtime import ENVIRONMENT
from tools.bench import bed
from tools.bench.figures import Spread, spread
from tools.bench.lateness import ended, renewed, run, until_served
from tools.bench.opcua_bed import address, equip, serving, spent

PUMPS = 1_000
PERIOD = "10 ms"
CLIENTS = 100  # of each protocol
SETTLING = 3.0  # s


@dataclass(frozen=True)
class Together:
    """Times of an answer, reads per second and processor time of one, in s, by protocol; periods
    that the scan skipped, and its lateness."""

    answers: dict[str, Spread]
    rates: dict[str, float]
    costs: dict[str, float]
    skipped: int
    scan: Spread


def measure(seconds: float) -> Together:
    with bed.state() as places, ExitStack() as stack:
        environ = bed.settings(PUMPS, PERIOD) | {
            "CALEJO_STATE": str(places.root),
            "CALEJO_SERVERS_OPCUA_ANONYMOUS": "true",
        }
        config = bed.loaded(environ)
        equip(places, config)
        inputs = bed.Inputs(places, Capacity.of(config.capacity), bed.sample_equipment(config))
        stack.enter_context(renewed(inputs))
        leader = stack.enter_context(run({**ENVIRONMENT, **environ}, "tools.bench.leader"))
        server = stack.enter_context(run(environ, "runtime", "process", "modbus"))
        opcua, _ = stack.enter_context(serving(environ, *address(config)))
        modbus = config.servers.modbus.listen
        until_served(modbus.port)
        wheres = {"modbus": (modbus.host, modbus.port), "opcua": address(config)}
        pids = {"modbus": server.pid, "opcua": opcua}
        clients = {}
        for name, (host, port) in wheres.items():
            words = (name, host, str(port), str(places.root), str(CLIENTS))
            clients[name] = stack.enter_context(run({}, "tools.bench.polling", *words))
            said = clients[name].stdout
            assert said is not None
            if said.readline().strip() != "ready":
                raise RuntimeError(f"the clients of {name} ended before they had read anything")
        time.sleep(SETTLING)
        before = {name: spent(pid) for name, pid in pids.items()}
        time.sleep(seconds)
        busy = {name: spent(pid) - before[name] for name, pid in pids.items()}
        found = {name: json.loads(ended(process)) for name, process in clients.items()}
        times = json.loads(ended(leader))["times"][-int(seconds / 0.01) :]
    return Together(
        answers={name: Spread(f["p50"], f["p99"], f["most"]) for name, f in found.items()},
        rates={name: f["rate"] for name, f in found.items()},
        costs={name: busy[name] / (f["rate"] * seconds) for name, f in found.items()},
        skipped=sum(skipped for _, skipped, _ in times),
        scan=spread([max(0.0, late) for late, _, _ in times]),
    )


if __name__ == "__main__":
    print(measure(15.0))
