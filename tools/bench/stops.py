"""Emergency stops of the whole way: from the request of a client to the setpoint in the register.

`calejo run` with sample stations; a pump runs at its default speed. Each protocol's own client asks
for a stop at a random moment of the period, while a Modbus master reads the setpoint as fast as it
can: the time ends when the master reads 0. Then the stop is cleared over HTTP.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from asyncua import ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.uacrypto import CertProperties
from asyncua.sync import Client

from runtime.database.embedded import EmbeddedServer
from runtime.places import Places
from runtime.security.certificates import self_signed
from runtime.security.trust import Trust
from tools.bench import bed
from tools.bench.figures import Spread, spread
from tools.bench.lateness import run
from tools.simulate import sample
from tools.simulate.addresses import setpoint_addresses
from tools.simulate.master import Address, Master

STATION, PUMP = "KW-NORD", 1  # its emergency action is "stop"
PATIENCE = 60.0  # s
TOKEN_UNIT, TOKEN_REGISTER = 255, 90
COIL_EMERGENCY_STOP = 0

logging.getLogger("asyncua").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Stops:
    """Latencies by protocol; the period of the scan in s."""

    period: float
    latency: dict[str, Spread]


class Rest:
    """A client of the REST interface."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=10)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        text = None if body is None else json.dumps(body)
        self._connection.request(method, f"/api/v1/{path}", text, self._headers)
        reply = self._connection.getresponse()
        told: dict[str, object] = json.load(reply)
        if reply.status >= 400:
            raise RuntimeError(f"{method} {path}: {reply.status} {told}")
        return told

    def stop(self) -> None:
        place = {"scope": "pump", "station": STATION, "pump": PUMP}
        self.ask("POST", "emergency-stops", place | {"reason": "bench"})

    def clear_all(self) -> None:
        active = self.ask("GET", "emergency-stops")["active"]
        assert isinstance(active, list)
        for stop in active:
            self.ask("POST", f"emergency-stops/{stop['id']}/clear", {"reason": "bench"})

    def close(self) -> None:
        self._connection.close()


class Modbus:
    """A Modbus connection that has shown the token and may write."""

    def __init__(self, host: str, port: int, token: str, setpoint: Address) -> None:
        self._socket = socket.create_connection((host, port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unit, self._base = setpoint.unit, setpoint.register
        words = bytes.fromhex(token)
        count = len(words) // 2
        head = struct.pack(">BHHB", 16, TOKEN_REGISTER, count, len(words))
        self._ask(TOKEN_UNIT, head + words)

    def stop(self) -> None:
        self._ask(self._unit, struct.pack(">BHH", 5, self._base + COIL_EMERGENCY_STOP, 0xFF00))

    def _ask(self, unit: int, request: bytes) -> None:
        self._socket.sendall(struct.pack(">HHHB", 1, 0, len(request) + 1, unit) + request)
        answer = self._socket.recv(260)
        if answer[7] != request[0]:
            raise RuntimeError(f"Modbus refuses: {answer.hex()}")

    def close(self) -> None:
        self._socket.close()


@contextmanager
def opcua(url: str, places: Places) -> Iterator[Callable[[], None]]:
    """A method call by a client that is trusted and has signed in."""
    identity = self_signed("bench", "urn:calejo:bench", (), datetime.now(UTC))
    Trust(places.certificates / "opcua").add(identity.certificate)
    client = Client(url)
    client.application_uri = "urn:calejo:bench"
    client.set_security(
        SecurityPolicyBasic256Sha256,
        CertProperties(identity.der, "der"),
        CertProperties(identity.key_pem, "pem"),
        mode=ua.MessageSecurityMode.SignAndEncrypt,
    )
    client.set_user("operator")
    client.set_password(places.token())
    with client:
        index = client.get_namespace_index("urn:calejo:control-adapter")
        pump = client.get_node(ua.NodeId(ua.String(f"{STATION}/{PUMP}"), index))
        method = ua.NodeId(ua.String(f"{STATION}/{PUMP}/SetEmergencyStop"), index)
        yield lambda: pump.call_method(method, "bench")


def measure(count: int) -> Stops:
    with bed.state() as places:
        environ = bed.settings(1_000) | {"CALEJO_STATE": str(places.root)}
        servers = bed.loaded(environ).servers
        with run(environ, "runtime", "run") as runtime:
            server = EmbeddedServer(places.postgres)
            with sample.wait_for_schema(lambda: server.dsn("calejo_owner"), PATIENCE) as connection:
                sample.load(connection)
            master = Master(*servers.modbus.listen)
            setpoint = _wait_for_setpoint(environ, master)
            token = places.token()
            rest = Rest(*servers.rest.listen, token)
            modbus = Modbus(*servers.modbus.listen, token, setpoint)
            meter = _Meter(master, setpoint, rest, bed.loaded(environ).period)
            with opcua(f"opc.tcp://{servers.opcua.listen}/calejo", places) as call:
                latency = {
                    "Modbus": meter.spread(modbus.stop, count),
                    "OPC UA": meter.spread(call, count),
                    "REST": meter.spread(rest.stop, count),
                }
            rest.close()
            modbus.close()
            master.close()
            runtime.terminate()
            runtime.wait(10)
    return Stops(meter.period, latency)


@dataclass(frozen=True)
class _Meter:
    """Takes the time from a request to the register."""

    master: Master
    setpoint: Address
    rest: Rest
    period: float

    def spread(self, stop: Callable[[], None], count: int) -> Spread:
        dice = random.Random(1)
        return spread([self._once(stop, dice.random() * self.period) for _ in range(count)])

    def _once(self, stop: Callable[[], None], pause: float) -> float:
        self._until(lambda hertz: hertz > 0.0)
        time.sleep(pause)
        client = threading.Thread(target=stop)
        began = time.perf_counter()
        client.start()
        self._until(lambda hertz: hertz == 0.0)
        latency = time.perf_counter() - began
        client.join()
        self.rest.clear_all()
        return latency

    def _until(self, reached: Callable[[float], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            (hertz,) = self.master.read([self.setpoint])
            if hertz is not None and reached(hertz):
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"the setpoint stays at {hertz} Hz")


def _wait_for_setpoint(environ: Mapping[str, str], master: Master) -> Address:
    """Where the setpoint lies, as soon as it can be read."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError):
            found = setpoint_addresses(os.environ | environ).get(PUMP)
            if found is not None and master.read([found]) != [None]:
                return found
        if time.monotonic() > deadline:
            raise RuntimeError(f"pump {PUMP} has no setpoint over Modbus after {PATIENCE:.0f} s")
        time.sleep(0.2)
