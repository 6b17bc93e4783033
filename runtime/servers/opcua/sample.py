"""Samples: values as they are compared, beside their DataValue as it goes over the wire.

A DataValue ends with its status, its source time and its server time, as far as its first octet
says that they are there (Part 6, 5.2.2.17; nobody here counts picoseconds). So a status is changed,
and times are left out, without decoding anything. A whole column is encoded in one go.
"""

from __future__ import annotations

import struct
from functools import cache
from itertools import repeat
from typing import TypeAlias

import numpy as np
from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_to_binary
from numpy.typing import NDArray

OVERFLOW = 0x0480  # information of a data value: the queue was full
VALUE, STATUS, SOURCE, SERVER = 1, 2, 4, 8  # bits of the first octet
TIME = 8  # octets
BAD = 0x8000_0000  # bit of a status
_STATUS = struct.Struct("<I")


Sample: TypeAlias = tuple[object, int, int | None, bytes]
"""A value (None if there is none), its status, its source time, and all that encoded."""


def sample(found: ua.DataValue) -> Sample:
    """The sample of any value."""
    status = int(found.StatusCode.value) if found.StatusCode else StatusCodes.Good
    time = ua.datetime_to_win_epoch(found.SourceTimestamp) if found.SourceTimestamp else None
    value = found.Value.Value if found.Value else None
    return value, status, time, struct_to_binary(found)


def samples(
    values: NDArray[np.generic],
    kind: ua.VariantType,
    status: NDArray[np.uint32],
    source: int | None,
    server: int,
) -> list[Sample]:
    """The samples of a column: a value whose status is Bad is null."""
    bad = (status & BAD) != 0
    plain = values.tolist()
    if not bad.any():
        encoded = _encoded(values, kind.value, status, source, server)
    else:
        good = iter(_encoded(values[~bad], kind.value, status[~bad], source, server))
        null = iter(_encoded(None, 0, status[bad], source, server))
        encoded = [next(null) if is_bad else next(good) for is_bad in bad.tolist()]
        plain = [None if is_bad else v for is_bad, v in zip(bad.tolist(), plain, strict=True)]
    return list(zip(plain, status.tolist(), repeat(source, len(plain)), encoded, strict=True))


def _encoded(
    values: NDArray[np.generic] | None,
    kind: int,
    status: NDArray[np.uint32],
    source: int | None,
    server: int,
) -> list[bytes]:
    form = _form("" if values is None else values.dtype.str, source is not None)
    rows = np.empty(len(status), form)
    rows["mask"] = VALUE | STATUS | SERVER | (SOURCE if source is not None else 0)
    rows["kind"] = kind
    rows["status"], rows["server"] = status, server
    if values is not None:
        rows["value"] = values
    if source is not None:
        rows["source"] = source
    octets, size = rows.tobytes(), form.itemsize
    return [octets[at : at + size] for at in range(0, len(octets), size)]


@cache
def _form(value: str, timed: bool) -> np.dtype[np.void]:
    """How a DataValue with a value of this type (or null) is laid out."""
    fields = [("mask", "u1"), ("kind", "u1")]
    fields += [("value", value.replace("=", "<"))] if value else []
    fields += [("status", "<u4"), *([("source", "<i8")] if timed else []), ("server", "<i8")]
    return np.dtype(fields)


def overflown(encoded: bytes) -> bytes:
    """The value with the overflow bits in its status (Part 4, 7.39.1)."""
    end = len(encoded) - _times(encoded)
    if not encoded[0] & STATUS:
        mask = bytes((encoded[0] | STATUS,))
        return mask + encoded[1:end] + _STATUS.pack(OVERFLOW) + encoded[end:]
    (status,) = _STATUS.unpack_from(encoded, end - _STATUS.size)
    return encoded[: end - _STATUS.size] + _STATUS.pack(status | OVERFLOW) + encoded[end:]


def timed(encoded: bytes, wanted: ua.TimestampsToReturn) -> bytes:
    """The value with only the times that are wanted."""
    mask = encoded[0]
    kept = _KEPT[wanted] & mask
    if kept == mask:
        return encoded
    end = len(encoded) - _times(encoded)
    if kept & SOURCE:
        return _OCTET[kept] + encoded[1 : end + TIME]
    return _OCTET[kept] + encoded[1:end] + (encoded[-TIME:] if kept & SERVER else b"")


_KEPT = {  # bits of the first octet
    ua.TimestampsToReturn.Source: 0xFF & ~SERVER,
    ua.TimestampsToReturn.Server: 0xFF & ~SOURCE,
    ua.TimestampsToReturn.Both: 0xFF,
    ua.TimestampsToReturn.Neither: 0xFF & ~(SOURCE | SERVER),
}
_OCTET = [bytes((number,)) for number in range(256)]


def _times(encoded: bytes) -> int:
    """The octets of both times."""
    return TIME * (bool(encoded[0] & SOURCE) + bool(encoded[0] & SERVER))
