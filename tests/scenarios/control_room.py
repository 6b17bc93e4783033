"""What stands in a control room: clients that know Calejo by its protocols and tag list alone."""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
import subprocess
import urllib.error
import urllib.request
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.uacrypto import CertProperties

from tests.calejo import Calejo
from tests.processes import until
from tests.servers.modbus.wire import Wire, write_one, write_registers
from tests.servers.opcua.serving import APPLICATION, station, trusted

COIL, DISCRETE, HOLDING, INPUT = 1, 2, 3, 4
FUNCTIONS = {
    "coil": COIL,
    "discrete input": DISCRETE,
    "holding register": HOLDING,
    "input register": INPUT,
}
WRITE_COIL = 5


class Scada:
    """Modbus: values by station, pump and tag, at the addresses that `calejo tags` prints."""

    def __init__(self, calejo: Calejo) -> None:
        self._calejo = calejo
        listed = json.loads(calejo("tags", "--format", "json").stdout)["tags"]
        self._rows = {
            (row["station"], row["pump"], row["tag"]): row
            for row in listed
            if row["address"] is not None and row["type"] != "int16"
        }

    def read(self, station: str, pump: str, tag: str) -> float:
        """One value, in its unit."""
        row = self._rows[station, pump, tag]
        with Wire(self._calejo.ports["modbus"]) as wire:
            function = FUNCTIONS[row["space"]]
            data = wire.registers(function, row["unit_id"], row["address"], row["registers"])
        if row["type"] == "bool":
            return float(data[0] & 1)
        return float(struct.unpack(">f" if row["type"] == "float32" else ">I", data)[0])

    def press(self, station: str, pump: str, tag: str) -> None:
        """Write 1 to a coil, on a connection that has shown the token."""
        row = self._rows[station, pump, tag]
        token = self._rows["", "", "Token"]
        with Wire(self._calejo.ports["modbus"]) as wire:
            shown = write_registers(token["address"], bytes.fromhex(self._calejo.places.token()))
            assert wire.ask(token["unit_id"], shown) == shown[:5]
            order = write_one(WRITE_COIL, row["address"], 0xFF00)
            assert wire.ask(row["unit_id"], order) == order

    def mbpoll(self, station: str, pump: str, tag: str) -> float:
        """A 32-bit float, read by a program that is not ours."""
        row = self._rows[station, pump, tag]
        command = ["mbpoll", "-1", "-q", "-B", "-t", f"{row['reference'][0]}:float"]
        command += ["-a", str(row["unit_id"]), "-r", str(row["address"] + 1)]
        command += ["-p", str(self._calejo.ports["modbus"]), "127.0.0.1"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        (value,) = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("[")]
        return float(value)


HAS_MBPOLL = shutil.which("mbpoll") is not None


class Http:
    """REST, as the operator."""

    def __init__(self, calejo: Calejo) -> None:
        self._base = f"http://127.0.0.1:{calejo.ports['rest']}/api/v1"
        self._token = calejo.places.token()

    def get(self, path: str) -> Any:
        return self._send(urllib.request.Request(f"{self._base}/{path}"))

    def post(self, path: str, body: dict[str, object]) -> Any:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
        }
        data = json.dumps(body).encode()
        return self._send(urllib.request.Request(f"{self._base}/{path}", data, headers))

    def stop(self, **scope: object) -> str:
        """Set an emergency stop; its id."""
        return str(self.post("emergency-stops", {**scope, "reason": "drill"})["id"])

    def clear(self, identity: str) -> None:
        """Clear an emergency stop as soon as that is possible: when the pumps stand."""
        until(lambda: self._cleared(identity), patience=60)

    def _cleared(self, identity: str) -> bool:
        try:
            self.post(f"emergency-stops/{identity}/clear", {"reason": "drill is over"})
        except urllib.error.HTTPError as refusal:
            if refusal.code != 409:
                raise
            return False
        return True

    def stops(self) -> list[str]:
        """The ids of the emergency stops in force."""
        return [str(stop["id"]) for stop in self.get("emergency-stops")["active"]]

    @staticmethod
    def _send(request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read())


class OpcUa:
    """OPC UA, as the operator, at an application that is trusted."""

    def __init__(self, calejo: Calejo) -> None:
        self._url = f"opc.tcp://127.0.0.1:{calejo.ports['opcua']}/calejo"
        self._token = calejo.places.token()
        trusted(calejo.places)

    async def _client(self) -> Client:
        client = Client(self._url, timeout=60)
        client.application_uri = APPLICATION
        await client.set_security(
            SecurityPolicyBasic256Sha256,
            CertProperties(station().der, "der"),
            CertProperties(station().key_pem, "pem"),
        )
        client.set_user("operator")
        client.set_password(self._token)
        return client

    def read(self, path: str) -> Any:
        return asyncio.run(self._read(path))

    async def _read(self, path: str) -> Any:
        async with await self._client() as client:
            return await client.get_node(f"ns=2;s={path}").read_value()

    def call(self, path: str, method: str, reason: str) -> list[Any]:
        """Call a method of an object; its results."""
        return asyncio.run(self._call(path, method, reason))

    async def _call(self, path: str, method: str, reason: str) -> list[Any]:
        async with await self._client() as client:
            node = client.get_node(f"ns=2;s={path}")
            return list(
                await node.call_method(
                    ua.NodeId.from_string(f"ns=2;s={path}/{method}"),
                    ua.Variant(reason, ua.VariantType.String),
                )
            )
