"""Ways to spoil bytes: what a sender gets wrong, or means to."""

from __future__ import annotations

import random
from collections.abc import Callable

Way = Callable[[bytes, random.Random], bytes]
COUNTS = (-(2**31), -1000, -5, -2, -1, 0, 1, 2, 255, 65_535, 65_536, 2**24, 2**31 - 1)


def spoiled(body: bytes, dice: random.Random) -> bytes:
    """A body with one to three things wrong; now and then with none."""
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
        body = dice.choice(WAYS)(body, dice)
    return body


def _bits(body: bytes, dice: random.Random) -> bytes:
    data = bytearray(body)
    for _ in range(dice.randint(1, 8) if data else 0):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def _count(body: bytes, dice: random.Random) -> bytes:
    """A length or number that makes no sense, where one may stand."""
    at = dice.randrange(max(1, len(body) - 3))
    return body[:at] + dice.choice(COUNTS).to_bytes(4, "little", signed=True) + body[at + 4 :]


def _length(body: bytes, dice: random.Random) -> bytes:
    """Something else where a length stands: a number that is one, of what follows it."""
    found = [at for at in range(len(body) - 3) if _is_length(body, at)]
    if not found:
        return body
    at = dice.choice(found)
    length = int.from_bytes(body[at : at + 4], "little", signed=True)
    wrong = dice.choice((*COUNTS, length + 1, length - 1, len(body) - at - 4, len(body) - at - 3))
    return body[:at] + wrong.to_bytes(4, "little", signed=True) + body[at + 4 :]


def _is_length(body: bytes, at: int) -> bool:
    return -1 <= int.from_bytes(body[at : at + 4], "little", signed=True) <= len(body) - at - 4


def _shorter(body: bytes, dice: random.Random) -> bytes:
    return body[: dice.randrange(len(body) + 1)]


def _longer(body: bytes, dice: random.Random) -> bytes:
    return body + dice.randbytes(dice.choice((1, 4, 100, 5_000)))


def _twice(body: bytes, dice: random.Random) -> bytes:
    begin = dice.randrange(len(body) + 1)
    piece = body[begin : begin + dice.randint(1, 64)]
    return body[:begin] + piece * dice.choice((2, 2, 50)) + body[begin + len(piece) :]


def _noise(body: bytes, dice: random.Random) -> bytes:
    at, size = dice.randrange(len(body) + 1), dice.randint(1, 32)
    return body[:at] + dice.randbytes(size) + body[at + size :]


WAYS: tuple[Way, ...] = (_bits, _count, _length, _shorter, _longer, _twice, _noise)
