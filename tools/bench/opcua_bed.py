"""What measurements of the OPC UA server share: the process, its image, and a trusted client."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.uacrypto import CertProperties

from config import Config
from runtime import equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.region import Writer
from runtime.security.certificates import self_signed
from runtime.security.trust import Trust
from runtime.tags import System
from tools.bench import bed

PERIOD = 0.1  # s
PATIENCE = 30.0  # s
TIMEOUT = 60.0  # s of a request
TICKS = os.sysconf("SC_CLK_TCK")
APPLICATION = "urn:calejo:bench"
IDENTITY = "client.pem"  # the client's key and certificate, in the state directory


def address(config: Config) -> tuple[str, int]:
    """Host and port of the server."""
    found = config.servers.opcua.listen
    return found.host, found.port


@contextmanager
def serving(environ: Mapping[str, str], host: str, port: int) -> Iterator[tuple[int, float]]:
    """The server while it runs: its process, and the time in s until it answered."""
    command = [sys.executable, "-m", "runtime", "process", "opcua"]
    began = time.monotonic()
    with subprocess.Popen(command, env=os.environ | environ) as process:
        try:
            _answered(host, port)
            yield process.pid, time.monotonic() - began
        finally:
            process.kill()


@contextmanager
def publishing(
    places: Places, config: Config, change: Callable[[Columns, int], None]
) -> Iterator[None]:
    """Publish an image ten times a second, as the scan does; `change` it before each time."""
    columns = Columns(Layout(Capacity.of(config.capacity)))
    equipment.fill(equipment.load(places.equipment), columns)
    layout = columns.layout
    writer = Writer(places.image, layout.size, layout.hash, layout.parameters)
    ended = threading.Event()
    columns[System.Period][0] = PERIOD
    columns.seal()

    def publish() -> None:
        began, number = time.monotonic(), 0
        while not ended.wait(max(0.0, began + number * PERIOD - time.monotonic())):
            columns[System.TimeUtc][0] = time.time()
            change(columns, number)
            writer.publish(columns.arena)
            number += 1

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def equip(places: Places, config: Config) -> None:
    """Sample stations and pumps in a state directory, and a client that is trusted there."""
    places.prepare()
    bed.sample_equipment(config).save(places.equipment)
    identity = self_signed("Bench", APPLICATION, (), datetime.now(UTC))
    Trust(places.certificates / "opcua").add(identity.certificate)
    (places.root / IDENTITY).write_bytes(identity.key_pem)
    (places.root / IDENTITY).with_suffix(".der").write_bytes(identity.der)


async def client(root: Path, host: str, port: int, server: bytes | None = None) -> Client:
    """A client of the server that signs and encrypts, not connected yet; nobody signs in.

    Without the certificate of the server, it is asked for, over a connection of its own.
    """
    found = Client(f"opc.tcp://{host}:{port}/calejo", timeout=PATIENCE)
    found.application_uri = APPLICATION
    key = root / IDENTITY
    await found.set_security(
        SecurityPolicyBasic256Sha256,
        CertProperties(key.with_suffix(".der"), "der"),
        CertProperties(key, "pem"),
        server_certificate=CertProperties(server, "der") if server else None,
        mode=ua.MessageSecurityMode.SignAndEncrypt,
    )
    return found


async def to_the_end(work: Awaitable[None]) -> None:
    """Do what a process of clients is for; whatever happens, end it, and at once.

    The library's clients take their time to end, or don't when they are not connected.
    """
    try:
        await work
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _answered(host: str, port: int) -> None:
    """Wait until a Hello is answered."""
    url = f"opc.tcp://{host}:{port}/calejo".encode()
    body = struct.pack("<5I", 0, 65535, 65535, 0, 0) + struct.pack("<I", len(url)) + url
    hello = b"HELF" + struct.pack("<I", 8 + len(body)) + body
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host, port), PATIENCE) as connection:
            connection.sendall(hello)
            if connection.recv(4).startswith(b"ACK"):
                return
        time.sleep(0.005)
    raise TimeoutError(f"the OPC UA server at {host}:{port} did not answer within {PATIENCE:g} s")


def spent(process: int) -> float:
    """Processor time of a process so far, in s."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(process: int) -> int:
    """The most that a process has held, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) * 1024 if found else 0
