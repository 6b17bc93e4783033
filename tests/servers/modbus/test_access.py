"""Who is let in, and how much of the server one client can take."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from runtime.places import Places
from runtime.requests import Role
from runtime.servers.modbus import connection
from runtime.servers.modbus.access import listed
from tests.processes import until
from tests.servers.modbus.conftest import serving
from tests.servers.modbus.station import Plant
from tests.servers.modbus.wire import Wire, adu, read, write_one
from tests.servers.state import refusals

HERE = (ip_network("127.0.0.1/32"),)
ELSEWHERE = (ip_network("10.0.0.0/8"),)
SPEED = read(3, 100, 2)


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", False),
        ("::ffff:127.0.0.1", True),
        ("::1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_an_address_is_listed_as_it_is_or_as_its_ipv6_form(host: str, found: bool) -> None:
    assert listed(HERE, host) == found


def test_an_address_in_no_list_is_not_let_in_and_that_is_recorded(
    places: Places, plant: Plant
) -> None:
    with serving(places, viewers=ELSEWHERE) as server, Wire(server.port) as wire:
        assert wire.closed()
    (found,) = refusals(places.spool / "modbus.db", 1)
    assert (found["action"], found["who"], found["role"]) == ("connect", "unknown", None)
    assert "none of the lists" in found["details"]["problem"]


@pytest.mark.parametrize(
    ("lists", "role"),
    [({"operators": HERE}, Role.OPERATOR), ({"operators": HERE, "engineers": HERE}, Role.ENGINEER)],
)
def test_operators_and_engineers_by_address_need_no_token(
    places: Places, plant: Plant, lists: dict[str, object], role: Role
) -> None:
    with serving(places, None, **lists) as server, Wire(server.port) as wire:
        stop = write_one(5, 100, 0xFF00)
        assert wire.ask(1, stop) == stop
    assert [ask.role for ask in plant.asked] == [role]


def test_who_asks_more_often_than_allowed_has_to_wait_and_gets_every_answer(
    places: Places, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []
    pause = connection.Connection._pause

    def watched(self: connection.Connection, seconds: float) -> None:
        paused.append(seconds)
        pause(self, seconds)

    monkeypatch.setattr(connection.Connection, "_pause", watched)
    with serving(places, requests=50) as server, Wire(server.port) as wire:
        wire.send(b"".join(adu(n, 1, SPEED) for n in range(60)))
        assert [wire.receive().transaction for _ in range(60)] == list(range(60))
        assert paused
        assert wire.ask(1, SPEED)[0] == 3


def test_answers_that_a_client_leaves_unread_are_bounded_by_the_setting(
    places: Places, plant: Plant
) -> None:
    request = adu(1, 1, read(3, 0, 100)) * 1000
    with serving(places, outstanding=4_000.0) as server:
        for kernel in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            server.bound.setsockopt(socket.SOL_SOCKET, kernel, 1 << 12)
        with Wire(server.port) as deaf:
            deaf.socket.setblocking(False)
            until(lambda: not _sends(deaf, request))
            (held,) = server.connections()
            one_turn = connection.TURN * 209
            assert held.transport.get_write_buffer_size() <= 4_000 + one_turn


def _sends(wire: Wire, data: bytes) -> bool:
    try:
        return wire.socket.send(data) > 0
    except BlockingIOError:
        return False
