"""What somebody can do to the server who can only reach its port, or who has only signed in."""

from __future__ import annotations

import gc
import logging
import socket
import struct
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.attribute_ids import AttributeIds

from runtime.places import Places
from runtime.servers.opcua.connection import LARGEST_CHUNK, MOST_UNKNOWN
from runtime.servers.opcua.limits import MOST_READ
from runtime.servers.opcua.references import node_id
from tests.processes import until
from tests.servers.modbus.station import CAPACITY, Plant
from tests.servers.opcua.serving import Running, number, read, refused

HELLO = struct.pack("<5I", 0, 65535, 65535, 0, 0) + struct.pack("<i", -1)


def message(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    """A message, which may announce another size than it has."""
    return kind + b"F" + struct.pack("<I", len(body) + 8 if size is None else size) + body


GREETING = message(b"HEL", HELLO)


@contextmanager
def plain(server: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        yield connection


def last_words(connection: socket.socket) -> bytes:
    """All that the server says until it hangs up."""
    words = b""
    with suppress(ConnectionResetError):  # it hung up while there was more to be read
        while piece := connection.recv(65536):
            words += piece
    return words


def status_of(error: bytes) -> str:
    assert error[:3] == b"ERR"
    return ua.StatusCode(ua.UInt32(struct.unpack_from("<I", error, 8)[0])).name


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (message(b"HEL", b"", size=0x7FFF_FFFF), "BadTcpMessageTooLarge"),
        (message(b"HEL", b"", size=LARGEST_CHUNK + 1), "BadTcpMessageTooLarge"),
        (message(b"MSG", b"", size=0), "BadTcpMessageTooLarge"),
        (message(b"MSG", b"", size=8), "BadTcpMessageTooLarge"),
        (message(b"MSG", b"", size=9) + b"x", "BadTcpMessageTypeInvalid"),
        (b"GET / HTTP/1.1\r\n\r\n", "BadTcpMessageTypeInvalid"),
        (message(b"ACK", HELLO), "BadTcpMessageTypeInvalid"),
        (message(b"HEL", b"\xff" * 20), "BadDecodingError"),
        (message(b"OPN", b"\xff" * 100), "BadTcpMessageTypeInvalid"),
        (message(b"MSG", b"\0" * 100), "BadTcpMessageTypeInvalid"),
        (GREETING + message(b"OPN", b"\xff" * 100), "BadSecurityPolicyRejected"),
        (GREETING + message(b"MSG", b"\0" * 100), "BadSecureChannelIdInvalid"),
        (GREETING + message(b"CLO", b"\0" * 100), "BadSecureChannelIdInvalid"),
        (GREETING + GREETING, "BadTcpMessageTypeInvalid"),
        (message(b"HEL", struct.pack("<5Ii", 0, 8191, 65535, 0, 0, -1)), "BadConnectionRejected"),
        (
            message(b"HEL", HELLO[:20] + struct.pack("<i", 5000) + b"x" * 5000),
            "BadTcpEndpointUrlInvalid",
        ),
    ],
)
def test_what_is_no_opc_ua_ends_the_connection_at_once(
    server: Running, data: bytes, name: str
) -> None:
    with plain(server) as connection:
        connection.sendall(data)
        words = last_words(connection)
        assert status_of(words[words[:3] == b"ACK" and 28 :]) == name


def test_who_has_not_signed_in_may_not_send_much(server: Running) -> None:
    with plain(server) as connection:
        connection.sendall(message(b"HEL", HELLO))
        assert connection.recv(8)[:3] == b"ACK"
        chunk = b"MSGC" + struct.pack("<I", LARGEST_CHUNK) + b"\0" * (LARGEST_CHUNK - 8)
        sent = 0
        with suppress(ConnectionError):
            while sent < 100 * MOST_UNKNOWN:
                connection.sendall(chunk)
                sent += len(chunk)
    assert sent < 100 * MOST_UNKNOWN


def test_a_connection_has_one_session(server: Running) -> None:
    with server.client() as client:
        with refused("BadTooManySessions"):
            client.create_session()
        assert number(read(client, "North/11/EmergencyStop")) is False


def test_requests_need_the_token_of_their_session(server: Running) -> None:
    with server.client() as client:
        protocol = client.aio_obj.uaclient.protocol
        mine = protocol.authentication_token
        protocol.authentication_token = ua.NodeId(ua.Int32(1001))
        with refused("BadSessionIdInvalid"):
            read(client, "System/Scan")
        protocol.authentication_token = mine
        assert number(read(client, "System/Scan"))


def test_tokens_can_not_be_guessed(server: Running) -> None:
    with server.client() as one, server.client() as other:
        tokens = [c.aio_obj.uaclient.protocol.authentication_token.Identifier for c in (one, other)]
        assert [len(token) for token in tokens] == [32, 32]
        assert tokens[0][:16] != tokens[1][:16]


def test_sessions_end_with_their_connections(server: Running) -> None:
    before = server.server.core.sessions
    for _ in range(3):
        with plain(server) as connection:
            connection.sendall(message(b"HEL", HELLO))
            connection.recv(28)
    with server.client():
        assert server.server.core.sessions == before + 1
    until(lambda: server.server.core.sessions == before)


def test_a_connection_that_has_ended_leaves_nothing_behind(server: Running) -> None:
    """Nothing that refers to itself, which would stay until somebody searches for it."""
    gc.disable()
    try:
        with server.client() as client:
            client.create_subscription(100.0, None)
            assert server.server.bserver is not None
            connection = weakref.ref(server.server.bserver.clients[-1])
        until(lambda: connection() is None)
    finally:
        gc.enable()
    names = logging.root.manager.loggerDict
    assert not [name for name in names if name.startswith("asyncua.server.monitored_item_service.")]


@pytest.fixture
def small(plant_places: Places, plant: Plant) -> Iterator[Running]:
    """A server for two clients."""
    running = Running(plant_places, CAPACITY, connections=2)
    yield running
    running.end()


def test_there_are_only_so_many_connections(small: Running) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(small.client()) for _ in range(2)]
        with plain(small) as connection:
            assert last_words(connection) == b""
        assert small.server.clients == 2
        assert all(number(read(client, "System/Scan")) for client in clients)
    until(lambda: small.server.clients == 0)
    with small.client() as client:
        assert number(read(client, "System/Scan"))


def test_a_client_that_does_not_read_its_answers_is_dropped(
    small: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # connections inherit it
    monkeypatch.setattr("runtime.servers.opcua.connection.MOST_UNSENT", 65536)
    value = ua.ReadValueId(node_id("North/11/Setpoint"), ua.IntegerId(AttributeIds.Value))
    with small.client() as client:
        client.tloop.post(_flood(client, ua.ReadParameters(NodesToRead=[value] * MOST_READ)))
        until(lambda: small.server.clients == 0)


async def _flood(client: Client, wanted: ua.ReadParameters) -> None:
    """Ask, and read nothing."""
    protocol = client.aio_obj.uaclient.protocol
    protocol.transport.pause_reading()
    protocol.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    for _ in range(20):
        protocol._send_request(ua.ReadRequest(Parameters=wanted)).cancel()
