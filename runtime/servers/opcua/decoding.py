"""What asyncua's decoder takes on trust, checked: before anybody has signed in, it reads bytes.

A text of negative length moves its buffer back, so that a list of such texts never ends. An array
of values that have no bytes may announce two thousand million of them. The dimensions of an array
make it as large as they say. All three are refused here; the sender gets BadDecodingError.

Values of one byte take ten microseconds each: a message of nothing else would hold up everybody for
most of a minute. So a message may have only so many elements in its arrays, all together, beside
those of numbers, which are read at once; BadEncodingLimitsExceeded tells who sends more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

from asyncua.common.utils import Buffer
from asyncua.ua import ua_binary
from asyncua.ua.uaerrors import UaError

_read = Buffer.read
_reshape = ua_binary._reshape

Decode = Callable[[Any], Any]


class DecodingError(UaError):
    """A message doesn't hold what it announces."""


class TooMuch(UaError):
    """A message holds more than one may."""


class _Left:
    """How many elements a message may have yet."""

    def __init__(self, elements: int) -> None:
        self.elements = elements


_left: ContextVar[_Left | None] = ContextVar("left", default=None)


def allow(elements: int) -> None:
    """Begin a message: it may have so many elements, also where a task goes on with it."""
    _left.set(_Left(elements))


def harden() -> None:
    """Put the checks in place; to be called before anything is decoded."""
    if Buffer.read is _read:
        for module, name, checked in (
            (Buffer, "read", _forward_only),
            (ua_binary, "_reshape", _reshape_what_there_is),
        ):
            setattr(module, name, checked)
        for name in ("_create_uatype_array_deserializer", "_create_list_deserializer"):
            setattr(ua_binary, name, _bounded(getattr(ua_binary, name)))


def _forward_only(buffer: Buffer, size: int) -> bytes:
    if size < 0:
        raise DecodingError(f"a length of {size}")
    return _read(buffer, size)


def _bounded(create: Callable[[Any], Decode]) -> Callable[[Any], Decode]:
    """Deserializers of arrays that refuse more elements than there are bytes left."""

    @cache
    def creates(kind: Any) -> Decode:
        decode = create(kind)
        at_once = hasattr(ua_binary.Primitives1, getattr(kind, "name", ""))

        def bounded(data: Buffer) -> Any:
            count = int.from_bytes(data.copy(4).read(4), "little", signed=True)
            if count > len(data):
                raise DecodingError(f"an array of {count} elements in {len(data)} bytes")
            left = None if at_once else _left.get()
            if left is not None:
                left.elements -= max(count, 0)
                if left.elements < 0:
                    raise TooMuch("more elements than a message may have")
            return decode(data)

        return bounded

    return creates


def _reshape_what_there_is(flat: list[Any], dimensions: list[int]) -> list[Any]:
    if not dimensions or min(dimensions) < 1 or math.prod(dimensions) != len(flat):
        raise DecodingError(f"an array of {len(flat)} elements with dimensions {dimensions[:5]}")
    return _reshape(flat, dimensions)
