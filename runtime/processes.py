"""The processes of a runtime: what each runs, how long it may stand still, when it ends."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from config import Config
from runtime import realtime

MODULES = {
    "scan": "runtime.scan_process",
    "recorder": "runtime.recorder",
    "postgres": "runtime.postgres",
    "database": "runtime.database.process",
    "modbus": "runtime.servers.modbus.process",
    "opcua": "runtime.servers.opcua.process",
    "rest": "runtime.servers.rest.process",
    "alerts": "runtime.alerts.process",
    "demo": "runtime.demo",
}
PATIENCE = 10.0  # s
LONGEST_DELAY = 10.0  # s
SCAN_DELAY = 1.0  # s: pumps can wait for no other process less
HASTE = -10  # as nice has it: on a busy machine the scan is there before all others
POSTGRES_PATIENCE = 330.0  # s: its recovery after a crash may take long, and has a limit of its own
UNUSABLE = 78  # exit code (EX_CONFIG): an operator has to change something before it can work

# Who ends when, and how long (s) they get before they are killed: first what asks for changes, then
# what feeds the scan, the standby before the leader that it would replace, then what saves.
# PostgreSQL takes longest and is needed by none of the rest: it ends beside them.
ENDING: tuple[tuple[tuple[str, ...], float], ...] = (
    (("demo", "plant", "optimiser"), 0.7),
    (("modbus", "opcua", "rest", "alerts"), 1.0),
    (("database",), 1.0),
    (("postgres",), 0.0),
    (("standby",), 0.3),
    (("scan",), 0.5),
    (("recorder",), 0.9),
)


@dataclass(frozen=True)
class Process:
    """A program to keep running.

    `progress` names the progress files it may write; one that writes none is not judged by it.
    `patience` is how long (s) its counter may stand, `longest_delay` how long (s) it waits at most
    for its next start when it fails again and again. Beside another with the same progress files it
    starts only when that one writes the file `after`. With `once`, its ending is no failure.
    `nice` is how it gives way to others, below 0 how they do. `environment` is what it gets beside
    the supervisor's own, which goes before.
    """

    name: str
    command: tuple[str, ...]
    progress: tuple[str, ...] = ()
    patience: float = PATIENCE
    longest_delay: float = LONGEST_DELAY
    after: str | None = None
    once: bool = False
    nice: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command line of a module of ours; -P, since the working directory may hold namesakes."""
    return (sys.executable, "-P", "-m", name, *arguments)


def of_runtime(config: Config) -> list[Process]:
    """What `calejo run` keeps running, in the order of starting: the scan waits for nobody."""
    leader = replace(
        _part("scan", ("scan", "standby"), patience=1.0 + 10 * config.period),
        longest_delay=SCAN_DELAY,
        after="scan",
        nice=HASTE,
        environment=realtime.ENVIRONMENT,
    )
    processes = [leader, _part("recorder"), leader]  # the second becomes its standby
    if config.database == "embedded":
        processes.append(_part("postgres", patience=POSTGRES_PATIENCE))
    return [*processes, *map(_part, ("database", "modbus", "rest", "opcua", "alerts"))]


def of_demo() -> list[Process]:
    """What `calejo demo` adds: a plant, an optimiser, and one that says when all is ready."""
    return [
        Process("plant", module("tools.simulate.plant")),
        Process("optimiser", module("tools.simulate.optimiser")),
        Process("demo", module("runtime", "process", "demo"), once=True),
    ]


def _part(
    name: str, progress: tuple[str, ...] | None = None, patience: float = PATIENCE
) -> Process:
    return Process(name, module("runtime", "process", name), progress or (name,), patience)
