"""What the stock server of the library gets wrong on the wire, and limits that it doesn't have."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from runtime.places import Places
from tests.processes import until
from tests.servers.modbus.conftest import Running, serving, unlocked
from tests.servers.modbus.station import Plant
from tests.servers.modbus.wire import Wire, adu, read, write_one, write_registers

SPEED = read(3, 100, 2)
MODE_MANUAL = write_one(6, 161, 1)


def test_two_requests_in_one_segment_are_both_answered_in_order(wire: Wire) -> None:
    wire.send(adu(7, 1, SPEED) + adu(8, 1, read(4, 0, 3)))
    first, second = wire.receive(), wire.receive()
    assert (first.transaction, first.pdu[:2]) == (7, b"\x03\x04")
    assert (second.transaction, second.pdu[:2]) == (8, b"\x04\x06")


def test_a_request_that_comes_octet_by_octet_is_answered(wire: Wire) -> None:
    wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for octet in adu(9, 1, SPEED):
        wire.send(bytes((octet,)))
    assert wire.receive().pdu[:2] == b"\x03\x04"


def test_a_read_behind_a_waiting_write_is_answered_after_it_each_with_its_own_transaction(
    operator: Wire, plant: Plant
) -> None:
    plant.hold()
    operator.send(adu(501, 1, MODE_MANUAL) + adu(502, 1, read(3, 161, 1)))
    operator.send(adu(503, 1, read(3, 161, 1))[:5])  # and the next has begun to come
    plant.go_on()
    write, seen = operator.receive(), operator.receive()
    assert (write.transaction, write.pdu) == (501, MODE_MANUAL)
    assert (seen.transaction, seen.pdu) == (502, b"\x03\x02\x00\x01")
    operator.send(adu(503, 1, read(3, 161, 1))[5:])
    assert operator.receive().transaction == 503


def test_what_does_not_fit_behind_a_waiting_write_is_told_that_the_server_is_busy(
    operator: Wire, plant: Plant
) -> None:
    plant.hold()
    operator.send(adu(1, 1, MODE_MANUAL) + b"".join(adu(n, 1, SPEED) for n in range(2, 22)))
    refused = [operator.receive() for _ in range(4)]
    assert [(reply.transaction, reply.pdu) for reply in refused] == [
        (n, b"\x83\x06") for n in range(18, 22)
    ]
    plant.go_on()
    assert [operator.receive().transaction for _ in range(17)] == list(range(1, 18))


@pytest.mark.parametrize(
    ("request_pdu", "answer"),
    [
        (read(3, 0, 0), "83 03"),
        (read(3, 0, 126), "83 03"),
        (read(4, 0, 126), "84 03"),
        (read(1, 0, 2001), "81 03"),
        (read(2, 0, 0), "82 03"),
        (SPEED[:-1], "83 03"),
        (SPEED + b"\0", "83 03"),
        (b"\x41", "C1 01"),
        (read(0x08, 0, 0), "88 01"),
        (b"\x11", "91 01"),
        (b"\x14\x07\x06\x00\x01\x00\x00\x00\x01", "94 01"),
        (read(0x18, 0, 0), "98 01"),
        (b"\x2b\x0d\x01\x00", "AB 01"),
        (b"\x2b\x0e\x00\x00", "AB 03"),
        (b"\x2b\x0e\x05\x00", "AB 03"),
        (b"\x2b\x0e\x04\x03", "AB 02"),
        (b"\x2b\x0e\x01", "AB 03"),
        (b"\x2b", "AB 03"),
        (read(0x16, 0, 1), "96 03"),
        (b"\x17\x00\x00\x00\x00\x00\x68\x00\x02\x04" + bytes(4), "97 03"),
        (b"\x17\x00\x00\x00\x7e\x00\x68\x00\x02\x04" + bytes(4), "97 03"),
        (b"\x17\x00\x00\x00\x01\x00\x68\x00\x00\x00", "97 03"),
        (b"\x17\x00\x00\x00\x01\x00\x00\x00\x7a\xf4" + bytes(2), "97 03"),
        (b"\x17\x00\x00\x00\x01\x00\x68\x00\x02\x02" + bytes(2), "97 03"),
        (b"\x17\x03\xe8\x00\x01\x00\x68\x00\x02\x04" + bytes(4), "97 02"),
        (b"\x00", "80 01"),
        (b"\xff", "FF 01"),
        (write_one(5, 100, 0x1234), "85 03"),
        (write_one(5, 100, 0x0001), "85 03"),
        (b"\x0f\x00\x64\x00\x01\x02\x01\x00", "8F 03"),
        (b"\x0f\x00\x64\x00\x00\x00", "8F 03"),
        (write_registers(104, bytes(4))[:-1], "90 03"),
        (b"\x10\x00\x68\x00\x02\x02\x00\x00", "90 03"),
        (b"\x10\x00\x68\x00\x7c\xf8" + bytes(247), "90 03"),
        (b"\x10", "90 03"),
        (read(3, 0xFFFF, 2), "83 02"),
    ],
)
def test_a_request_that_the_standard_forbids_gets_the_exception_of_the_standard(
    wire: Wire, request_pdu: bytes, answer: str
) -> None:
    assert wire.ask(1, request_pdu).hex(" ").upper() == answer


def test_a_written_register_is_echoed_as_it_was_asked_for(operator: Wire, plant: Plant) -> None:
    assert operator.ask(1, write_one(6, 162, 4200)) == write_one(6, 162, 4200)
    assert operator.registers(3, 1, 162, 1) == struct.pack(">h", 4200)


@pytest.mark.parametrize(
    "header",
    [
        b"\x00\x01\x00\x01\x00\x06\x01",  # protocol 1
        b"\x00\x01\x00\x00\x00\x00\x01",  # nothing follows
        b"\x00\x01\x00\x00\x00\x01\x01",  # a unit and nothing else
        b"\x00\x01\x00\x00\x00\xff\x01",  # longer than a request can be
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_what_is_not_modbus_ends_the_connection_after_the_answers_owed(
    wire: Wire, header: bytes
) -> None:
    wire.send(adu(1, 1, SPEED) + header)
    assert wire.receive().transaction == 1
    assert wire.closed()


def test_what_is_not_modbus_ends_the_connection_only_after_the_write_that_waits(
    operator: Wire, plant: Plant
) -> None:
    plant.hold()
    operator.send(adu(1, 1, MODE_MANUAL) + adu(2, 1, SPEED) + b"GET / HTTP/1.1\r\n")
    plant.go_on()
    assert [operator.receive().transaction for _ in range(2)] == [1, 2]
    assert operator.closed()


def test_connections_that_are_gone_before_they_are_accepted_leave_nothing_behind(
    server: Running, wire: Wire
) -> None:
    assert wire.ask(1, SPEED)
    held = len(os.listdir("/proc/self/fd"))
    with server.busy():
        for _ in range(20):
            gone = socket.create_connection(("127.0.0.1", server.port))
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            gone.close()
    assert wire.ask(1, SPEED)
    until(lambda: len(os.listdir("/proc/self/fd")) <= held)


def test_a_connection_beyond_the_limit_is_closed_and_the_others_stay(
    places: Places, plant: Plant
) -> None:
    with serving(places, connections=2) as server, Wire(server.port) as one:
        with Wire(server.port) as two:
            assert one.ask(1, SPEED)
            assert two.ask(1, SPEED)
            with Wire(server.port) as three:
                assert three.closed()
            assert one.ask(1, SPEED)
        until(lambda: server.server.clients == 1)
        with Wire(server.port) as again:
            assert again.ask(1, SPEED)


def test_a_silent_connection_is_closed_even_with_half_a_request_sent(
    places: Places, plant: Plant
) -> None:
    with serving(places, idle=0.0) as server, Wire(server.port) as wire:
        assert wire.ask(1, SPEED)
        wire.send(adu(2, 1, SPEED)[:9])
        server.close_idle()
        assert wire.closed()
        until(lambda: server.server.clients == 0)


def test_a_connection_that_waits_for_the_scan_is_not_idle(places: Places, plant: Plant) -> None:
    with serving(places, idle=0.0) as server, unlocked(server, places) as wire:
        plant.hold()
        until(lambda: not server.waits())
        wire.send(adu(5, 1, MODE_MANUAL))
        until(server.waits)
        server.close_idle()
        plant.go_on()
        assert wire.receive().pdu == MODE_MANUAL


def test_a_client_that_does_not_read_its_answers_is_not_read_from_and_harms_nobody(
    server: Running,
) -> None:
    for kernel in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        server.bound.setsockopt(socket.SOL_SOCKET, kernel, 1 << 16)
    request = adu(1, 1, read(3, 0, 100)) * 1000
    with Wire(server.port) as deaf, Wire(server.port) as other:
        for kernel in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            deaf.socket.setsockopt(socket.SOL_SOCKET, kernel, 1 << 16)
        deaf.socket.setblocking(False)
        sent = refused = 0
        while refused < 20:  # by then every buffer on the way is full
            try:
                sent += deaf.socket.send(request[sent % len(request) :])
                refused = 0
            except BlockingIOError:
                refused += 1
            assert other.ask(1, SPEED)
        assert all(c.transport.get_write_buffer_size() < 400_000 for c in server.connections())
        deaf.socket.settimeout(60)
        for _ in range(sent // 12):
            assert deaf.receive().pdu[:2] == b"\x03\xc8"
