"""What a measurement stands on: a state directory of its own, sample equipment, moving inputs."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import config
from config import Config
from runtime import equipment
from runtime.database.assembly import assemble
from runtime.equipment import Equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.region import Writer
from runtime.tags import Pump, Station, System
from tools.simulate import stations

SCAN_YAML = Path(__file__).parents[2] / "scan.yaml"
PUMPS_PER_STATION = 5
SEED = 1
STANDING = 0.0005  # of the pumps, other ones each time: twice as many change state


def settings(pumps: int, period: str = "100 ms") -> dict[str, str]:
    """The environment of a runtime for so many pumps; it listens at ports that are free."""
    modbus, opcua, rest = free_ports(3)
    return {
        "CALEJO_CONFIG": str(SCAN_YAML),
        "CALEJO_PERIOD": period,
        "CALEJO_LOG": "error",
        "CALEJO_CAPACITY_PUMPS": str(pumps),
        "CALEJO_CAPACITY_STATIONS": str(max(1, pumps // PUMPS_PER_STATION)),
        "CALEJO_SERVERS_MODBUS_LISTEN": f"127.0.0.1:{modbus}",
        "CALEJO_SERVERS_MODBUS_REQUESTS": "1000000",  # of a connection: it is what is measured
        "CALEJO_SERVERS_OPCUA_LISTEN": f"127.0.0.1:{opcua}",
        "CALEJO_SERVERS_REST_LISTEN": f"127.0.0.1:{rest}",
    }


def loaded(environ: Mapping[str, str]) -> Config:
    return config.load(SCAN_YAML, {k: v for k, v in environ.items() if k.startswith("CALEJO_")})


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    with_sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in with_sockets]
    for one in with_sockets:
        one.close()
    return ports


@contextmanager
def state() -> Iterator[Places]:
    """A state directory, and the shared memory that belongs to it, until the end."""
    root = Path(tempfile.mkdtemp(prefix="calejo-bench-"))
    root.chmod(0o711)  # an embedded server of root runs as somebody else
    places = Places(root / "var")
    try:
        yield places
    finally:
        shutil.rmtree(places.shared, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)


def sample_equipment(settings: Config) -> Equipment:
    """Sample stations with as many pumps as there is room for, as discovery would find them."""
    rows = stations.generate(settings.capacity.stations, PUMPS_PER_STATION, SEED)
    limits = {row["pump_id"]: row for row in rows.limits}
    at = {"active": True, "watchdog_timeout_s": None}
    found = assemble(
        [row | at | _address(slot, 0) for slot, row in enumerate(rows.stations)],
        [
            limits[row["pump_id"]]
            | row
            | at
            | {"control_parameters": json.loads(str(row["control_parameters"]))}
            | _address(slot // PUMPS_PER_STATION, 1 + slot % PUMPS_PER_STATION)
            | {"slot": slot}
            for slot, row in enumerate(rows.pumps)
        ],
        settings,
        Equipment(version=1),
    )
    if found.problems:
        raise RuntimeError(f"sample equipment is refused: {found.problems[0]}")
    return found


def _address(station: int, block: int) -> dict[str, int]:
    """As the database assigns them: a station and its pumps one after the other in one unit."""
    lap, unit = divmod(station, 240)
    base = 100 * (lap * (1 + PUMPS_PER_STATION) + block)
    return {"slot": station, "modbus_unit": 1 + unit, "modbus_base": base}


class Inputs:
    """The database's part: writes parameters, plans, and feedback that changes every time."""

    def __init__(self, places: Places, capacity: Capacity, plant: Equipment) -> None:
        layout = Layout(capacity)
        self.columns = Columns(layout)
        equipment.fill(plant, self.columns)
        self._arena = self.columns.arena[: layout.inputs]
        self._writer = Writer(places.inputs, layout.inputs, layout.hash, layout.parameters)
        self._dice = np.random.default_rng(SEED)
        pumps = capacity.pumps
        self.columns[Pump.PlanSpeed][:] = 40.0 + self._dice.standard_normal(pumps)
        self.columns[Pump.PlanLevel][:] = 1.6
        self.columns[Pump.PlanPower][:] = 8.0
        self.columns[Pump.PlanFlow][:] = np.nan

    def renew(self, now: float) -> None:
        """New feedback of this moment; a few pumps are found running or stopped."""
        columns, dice = self.columns, self._dice
        pumps = len(columns[Pump.MeasuredTime])
        columns[System.DatabaseTime][:] = now
        columns[Station.PlanTime][:] = now
        columns[Pump.MeasuredTime][:] = now
        columns[Pump.MeasuredSpeed][:] = 40.0 + 0.1 * dice.standard_normal(pumps)
        columns[Pump.MeasuredPower][:] = 8.0 + 0.1 * dice.standard_normal(pumps)
        columns[Pump.MeasuredFlow][:] = 100.0 + dice.standard_normal(pumps)
        columns[Pump.MeasuredLevel][:] = 1.6 + 0.002 * dice.standard_normal(pumps)
        columns[Pump.MeasuredRunning][:] = dice.random(pumps) > STANDING
        columns[Pump.PlanStart][:] = now - 60.0
        columns[Pump.PlanEnd][:] = now + 60.0
        self._writer.publish(self._arena)
