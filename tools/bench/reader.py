"""Modbus reads at full speed: `python -m tools.bench.reader PORT CONNECTIONS SECONDS`.

Each connection reads the 100 holding registers from address 0 of unit 1 on, and again as soon as it
has the whole answer: one request of each connection is under way at any time, as from so many SCADA
systems. All is done in one thread of machine code, so that what is measured is the server: it sees
no interpreter, and costs less than the fastest of the servers. Prints JSON.
"""

from __future__ import annotations

import ctypes
import json
import socket
import struct
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.bench.native import native

REGISTERS = 100
REQUEST = struct.pack(">HHHBBHH", 0, 0, 6, 1, 3, 0, REGISTERS)
ANSWER = 9 + 2 * REGISTERS
MOST = 20_000_000  # requests of one measurement
WARMING = 0.3  # s before the count begins
BINS = 100_000  # µs
POLLIN, POLL_TIMEOUT = 1, 5_000  # ms
MONOTONIC = 1  # the clock

_libc = ctypes.CDLL(None)
_send, _recv, _poll, _clock = _libc.send, _libc.recv, _libc.poll, _libc.clock_gettime
_send.argtypes = _recv.argtypes = (
    *(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t),
    ctypes.c_int,
)
_send.restype = _recv.restype = ctypes.c_ssize_t
_poll.argtypes = (ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int)
_clock.argtypes = (ctypes.c_int, ctypes.c_void_p)


@native
def _now(time: NDArray[np.int64]) -> float:
    _clock(MONOTONIC, time.ctypes.data)
    now: float = time[0] + time[1] * 1e-9
    return now


@native
def _ask(descriptor: int, request: NDArray[np.uint8], transaction: int) -> None:
    request[0], request[1] = transaction >> 8 & 255, transaction & 255
    if _send(descriptor, request.ctypes.data, len(request), 0) != len(request):
        raise OSError("a request was not sent")


@native
def _read(
    descriptors: NDArray[np.int32], request: NDArray[np.uint8], seconds: float
) -> tuple[int, int, float, NDArray[np.int64]]:
    """Requests answered, those before the count began, in how many s, how many took how many µs."""
    count = len(descriptors)
    polled = np.zeros((count, 2), np.int32)  # struct pollfd: the descriptor, wanted and found
    polled[:, 0], polled[:, 1] = descriptors, POLLIN
    answers = np.zeros((count, ANSWER), np.uint8)
    filled = np.zeros(count, np.int64)
    asked = np.zeros(count)
    transactions = np.zeros(count, np.int64)
    histogram = np.zeros(BINS, np.int64)
    time = np.zeros(2, np.int64)
    started = began = _now(time)
    done = before = 0
    for c in range(count):
        asked[c] = _now(time)
        _ask(descriptors[c], request, 0)
    while done < MOST:
        if _poll(polled.ctypes.data, count, POLL_TIMEOUT) <= 0:
            raise OSError("no answer")
        for c in range(count):
            if polled[c, 1] >> 16 == 0:
                continue
            answer = answers[c]
            place = answer.ctypes.data + filled[c]
            size = _recv(descriptors[c], place, ANSWER - filled[c], 0)
            if size <= 0:
                raise OSError("the connection was closed")
            filled[c] += size
            if filled[c] < ANSWER:
                continue
            transaction = int(answer[0]) << 8 | int(answer[1])
            if transaction != transactions[c] & 65535 or answer[7] != 3 or answer[8] != 200:
                raise OSError("the answer to another request, or a refusal")
            now = _now(time)
            histogram[min(int((now - asked[c]) * 1e6), BINS - 1)] += 1
            done += 1
            filled[c] = 0
            transactions[c] += 1
            asked[c] = now
            if now - started > WARMING and began == started:
                began, before, done = now, done, 0
                histogram[:] = 0
            if now - began > seconds and began > started:
                return done, before, now - began, histogram
            _ask(descriptors[c], request, transactions[c])
    return done, before, _now(time) - began, histogram


def percentile(histogram: NDArray[np.int64], share: float) -> float:
    """The time in s within which so many of all were answered."""
    reached = np.searchsorted(np.cumsum(histogram), share * histogram.sum())
    return (float(reached) + 1) * 1e-6


def main() -> None:
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for each in opened:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    descriptors = np.array([each.fileno() for each in opened], np.int32)
    found: Any = _read(descriptors, np.frombuffer(REQUEST, np.uint8).copy(), seconds)
    done, before, took, histogram = found
    told = {
        "all": done + before,
        "rate": done / took,
        "p50": percentile(histogram, 0.5),
        "p99": percentile(histogram, 0.99),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
