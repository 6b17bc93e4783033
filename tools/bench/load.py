"""Modbus load: `python -m tools.bench.load PORT`, until SIGTERM; then prints reads per second.

Reads of the holding registers of one station or pump after the other, each as soon as the answer
to the last one is there.
"""

from __future__ import annotations

import signal
import socket
import struct
import sys
import time
from types import FrameType

_REQUEST = struct.Struct(">HHHBBHH")
ANSWER = 9 + 2 * 100
UNITS = 200
BLOCKS = 6  # of 100 addresses in each unit: a station and its pumps


class _End(Exception):
    """SIGTERM."""


def main() -> None:
    reads = 0

    def end(number: int, frame: FrameType | None) -> None:
        raise _End

    signal.signal(signal.SIGTERM, end)
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    began = time.monotonic()
    try:
        while True:
            unit, address = 1 + reads % UNITS, reads % BLOCKS * 100
            connection.sendall(_REQUEST.pack(reads & 0xFFFF, 0, 6, unit, 3, address, 100))
            found = connection.recv(ANSWER, socket.MSG_WAITALL)
            if len(found) != ANSWER or found[7] != 3:
                raise ConnectionError(f"found {found[:16].hex()}, expected 100 registers")
            reads += 1
    except _End:
        print(reads / (time.monotonic() - began))


if __name__ == "__main__":
    main()
