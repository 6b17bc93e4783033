"""Modbus/TCP Security: who proves who he is, and what becomes of the others."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from config.modbus import ModbusSecurity
from runtime.places import Places
from runtime.requests import Role
from runtime.servers.modbus.tls import Security
from tests.processes import until
from tests.servers.modbus.conftest import Running, serving
from tests.servers.modbus.secure import Authority, SecureWire
from tests.servers.modbus.station import Plant
from tests.servers.modbus.wire import Wire, adu, read, write_one
from tests.servers.state import refusals

STOP = write_one(5, 100, 0xFF00)
SPEED = read(3, 100, 2)


@pytest.fixture
def authority() -> Authority:
    return Authority("Plant")


@pytest.fixture
def security(places: Places, authority: Authority) -> Security:
    folder = places.certificates / "modbus"
    security = Security(folder, "127.0.0.1")
    (folder / "authorities" / "plant.pem").write_bytes(authority.pem)
    security.renew()
    return security


@pytest.fixture
def server(places: Places, plant: Plant, security: Security) -> Iterator[Running]:
    with serving(places, security, secure=ModbusSecurity(handshake=30.0)) as running:
        yield running


def port(server: Running) -> int:
    assert server.secure is not None
    return int(server.secure.getsockname()[1])


@pytest.mark.parametrize(
    ("word", "role", "stops"),
    [("viewer", None, False), ("Operator", Role.OPERATOR, True), ("engineer", Role.ENGINEER, True)],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_role_in_the_certificate_decides(
    server: Running,
    plant: Plant,
    authority: Authority,
    tmp_path: Path,
    word: str,
    role: Role | None,
    stops: bool,
    version: ssl.TLSVersion,
) -> None:
    with SecureWire(port(server), authority.client(tmp_path, "pager", word), version) as wire:
        assert wire.ask(1, SPEED)[0] == 3
        assert wire.ask(1, STOP) == (STOP if stops else b"\x85\x01")
    assert [ask.role for ask in plant.asked] == ([role] if stops else [])


def test_who_never_proves_himself_keeps_nobody_out_of_either_port(
    places: Places, plant: Plant, security: Security, authority: Authority, tmp_path: Path
) -> None:
    patient = ModbusSecurity(handshake=30.0)
    with serving(places, security, secure=patient, connections=8) as server, ExitStack() as stack:
        hanging = [stack.enter_context(Wire(port(server))) for _ in range(12)]
        assert hanging[0].closed()
        until(lambda: server.server.clients == 2)
        with Wire(server.port) as wire:
            assert wire.ask(1, SPEED)[0] == 3
        with SecureWire(port(server), authority.client(tmp_path, "pager", "viewer")) as secure:
            assert secure.ask(1, SPEED)[0] == 3


def test_a_secure_client_that_does_not_read_makes_the_server_hold_little(
    places: Places, plant: Plant, security: Security, authority: Authority, tmp_path: Path
) -> None:
    many = b"".join(adu(number, 1, read(3, 0, 125)) for number in range(1000))
    with serving(places, security, outstanding=10_000.0) as server:
        with SecureWire(port(server), authority.client(tmp_path, "pager", "viewer")) as wire:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            wire.send(50 * many)
            (connection,) = until(server.connections)
            held = until(connection.transport.get_write_buffer_size)
            for number in range(50_000):
                assert wire.receive().transaction == number % 1000
                if number % 1000 == 0:
                    held = max(held, connection.transport.get_write_buffer_size())
        assert held < 200_000


@pytest.mark.parametrize("word", [None, "", "janitor"])
def test_without_a_role_every_request_is_refused_and_recorded(
    server: Running,
    plant: Plant,
    places: Places,
    authority: Authority,
    tmp_path: Path,
    word: str | None,
) -> None:
    with SecureWire(port(server), authority.client(tmp_path, "nobody", word)) as wire:
        assert wire.ask(1, SPEED) == b"\x83\x01"
        assert wire.ask(1, bytes((43, 14, 1, 0))) == b"\xab\x01"
        assert wire.ask(1, STOP) == b"\x85\x01"
    assert plant.asked == []
    found = refusals(places.spool / "modbus.db", 4)
    assert {record["who"] for record in found} == {"nobody"}
    assert found[0]["action"] == "connect"


def test_a_stranger_gets_no_further_than_the_handshake(
    server: Running, places: Places, tmp_path: Path
) -> None:
    stranger = Authority("Stranger").client(tmp_path, "stranger", "engineer")
    for certificate in (stranger, None):
        with (
            pytest.raises(OSError, match=r"."),
            SecureWire(port(server), certificate, ssl.TLSVersion.TLSv1_2) as wire,
        ):
            wire.ask(1, SPEED)
    found = refusals(places.spool / "modbus.db", 2)
    assert all(record["details"]["problem"].startswith("TLS: ") for record in found)


def test_wire_fault_failed_handshakes_leave_nothing_behind(server: Running) -> None:
    for _ in range(20):
        with Wire(port(server)) as wire:
            wire.send(adu(1, 1, SPEED))  # plain Modbus at the secure port
            assert wire.closed()
    until(lambda: server.server.clients == 0)


def test_wire_fault_a_handshake_that_never_ends_is_ended(
    places: Places, plant: Plant, security: Security
) -> None:
    with (
        serving(places, security, secure=ModbusSecurity(handshake=1.0)) as server,
        Wire(port(server)) as one,
        Wire(port(server)) as two,
    ):
        until(lambda: server.server.clients == 2)
        assert one.closed()
        assert two.closed()
        until(lambda: server.server.clients == 0)


def test_what_is_older_than_tls_1_2_is_not_spoken(server: Running, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", port(server)), timeout=60) as plain,
        pytest.raises(OSError, match=r"."),
    ):
        context.wrap_socket(plain)


def test_authorities_and_our_certificate_change_without_a_restart(
    server: Running, places: Places, security: Security, tmp_path: Path
) -> None:
    later = Authority("Later")
    client = later.client(tmp_path, "panel", "viewer")
    with (
        pytest.raises(OSError, match=r"."),
        SecureWire(port(server), client, ssl.TLSVersion.TLSv1_2) as wire,
    ):
        wire.ask(1, SPEED)
    folder = places.certificates / "modbus"
    (folder / "authorities" / "later.pem").write_bytes(later.pem)
    before = (folder / "own.pem").read_bytes()
    (folder / "own.pem").unlink()
    security.renew()
    with SecureWire(port(server), client) as wire:
        assert wire.ask(1, SPEED)[0] == 3
    assert (folder / "own.pem").read_bytes() != before


def test_wire_fault_a_request_in_pieces_and_two_in_one_over_tls(
    server: Running, authority: Authority, tmp_path: Path
) -> None:
    with SecureWire(port(server), authority.client(tmp_path, "pieces", "viewer")) as wire:
        for octet in adu(1, 1, SPEED):
            wire.send(bytes((octet,)))
        assert wire.receive().transaction == 1
        wire.send(adu(2, 1, SPEED) + adu(3, 1, SPEED))
        assert [wire.receive().transaction for _ in range(2)] == [2, 3]
        assert struct.unpack(">f", wire.registers(3, 1, 100, 2))[0] >= 0.0
