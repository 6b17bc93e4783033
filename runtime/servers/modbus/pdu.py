"""Modbus requests: what a protocol data unit asks for, and the exceptions that refuse it.

Function codes 1 to 6, 15, 16, 22, 23 and 43/14 (MODBUS Application Protocol V1.1b3). Everything
that can be said of a request without knowing the map is said here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from runtime.tag import Space

ON, OFF = 0xFF00, 0x0000
READS = (1, 2, 3, 4, 43)  # function codes that change nothing
IDENTIFICATION = 14  # the MEI type of function 43 that is offered
_TWO = struct.Struct(">xHH")
_MANY = struct.Struct(">xHHB")
_MASK = struct.Struct(">xHHH")
_BOTH = struct.Struct(">xHHHHB")
_IDENTIFY = struct.Struct(">xBBB")
MOST_BITS, MOST_WORDS = 2000, 125
_MOST_WORDS_WRITTEN, _MOST_BITS_WRITTEN, _MOST_WORDS_OF_BOTH = 123, 1968, 121


class Code(IntEnum):
    """Exception codes."""

    ILLEGAL_FUNCTION = 1  # unknown, or not in this state of the connection
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    BUSY = 6
    NO_TARGET = 11  # "gateway target device failed to respond": there is no such unit


class Refusal(Exception):
    """A request is answered with an exception. `why` is for the log."""

    def __init__(self, code: Code, why: str = "") -> None:
        super().__init__(why)
        self.code = code
        self.why = why


@dataclass(frozen=True, slots=True)
class Read:
    """Read `count` bits or registers from `address`."""

    function: int
    space: Space
    address: int
    count: int


@dataclass(frozen=True, slots=True)
class Write:
    """Write registers, or bits as one octet each, from `address`.

    `echo` is the answer when it is done, unless something is read `then`.
    """

    space: Space
    address: int
    count: int
    data: bytes
    echo: bytes
    then: Read | None = None


@dataclass(frozen=True, slots=True)
class Mask:
    """Write one register as it is, but for the bits that are 0 in `keep`: those as in `put`."""

    address: int
    keep: int
    put: int
    echo: bytes

    def of(self, word: int) -> Write:
        """The write that it is where the register holds `word`."""
        masked = (word & self.keep) | (self.put & ~self.keep & 0xFFFF)
        return Write(Space.HOLDING, self.address, 1, masked.to_bytes(2, "big"), self.echo)


@dataclass(frozen=True, slots=True)
class Identify:
    """Read the identification of the device: a category from an object on, or one object."""

    category: int
    object: int


Request: TypeAlias = Read | Write | Mask | Identify


def parse(pdu: bytes) -> Request:
    """The request in a protocol data unit; raises Refusal."""
    parser = _PARSERS.get(pdu[0])
    if parser is None:
        raise Refusal(Code.ILLEGAL_FUNCTION, f"function code {pdu[0]} is not offered")
    try:
        return parser(pdu)
    except struct.error:
        raise Refusal(Code.ILLEGAL_VALUE, "a request of this function has another length") from None


def exception(function: int, code: Code) -> bytes:
    """The answer that refuses a request."""
    return bytes((function | 0x80, code))


def _read(space: Space, most: int) -> Callable[[bytes], Read]:
    def parse_read(pdu: bytes) -> Read:
        address, count = _TWO.unpack(pdu)
        _check_range(address, count, most)
        return Read(pdu[0], space, address, count)

    return parse_read


def _write_coil(pdu: bytes) -> Write:
    address, value = _TWO.unpack(pdu)
    if value not in (ON, OFF):
        raise Refusal(Code.ILLEGAL_VALUE, f"coil value {value:04X} is neither FF00 nor 0000")
    return Write(Space.COIL, address, 1, bytes((value == ON,)), pdu)


def _write_register(pdu: bytes) -> Write:
    address, _ = _TWO.unpack(pdu)
    return Write(Space.HOLDING, address, 1, pdu[3:], pdu)


def _write_coils(pdu: bytes) -> Write:
    address, count, octets = _MANY.unpack_from(pdu)
    _check_range(address, count, _MOST_BITS_WRITTEN)
    packed = pdu[6:]
    if not octets == len(packed) == -(-count // 8):
        raise Refusal(Code.ILLEGAL_VALUE, "the number of octets does not fit the number of coils")
    bits = bytes(packed[n // 8] >> n % 8 & 1 for n in range(count))
    return Write(Space.COIL, address, count, bits, pdu[:5])


def _write_registers(pdu: bytes) -> Write:
    address, count, octets = _MANY.unpack_from(pdu)
    _check_range(address, count, _MOST_WORDS_WRITTEN)
    return Write(Space.HOLDING, address, count, _words(pdu[6:], count, octets), pdu[:5])


def _mask_register(pdu: bytes) -> Mask:
    address, keep, put = _MASK.unpack(pdu)
    return Mask(address, keep, put, pdu)


def _read_and_write(pdu: bytes) -> Write:
    """The write is performed before the read."""
    address, count, to, written, octets = _BOTH.unpack_from(pdu)
    _check_range(address, count, MOST_WORDS)
    _check_range(to, written, _MOST_WORDS_OF_BOTH)
    data = _words(pdu[10:], written, octets)
    return Write(Space.HOLDING, to, written, data, b"", Read(23, Space.HOLDING, address, count))


def _identify(pdu: bytes) -> Identify:
    if len(pdu) > 1 and pdu[1] != IDENTIFICATION:
        raise Refusal(Code.ILLEGAL_FUNCTION, f"MEI type {pdu[1]} is not offered")
    _, category, first = _IDENTIFY.unpack(pdu)
    return Identify(category, first)


def _words(data: bytes, count: int, octets: int) -> bytes:
    if not octets == len(data) == 2 * count:
        raise Refusal(Code.ILLEGAL_VALUE, "the number of octets does not fit that of registers")
    return data


def _check_range(address: int, count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise Refusal(Code.ILLEGAL_VALUE, f"{count} at a time, allowed are 1 to {most}")
    if address + count > 0x10000:
        raise Refusal(Code.ILLEGAL_ADDRESS, "the range ends beyond 65535")


_PARSERS: dict[int, Callable[[bytes], Request]] = {
    1: _read(Space.COIL, MOST_BITS),
    2: _read(Space.DISCRETE, MOST_BITS),
    3: _read(Space.HOLDING, MOST_WORDS),
    4: _read(Space.INPUT, MOST_WORDS),
    5: _write_coil,
    6: _write_register,
    15: _write_coils,
    16: _write_registers,
    22: _mask_register,
    23: _read_and_write,
    43: _identify,
}
