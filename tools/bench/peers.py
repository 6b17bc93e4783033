"""Servers to compare ours with: `python -m tools.bench.peers stock|libmodbus PORT`, until SIGTERM.

`stock` is the server of pymodbus as its documentation shows it. `libmodbus` is the C library (from
Debian), its receive and reply called by a loop in machine code, as its example servers do in C.
"""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import signal
import socket
import sys

import numpy as np
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tools.bench.native import native

REGISTERS = 200
CONNECTIONS = 128
LONGEST = 260  # octets of a request (MODBUS_TCP_MAX_ADU_LENGTH)
POLLIN = 1


async def stock(port: int) -> None:
    data = SimData(0, count=REGISTERS, values=17, datatype=DataType.REGISTERS)
    await ModbusTcpServer(SimDevice(1, [data]), address=("127.0.0.1", port)).serve_forever()


def library() -> ctypes.CDLL | None:
    """libmodbus, if this machine has it."""
    name = ctypes.util.find_library("modbus")
    if name is None:
        return None
    lib = ctypes.CDLL(name)
    lib.modbus_new_tcp.restype = lib.modbus_mapping_new.restype = ctypes.c_void_p
    lib.modbus_set_socket.argtypes = (ctypes.c_void_p, ctypes.c_int)
    lib.modbus_receive.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    lib.modbus_reply.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    return lib


def libmodbus(port: int) -> None:
    lib = library()
    if lib is None:
        raise SystemExit("libmodbus is not installed (Debian: libmodbus5)")
    libc = ctypes.CDLL(None)
    poll, accept = libc.poll, libc.accept
    poll.argtypes = (ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int)
    accept.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    use, receive, reply = lib.modbus_set_socket, lib.modbus_receive, lib.modbus_reply

    @native
    def serve(context: int, mapping: int, listening: int) -> None:
        polled = np.full((CONNECTIONS, 2), -1, np.int32)
        polled[0, 0], polled[0, 1] = listening, POLLIN
        query = np.zeros(LONGEST, np.uint8)
        count = 1
        while True:
            poll(polled.ctypes.data, count, -1)
            for c in range(1, count):
                if polled[c, 1] >> 16 == 0:
                    continue
                use(context, polled[c, 0])
                size = receive(context, query.ctypes.data)
                if size > 0:
                    reply(context, query.ctypes.data, size, mapping)
                elif size < 0:
                    polled[c, 0], polled[c, 1] = -1, 0  # gone; poll passes it over
            if polled[0, 1] >> 16 and count < CONNECTIONS:
                polled[count, 0], polled[count, 1] = accept(listening, 0, 0), POLLIN
                count += 1

    context = lib.modbus_new_tcp(b"127.0.0.1", port)
    mapping = lib.modbus_mapping_new(0, 0, REGISTERS, 0)
    with socket.create_server(("127.0.0.1", port)) as listening:
        serve(context, mapping, listening.fileno())


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind == "stock":
        asyncio.run(stock(port))
    else:
        libmodbus(port)


if __name__ == "__main__":
    main()
