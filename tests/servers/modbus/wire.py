"""A Modbus TCP client that sends exactly the octets it is told to."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple, Self

_HEADER = struct.Struct(">HHHB")


class Reply(NamedTuple):
    transaction: int
    unit: int
    pdu: bytes


def adu(transaction: int, unit: int, pdu: bytes) -> bytes:
    """An application data unit: header and protocol data unit."""
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def read(function: int, address: int, count: int) -> bytes:
    return struct.pack(">BHH", function, address, count)


def write_one(function: int, address: int, value: int) -> bytes:
    return struct.pack(">BHH", function, address, value)


def write_registers(address: int, data: bytes) -> bytes:
    return struct.pack(">BHHB", 16, address, len(data) // 2, len(data)) + data


class Wire:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._transaction = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, unit: int, pdu: bytes) -> bytes:
        """Send a request and return the PDU of its answer."""
        self._transaction += 1
        self.send(adu(self._transaction, unit, pdu))
        reply = self.receive()
        assert (reply.transaction, reply.unit) == (self._transaction, unit)
        return reply.pdu

    def receive(self) -> Reply:
        transaction, protocol, length, unit = _HEADER.unpack(self._exactly(_HEADER.size))
        assert protocol == 0
        return Reply(transaction, unit, self._exactly(length - 1))

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the server closed the connection")
            data += part
        return data

    def registers(self, function: int, unit: int, address: int, count: int) -> bytes:
        """The data of a successful read."""
        pdu = self.ask(unit, read(function, address, count))
        assert pdu[:2] == bytes((function, len(pdu) - 2)), pdu.hex(" ")
        return pdu[2:]

    def closed(self) -> bool:
        """Wait for the server to close the connection; False if it sends something instead."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
