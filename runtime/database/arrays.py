"""Columns straight from PostgreSQL into NumPy: `array_agg` in binary, read without a Python object.

Of 10,000 pumps this takes 0.3 ms of the interpreter's time; fetching rows takes 9 ms. An element is
its length and its value, so a column without NULLs has a fixed stride. NULLs are refused: the query
says with coalesce what stands for them.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

EPOCH_2000 = 946_684_800.0  # s since 1970 at which PostgreSQL's times begin
_HEADER = struct.Struct(">iiiii")  # dimensions, has NULLs, element type, length, lower bound
_EMPTY = 12  # bytes of an array of no dimension


class _ArrayLoader(Loader):
    format = Format.BINARY
    wire = ""
    native = ""

    def load(self, data: Buffer) -> NDArray[Any]:
        if len(data) == _EMPTY:
            return np.empty(0, self.native)
        dimensions, has_nulls, *_ = _HEADER.unpack_from(data)
        if dimensions != 1 or has_nulls:
            raise ValueError("an array of one dimension without NULLs was expected")
        elements = np.frombuffer(data, [("length", ">i4"), ("value", self.wire)], offset=20)
        return elements["value"].astype(self.native)


class _Int4(_ArrayLoader):
    wire, native = ">i4", "i4"


class _Int8(_ArrayLoader):
    wire, native = ">i8", "i8"


class _Float8(_ArrayLoader):
    wire, native = ">f8", "f8"


class _Bool(_ArrayLoader):
    wire, native = "u1", "?"


class _Time(_ArrayLoader):
    """Seconds since 1970 as the database's clock counts them, UTC."""

    wire, native = ">i8", "f8"

    def load(self, data: Buffer) -> NDArray[Any]:
        return super().load(data) * 1e-6 + EPOCH_2000


_LOADERS = {"int4": _Int4, "int8": _Int8, "float8": _Float8, "bool": _Bool, "timestamptz": _Time}


def load_as_arrays(connection: Connection[Any]) -> None:
    """Have binary results of this connection bring arrays as NumPy arrays."""
    for name, loader in _LOADERS.items():
        connection.adapters.register_loader(connection.adapters.types[name].array_oid, loader)


def aggregate(expression: str, absent: str) -> str:
    """SQL of one column as an array; `absent` stands for NULL, and nothing for no row at all."""
    kind = absent.partition("::")[2]
    return f"coalesce(array_agg(coalesce({expression}, {absent})), '{{}}'::{kind}[])"
