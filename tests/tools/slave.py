"""A Modbus server of a few lines: the setpoints that a test says, or an exception, or nothing."""

from __future__ import annotations

import socketserver
import struct
import threading
from typing import cast


class Slave(socketserver.ThreadingTCPServer):
    """Answers reads of two holding registers with the float at (unit, address)."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.values: dict[tuple[int, int], float] = {}
        self.reads = 0
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        slave = cast(Slave, self.server)
        while len(request := self.rfile.read(12)) == 12:
            transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", request)
            value = slave.values.get((unit, address)) if (function, count) == (3, 2) else None
            slave.reads += 1
            if value is None:
                self.wfile.write(struct.pack(">HHHBBB", transaction, 0, 3, unit, 0x83, 4))
            else:
                self.wfile.write(
                    struct.pack(">HHHBBBf", transaction, 0, 7, unit, function, 4, value)
                )
