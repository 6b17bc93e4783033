"""A small Modbus TCP master: reads of many 32-bit values at once, on one connection.

Written on a plain socket, so that nothing of the runtime's own Modbus code is on both ends.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

_REQUEST = struct.Struct(
    ">HHHBBHH"
)  # transaction, protocol, length, unit, function, address, count
_HEAD = struct.Struct(">HHHBB")
_FLOAT = struct.Struct(">f")
READ_HOLDING = 3
WINDOW = 16  # requests under way


@dataclass(frozen=True)
class Address:
    """Where a 32-bit value lies in the holding registers."""

    unit: int
    register: int


class Master:
    """A connection that is made when it is needed, and made anew after it broke."""

    def __init__(self, host: str, port: int, timeout: float = 1.0) -> None:
        self._target = (host, port)
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._buffer = b""

    def read(self, addresses: Sequence[Address]) -> list[float | None]:
        """The values at these addresses; None where the server answers with an exception.

        Raises OSError when it doesn't answer at all, or not as it should.
        """
        try:
            return list(self._read(addresses))
        except (OSError, struct.error):
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket, self._buffer = None, b""

    def _read(self, addresses: Sequence[Address]) -> Iterator[float | None]:
        if self._socket is None:
            self._socket = socket.create_connection(self._target, self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(addresses), WINDOW):
            some = addresses[start : start + WINDOW]
            self._socket.sendall(
                b"".join(
                    _REQUEST.pack(number, 0, 6, at.unit, READ_HOLDING, at.register, 2)
                    for number, at in enumerate(some)
                )
            )
            for number in range(len(some)):
                yield self._answer(number)

    def _answer(self, number: int) -> float | None:
        transaction, _, length, _, function = _HEAD.unpack(self._take(_HEAD.size))
        body = self._take(length - 2)
        if transaction != number:
            raise ConnectionError(f"Modbus: found the answer {transaction}, expected {number}")
        if function != READ_HOLDING:
            return None
        return float(_FLOAT.unpack(body[1:])[0])

    def _take(self, size: int) -> bytes:
        assert self._socket is not None
        while len(self._buffer) < size:
            more = self._socket.recv(65_536)
            if not more:
                raise ConnectionError("Modbus: the server closed the connection")
            self._buffer += more
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken
