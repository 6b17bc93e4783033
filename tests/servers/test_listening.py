"""Addresses that can't be listened at are named, with the reason and a remedy."""

from __future__ import annotations

import os
import socket

import pytest

from runtime.servers.listening import ListenError, bind


def test_a_port_that_is_taken_is_named_with_who_has_it() -> None:
    with bind("127.0.0.1", 0, "first") as first:
        port = first.getsockname()[1]
        holder = rf"process {os.getpid()} \(.+\) already does; end it, or choose another port$"
        with pytest.raises(ListenError, match=holder):
            bind("127.0.0.1", port, "second")


def test_a_port_is_free_again_at_once() -> None:
    first = bind("127.0.0.1", 0, "first")
    port = first.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)), first.accept()[0]:
        first.close()
    bind("127.0.0.1", port, "second").close()


def test_an_address_that_the_machine_does_not_have_is_named() -> None:
    with pytest.raises(ListenError, match=r"^a\.b: can't listen at 192\.0\.2\.1 port 5020: this"):
        bind("192.0.2.1", 5020, "a.b")


def test_a_port_that_needs_a_privilege_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Denied(socket.socket):
        def bind(self, address: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("runtime.servers.listening.socket.socket", Denied)
    with pytest.raises(ListenError, match="ports below 1024 need a privilege"):
        bind("127.0.0.1", 502, "servers.modbus.listen")
