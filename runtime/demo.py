"""What `calejo demo` adds last: sample data, a word on where everything is, and `ready`."""

from __future__ import annotations

import logging
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from types import FrameType

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from config import Config
from runtime import equipment
from runtime.database.embedded import EmbeddedServer
from runtime.equipment import PumpEntry
from runtime.places import Places
from runtime.processes import module
from runtime.progress import State, look
from runtime.registers import points
from runtime.tag import Space, Tag
from runtime.tags import Pump

PLAN = Pump.Authority.number("Plan")
EXPECTED = 60.0  # s until it should be ready
POLL = 0.2  # s

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what it can't do is told here


class NotReadyError(Exception):
    """What is missing until a plan is in the registers."""


def main(config: Config, places: Places) -> None:
    """Return when the first setpoint of a plan can be read over Modbus."""
    signal.signal(signal.SIGTERM, _end)
    deadline = time.monotonic() + EXPECTED
    subprocess.run(module("tools.simulate.sample"), check=False)
    _say(*_addresses(config, places))
    listen = config.servers.modbus.listen
    with ModbusTcpClient(listen.host, port=listen.port, retries=0) as client:
        while True:
            try:
                _look_for_plan(client, places)
                _look_for_start(places)
            except NotReadyError as missing:
                if time.monotonic() > deadline:
                    deadline = float("inf")
                    _say(f"not ready after {EXPECTED:.0f} s: {missing}", *_troubles(places))
                time.sleep(POLL)
            else:
                _say("ready")
                return


def _addresses(config: Config, places: Places) -> Iterator[str]:
    servers, database = config.servers, EmbeddedServer(places.postgres)
    yield ""
    yield f"operator page  http://{servers.rest.listen}/"
    yield f"REST           http://{servers.rest.listen}/api/v1"
    yield f"OPC UA         opc.tcp://{servers.opcua.listen}/calejo"
    yield f"Modbus TCP     {servers.modbus.listen}, system at unit 255, map: calejo tags"
    yield f"token          {places.token()} (in {places.token_file}), for whatever changes things"
    yield "               REST: Authorization: Bearer; OPC UA: password of user operator"
    yield "new client     OPC UA refuses it until you say: calejo certs trust THUMBPRINT"
    yield "               (calejo certs lists who has tried; calejo users, who may sign in)"
    yield f'read tables    psql "{database.dsn("control_reader")}"'
    yield f'write plans    psql "{database.dsn("optimiser")}"'
    yield ""


def _look_for_plan(client: ModbusTcpClient, places: Places) -> None:
    """Return if some pump has a setpoint of its plan; raise NotReadyError if none has."""
    pumps = [pump for pump in equipment.load(places.equipment).pumps if pump.active]
    if not pumps:
        raise NotReadyError("no pump is known")
    names = Pump.Authority.states or {}
    found = {}
    try:
        if not client.connect():  # type: ignore[no-untyped-call]  # pymodbus'
            raise NotReadyError("the Modbus server does not take connections")
        for pump in pumps:
            authority = _read(client, pump, Pump.Authority)
            if authority == PLAN and _read(client, pump, Pump.Setpoint) > 0:
                return
            found[f"{pump.station_id}/{pump.pump_id}"] = names.get(int(authority), "?")
    except (ModbusException, OSError) as error:
        client.close()  # type: ignore[no-untyped-call]  # pymodbus'
        raise NotReadyError(f"Modbus: {error}") from None
    listed = ", ".join(f"{name} {authority}" for name, authority in found.items())
    raise NotReadyError(f"no pump runs by its plan; authority over each: {listed}")


def _look_for_start(places: Places) -> None:
    """Return if every process has begun its work: whoever waits for `ready` wants to use them."""
    found = (look(places.progress(name)) for name in ("database", "modbus", "opcua", "rest"))
    if not all(health and health.state is not State.STARTING for health in found):
        raise NotReadyError("not every process has begun its work")


def _read(client: ModbusTcpClient, pump: PumpEntry, tag: Tag) -> float:
    """A value as SCADA would read it."""
    point = next(point for point in points(Pump, tag.space) if point.tag is tag)
    holding = tag.space is Space.HOLDING
    read = client.read_holding_registers if holding else client.read_input_registers
    answer = read(pump.base + point.offset, count=point.width, device_id=pump.unit)
    if answer.isError():
        raise ModbusException(f"exception {answer.exception_code}")
    return point.value(struct.pack(f">{point.width}H", *answer.registers))


def _troubles(places: Places) -> Iterator[str]:
    """What the processes that are not well say."""
    for path in sorted(places.shared.glob("progress-*")):
        health = look(path)
        if health is not None and health.state in (State.STARTING, State.DEGRADED):
            yield f"  {health.process}: {health.text}"


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
