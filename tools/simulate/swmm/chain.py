"""The whole chain in lockstep: tables, readers, inputs, scan, shared memory, Modbus server, client.

    plant ─▶ pump_feedback ─▶ FeedbackReader ─▶ INPUTS ─▶ scan ─▶ IMAGE ─▶ Modbus process ─▶ master
      ▲      pump_plans ────▶ PlanReader ────────┘                                             │
      └──────────────────────────────── setpoints ─────────────────────────────────────────────┘

All of it is the real thing but the plant, and time: it goes on by a scan when everybody has done
their part of the last one. So no run depends on how fast the machine is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from config import Config
from runtime.clock import ManualClock
from runtime.database.board import Board
from runtime.database.connection import Guard
from runtime.database.discovery import discover
from runtime.database.inputs import Inputs
from runtime.equipment import Equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.processes import module
from runtime.scan import Scan
from runtime.scan_process import SharedMemory, build
from runtime.tags import Pump
from tools.bench.bed import free_ports
from tools.simulate.addresses import setpoint_addresses
from tools.simulate.master import Master
from tools.simulate.sample import copy
from tools.simulate.swmm import turns
from tools.simulate.swmm.controller import PLANNED, RENEW
from tools.simulate.swmm.lockstep import Case
from tools.simulate.swmm.plant import Reading
from tools.simulate.swmm.rows import (
    SCAN_YAML,
    TARGET,
    Duty,
    environment,
    limits_row,
    pump_row,
    settings,
    station_row,
)
from tools.simulate.swmm.station import PUMPS, Station

Dsn = Callable[[str], str]  # by role
START_PATIENCE = 30.0  # s of real time for the Modbus process
# One statement: each costs a round trip in every scan. Arrays, as not each pump is always heard of.
_REPORT = f"""
WITH tick AS ({turns.SET_CLOCK})
INSERT INTO pump_feedback (pump_id, measured_at, actual_speed_hz, power_kw, flow_m3h,
                           wet_well_level_m, running, local_control)
SELECT pump, %(now)s, speed, power, flow, level, running, local
FROM unnest(%(pump)s::int[], %(speed)s::float8[], %(power)s::float8[], %(flow)s::float8[],
            %(level)s::float8[], %(running)s::bool[], %(local)s::bool[])
    AS heard (pump, speed, power, flow, level, running, local)"""
_MEASURED = ("speed", "power", "flow", "level", "running", "local")
_PLAN = """
INSERT INTO pump_plans (pump_id, interval_start, interval_end, target_level_m, plan_version,
                        created_at)
SELECT pump, %(now)s, %(end)s, %(level)s, %(version)s, %(now)s
FROM generate_series(1, %(pumps)s) AS pump"""


class Writers:
    """The optimiser and the plant's collector, each with the rights of its role."""

    def __init__(self, dsn: Dsn, stack: ExitStack) -> None:
        def connected(role: str) -> psycopg.Connection[tuple[object, ...]]:
            connection = psycopg.connect(dsn(role), autocommit=True)
            return stack.enter_context(closing(connection))

        self._collector, self._optimiser = connected("collector"), connected("optimiser")
        self._version = 0

    def tick(self, now: datetime) -> None:
        """Set the database's clock."""
        self._collector.execute(turns.SET_CLOCK, {"now": now})

    def report(self, reading: Reading, now: datetime) -> None:
        """Set the database's clock, and enter what was measured."""
        heard = reading.heard
        values = {name: getattr(reading, name)[heard].tolist() for name in _MEASURED}
        values["level"] = [None if level != level else level for level in values["level"]]
        pumps = (1 + np.flatnonzero(heard)).tolist()
        self._collector.execute(_REPORT, values | {"now": now, "pump": pumps})

    def plan(self, level: float, now: datetime) -> None:
        """Lay a new version over the plans that are there."""
        self._version += 1
        end = now + timedelta(seconds=PLANNED)
        values = {"now": now, "end": end, "level": level, "version": self._version}
        self._optimiser.execute(_PLAN, values | {"pumps": PUMPS})


class Chain:
    """The chain as a control of the plant."""

    def __init__(
        self, case: Case, config: Config, places: Places, dsn: Dsn, stack: ExitStack
    ) -> None:
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._clock = ManualClock(case.scan, utc=(midnight - timedelta(days=3)).timestamp())
        self._case = case
        self._writers = Writers(dsn, stack)
        stack.enter_context(turns.simulated_time(self._clock))
        capacity = Capacity(stations=1, pumps=PUMPS)
        found = _discovered(case.station, case.duty, config, places, dsn)
        self._inputs = Inputs(places, Columns(Layout(capacity)))
        self._board = Board(found, {})
        self._plan()
        source, guard = lambda: turns.by_simulated_clock(dsn("calejo_runtime")), Guard()
        self._feedback = turns.FeedbackByTurns(self._board, source, guard)
        self._plans = turns.PlansByTurns(self._board, source, guard)
        for reader in (self._feedback, self._plans):
            reader.start()
            stack.callback(reader.join)
            stack.callback(reader.stop)
            reader.wait()
        self.columns = Columns(Layout(capacity))
        program = build(config, self.columns)
        ports = SharedMemory(places, self.columns)
        self._scan = Scan(self.columns, program, self._clock, case.scan, ports)
        self._inputs.publish(self._board)

    def step(self, reading: Reading, time: float) -> None:
        """From what was measured to the published image."""
        self._clock.advance(self._case.scan)
        lost = self._case.lost(time)
        if "database" not in lost:
            self._writers.report(reading, self._now)
            if "plans" not in lost and self._clock.now() - self._planned >= RENEW:
                self._plan()
                self._plans.take_turn()
            self._feedback.take_turn()
        self._inputs.publish(self._board)
        self._scan.cycle()

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.utc(), UTC)

    def _plan(self) -> None:
        self._planned = self._clock.now()
        self._writers.tick(self._now)
        self._writers.plan(TARGET, self._now)


class Remote:
    """The chain as the plant meets it: setpoints are what a Modbus client reads."""

    def __init__(self, chain: Chain, master: Master, environ: dict[str, str]) -> None:
        self._chain = chain
        self._master = master
        found = setpoint_addresses(environ)
        self._addresses = [found[1 + number] for number in range(PUMPS)]

    def step(self, reading: Reading, time: float) -> Sequence[float | None]:
        self._chain.step(reading, time)
        read = self._master.read(self._addresses)
        if None in read:
            raise ConnectionError(f"the Modbus server refuses a setpoint: it answers {read}")
        return read

    def authority(self) -> Sequence[float]:
        return [float(value) for value in self._chain.columns[Pump.Authority]]


@contextmanager
def chained(case: Case, dsn: Dsn, state: Path) -> Iterator[Remote]:
    """All of the chain over a fresh migrated database; `dsn` says how each role connects to it."""
    places, (port,) = Places(state), free_ports(1)
    environ = environment(case.scan, CALEJO_SERVERS_MODBUS_LISTEN=f"127.0.0.1:{port}")
    environ |= {"CALEJO_STATE": str(state), "CALEJO_CONFIG": str(SCAN_YAML)}
    everything = {name: v for name, v in os.environ.items() if "CALEJO" not in name} | environ
    turns.simulate_clock(dsn("postgres"))
    with ExitStack() as stack:
        places.prepare()
        stack.callback(shutil.rmtree, places.shared, ignore_errors=True)
        places.token()
        chain = Chain(case, settings(case.scan), places, dsn, stack)
        server = subprocess.Popen(module("runtime", "process", "modbus"), env=everything)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        master = stack.enter_context(closing(Master("127.0.0.1", port, timeout=10.0)))
        remote = Remote(chain, master, everything)
        _await(server, master)
        yield remote


def _await(server: subprocess.Popen[bytes], master: Master) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + START_PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            master.read([])
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"the Modbus process does not listen; exit code {server.poll()}")


def _discovered(
    station: Station, duty: Duty, config: Config, places: Places, dsn: Dsn
) -> Equipment:
    """Enter the station, and find it as the runtime does."""
    with psycopg.connect(dsn("calejo_owner")) as connection:
        copy(connection, "pump_stations", [station_row(station, duty)])
        pumps = [pump_row(number, duty) for number in range(PUMPS)]
        tuned = [row | {"control_parameters": Jsonb(row["control_parameters"])} for row in pumps]
        copy(connection, "pumps", tuned)
        copy(connection, "pump_safety_limits", [limits_row(number) for number in range(PUMPS)])
    with psycopg.connect(dsn("calejo_runtime")) as connection:
        found = replace(discover(connection, config, Equipment()), version=1)
    if found.problems:
        raise ValueError(f"the station is refused: {'; '.join(found.problems)}")
    found.save(places.equipment)
    return found
