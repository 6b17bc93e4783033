"""libmodbus, the C library that many SCADA systems are built on, as a client through ctypes."""

from __future__ import annotations

import ctypes
import ctypes.util
import struct
from collections.abc import Callable
from typing import Self

_EXCEPTIONS = 112345678  # MODBUS_ENOBASE: errno of an exception is this plus its code


def library() -> ctypes.CDLL | None:
    """The library, if this machine has it (Debian: libmodbus5)."""
    name = ctypes.util.find_library("modbus")
    if name is None:
        return None
    lib = ctypes.CDLL(name, use_errno=True)
    lib.modbus_new_tcp.restype = ctypes.c_void_p
    lib.modbus_strerror.restype = ctypes.c_char_p
    lib.modbus_get_float_abcd.restype = ctypes.c_float
    return lib


class ModbusError(Exception):
    """The server answered with an exception, whose code it is, or not at all: 0."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class LibModbus:
    """One connection, to one unit at a time."""

    def __init__(self, port: int) -> None:
        lib = library()
        assert lib is not None
        self._lib = lib
        self._context = ctypes.c_void_p(lib.modbus_new_tcp(b"127.0.0.1", port))
        self._check(lib.modbus_set_response_timeout(self._context, 5, 0))
        self._check(lib.modbus_connect(self._context))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lib.modbus_close(self._context)
        self._lib.modbus_free(self._context)

    def unit(self, number: int) -> Self:
        self._check(self._lib.modbus_set_slave(self._context, number))
        return self

    def coils(self, address: int, count: int) -> list[int]:
        return self._read_bits(self._lib.modbus_read_bits, address, count)

    def discrete_inputs(self, address: int, count: int) -> list[int]:
        return self._read_bits(self._lib.modbus_read_input_bits, address, count)

    def holding_registers(self, address: int, count: int) -> list[int]:
        return self._read_words(self._lib.modbus_read_registers, address, count)

    def input_registers(self, address: int, count: int) -> list[int]:
        return self._read_words(self._lib.modbus_read_input_registers, address, count)

    def floats(self, registers: list[int]) -> list[float]:
        """Pairs of registers as libmodbus decodes them, high word first."""
        pairs = [registers[at : at + 2] for at in range(0, len(registers), 2)]
        return [self._lib.modbus_get_float_abcd((ctypes.c_uint16 * 2)(*pair)) for pair in pairs]

    def write_coil(self, address: int, value: bool) -> None:
        self._check(self._lib.modbus_write_bit(self._context, address, value))

    def write_coils(self, address: int, values: list[int]) -> None:
        data = (ctypes.c_uint8 * len(values))(*values)
        self._check(self._lib.modbus_write_bits(self._context, address, len(values), data))

    def write_register(self, address: int, value: int) -> None:
        word = ctypes.c_uint16(value)
        self._check(self._lib.modbus_write_register(self._context, address, word))

    def write_registers(self, address: int, values: list[int]) -> None:
        data = (ctypes.c_uint16 * len(values))(*values)
        self._check(self._lib.modbus_write_registers(self._context, address, len(values), data))

    def write_float(self, address: int, value: float) -> None:
        """High word first; modbus_set_float_abcd of version 3.1.6 swaps octets instead."""
        self.write_registers(address, list(struct.unpack(">HH", struct.pack(">f", value))))

    def write_token(self, address: int, token: str) -> None:
        self.write_registers(address, [int(token[at : at + 4], 16) for at in range(0, 32, 4)])

    def _read_bits(self, function: Callable[..., int], address: int, count: int) -> list[int]:
        data = (ctypes.c_uint8 * count)()
        self._check(function(self._context, address, count, data))
        return list(data)

    def _read_words(self, function: Callable[..., int], address: int, count: int) -> list[int]:
        data = (ctypes.c_uint16 * count)()
        self._check(function(self._context, address, count, data))
        return list(data)

    def _check(self, result: int) -> None:
        if result == -1:
            number = ctypes.get_errno()
            text = self._lib.modbus_strerror(number).decode()
            raise ModbusError(max(0, number - _EXCEPTIONS), text)
