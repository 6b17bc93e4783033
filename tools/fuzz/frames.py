"""Modbus frames, right and wrong, from a seed: each with what its answer has to be.

Most are requests whose fields are plausible, at the edge or far off; the rest are damaged: cut,
prolonged, of a wrong length or protocol, or no Modbus at all. What the answer may be is said here
from the standard alone, by nothing of the server's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random

READS = {1: 2000, 2: 2000, 3: 125, 4: 125}  # most at a time, by function
WRITES = (5, 6, 15, 16, 22, 23)
OFFERED = (*READS, *WRITES, 43)
ADDRESSES = (0, 1, 59, 60, 97, 99, 100, 102, 104, 105, 160, 161, 162, 199, 200, 999, 0xFFFF)
UNITS = (0, 1, 2, 3, 255)
SOUND = 0.2  # share of the requests that there is nothing wrong with, before some are damaged


@dataclass(frozen=True)
class Frame:
    """A request. `ends`: it is no Modbus, and the server has to close the connection."""

    octets: bytes
    transaction: int = 0
    unit: int = 0
    pdu: bytes = b""
    ends: bool = False

    def fits(self, transaction: int, unit: int, pdu: bytes) -> bool:
        """Whether this may be the answer."""
        if (transaction, unit) != (self.transaction, self.unit) or not 2 <= len(pdu) <= 253:
            return False
        function = self.pdu[0]
        if pdu[0] == function | 0x80 and len(pdu) == 2:
            return pdu[1] in (1, 2, 3, 4, 6, 11) and (function in OFFERED or pdu[1] in (1, 11))
        if pdu[0] != function or function not in OFFERED:
            return False
        if function in READS:
            (count,) = struct.unpack_from(">H", self.pdu, 3)
            size = -(-count // 8) if function <= 2 else 2 * count
            return bool(1 <= count <= READS[function] and len(pdu) == 2 + size == 2 + pdu[1])
        if function in (15, 16):
            return pdu == self.pdu[:5]
        if function == 23:
            (count,) = struct.unpack_from(">H", self.pdu, 3)
            return bool(len(pdu) == 2 + 2 * count)
        return function == 43 or pdu == self.pdu


class Frames:
    """An endless stream of frames; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self._number = 0

    def next(self) -> Frame:
        dice = self._dice
        self._number += 1
        transaction = self._number & 0xFFFF
        unit = dice.choice(UNITS) if dice.random() < 0.9 else dice.randrange(256)
        if dice.random() < SOUND:
            unit, pdu = dice.choice((1, 2)), self._sound()
        else:
            pdu = self._pdu()
        if dice.random() < 0.1:
            pdu = self._damaged(pdu)
        octets = struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu
        if dice.random() < 0.0005:
            return Frame(self._no_modbus(octets), ends=True)
        return Frame(octets, transaction, unit, pdu)

    def cut(self, length: int) -> int:
        """Somewhere within so many octets, or their end."""
        return self._dice.randrange(1, length + 1)

    def _sound(self) -> bytes:
        """A request that there is nothing wrong with, of a pump's block or its station's."""
        dice = self._dice
        base = dice.choice((100, 200))
        counted = base + 62, dice.randrange(2000, 5001)
        return dice.choice(
            (
                *(struct.pack(">BHH", function, base, 10) for function in READS),
                struct.pack(">BHH", 3, 0, 100),
                struct.pack(">BHH", 6, *counted),
                struct.pack(">BHHB", 16, base + 2, 2, 4) + bytes((0, 0, 0, dice.randrange(2))),
                struct.pack(">BHHH", 22, counted[0], 0, counted[1]),
                struct.pack(">BHHHHBH", 23, base, 2, counted[0], 1, 2, counted[1]),
                b"\x2b\x0e\x03\x00",
            )
        )

    def _pdu(self) -> bytes:
        dice = self._dice
        function = dice.choice(OFFERED) if dice.random() < 0.95 else dice.randrange(256)
        if function == 43:
            kind = 14 if dice.random() < 0.9 else dice.randrange(256)
            return bytes((43, kind, dice.randrange(6), dice.choice((0, 1, 3, 6, 128, 255))))
        head = struct.pack(">BH", function, self._address())
        if function == 22:
            return head + dice.randbytes(4)
        if function == 5 and dice.random() < 0.5:
            return head + dice.choice((b"\xff\x00", b"\x00\x00"))
        if function in (15, 16, 23):
            return self._long(function, head)
        return head + struct.pack(">H", self._count())

    def _long(self, function: int, head: bytes) -> bytes:
        dice = self._dice
        count = dice.choice((1, 2, 4, 8, dice.randrange(130)))
        size = -(-count // 8) if function == 15 else min(2 * count, 240)
        said = size & 255 if dice.random() < 0.95 else dice.randrange(256)
        if function == 23:
            head += struct.pack(">HH", self._count() % 130, self._address())
        return head + struct.pack(">HB", count, said) + dice.randbytes(size)

    def _address(self) -> int:
        dice = self._dice
        return dice.choice(ADDRESSES) if dice.random() < 0.8 else dice.randrange(0x10000)

    def _count(self) -> int:
        dice = self._dice
        few = dice.choice((0, 1, 2, 8, 100, 125, 126, 2000, 2001))
        return few if dice.random() < 0.9 else dice.randrange(0x10000)

    def _damaged(self, pdu: bytes) -> bytes:
        dice = self._dice
        kind = dice.randrange(3)
        if kind == 0:
            return pdu[: dice.randrange(1, len(pdu) + 1)]
        if kind == 1:
            return (pdu + dice.randbytes(dice.randrange(1, 20)))[:253]
        place = dice.randrange(len(pdu))
        return pdu[:place] + bytes((pdu[place] ^ 1 << dice.randrange(8),)) + pdu[place + 1 :]

    def _no_modbus(self, octets: bytes) -> bytes:
        dice = self._dice
        protocol = dice.choice((b"\x00\x01", b"\xff\xff"))
        return dice.choice(
            (
                octets[:2] + protocol + octets[4:],
                octets[:4] + b"\x00\x00" + octets[6:],
                octets[:4] + b"\x01\x00" + octets[6:],
                b"GET / HTTP/1.1\r\n\r\n",
            )
        )
