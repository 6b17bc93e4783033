"""Whatever octets come, the server lives on, answers others, and writes nothing."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.modbus.conftest import Running, scanning, serving
from tests.servers.modbus.station import Plant
from tests.servers.modbus.wire import Wire, adu, read
from tests.servers.state import state

words = st.integers(0, 0xFFFF)
near = st.one_of(st.integers(0, 500), words)

pdus = st.one_of(
    st.binary(min_size=1, max_size=253),
    st.builds(read, st.integers(0, 255), near, near),
    st.builds(
        lambda function, address, count, data: read(function, address, count) + data,
        st.sampled_from([15, 16, 22, 23]),
        near,
        st.integers(0, 200),
        st.binary(max_size=240),
    ),
)
units = st.one_of(st.sampled_from([0, 1, 2, 255]), st.integers(0, 255))
streams = st.lists(
    st.one_of(st.builds(adu, words, units, pdus), st.binary(max_size=40)), max_size=20
).map(b"".join)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Plant]]:
    with (
        state(tmp_path_factory.mktemp("state")) as places,
        scanning(places) as plant,
        serving(places) as server,
    ):
        yield server, plant


def exchange(port: int, stream: bytes) -> bytes:
    """Send a stream, say that no more comes, and return all that is answered until the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        answers = b""
        with suppress(ConnectionError):  # the server may have had enough before all was sent
            connection.sendall(stream)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                answers += part
        return answers


@settings(deadline=None, max_examples=200)
@given(streams)
def test_no_stream_of_octets_stops_the_server_or_writes_anything(
    running: tuple[Running, Plant], stream: bytes
) -> None:
    server, plant = running
    answers = exchange(server.port, stream)
    while answers:
        _, protocol, length = struct.unpack(">HHH", answers[:6])
        assert protocol == 0
        assert len(answers) >= 6 + length
        answers = answers[6 + length :]
    with Wire(server.port) as other:
        assert other.ask(1, read(3, 100, 2))[0] == 3
    assert plant.asked == []


@settings(deadline=None, max_examples=200)
@given(st.lists(st.builds(adu, words, units, pdus), min_size=1, max_size=20), st.data())
def test_every_request_is_answered_once_in_order_however_it_is_cut(
    running: tuple[Running, Plant], requests: list[bytes], data: st.DataObject
) -> None:
    server, _ = running
    stream = b"".join(requests)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream)), max_size=5)))
    with Wire(server.port) as wire:
        for start, end in pairwise([0, *cuts, len(stream)]):
            wire.send(stream[start:end])
        for request in requests:
            reply = wire.receive()
            transaction, _, _, unit, function = struct.unpack(">HHHBB", request[:8])
            assert (reply.transaction, reply.unit) == (transaction, unit)
            assert reply.pdu[0] in (function, function | 0x80)
