"""What a Modbus write asks the scan for.

A write names whole values: one register of a 32-bit value alone is refused, since between two
requests the value would be neither the old nor the new one. The 16-bit view takes single registers.
A request that writes several values is checked as a whole before the first one is asked for, and
the scan executes all of them or none.

    no writable value at the address          2  illegal data address (read-only ones too)
    half a value, out of range, not a number  3  illegal data value
    emergency stop := 0                       3  clearing needs a reason: over REST or OPC UA
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from runtime.equipment import BLOCK
from runtime.registers import SYSTEM_UNITS, TOKEN, TOKEN_WORDS, View, point_at
from runtime.servers.modbus.buffers import Unit
from runtime.servers.modbus.pdu import Code, Refusal, Write
from runtime.tag import Access, Space, Tag


class Change(NamedTuple):
    """One value to ask for."""

    tag: Tag
    slot: int
    value: float


def is_token(number: int, write: Write) -> bool:
    """Whether a write to the unit with this number is one of the access token."""
    if number not in SYSTEM_UNITS or write.space is not Space.HOLDING:
        return False
    beside = write.address >= TOKEN + TOKEN_WORDS or write.address + write.count <= TOKEN
    if not beside and (write.address, write.count) != (TOKEN, TOKEN_WORDS):
        raise Refusal(Code.ILLEGAL_VALUE, f"the token is {TOKEN_WORDS} registers in one request")
    return not beside


def changes(unit: Unit, write: Write, low_first: bool = False) -> list[Change]:
    """All values that a write asks for; raises Refusal unless every one of them is possible."""
    found = list(_changes(unit, write, low_first))
    for change in found:
        _check(change)
    return found


def _changes(unit: Unit, write: Write, low_first: bool) -> Iterator[Change]:
    size = len(write.data) // write.count
    done = 0
    while done < write.count:
        address = write.address + done
        block = unit.block(address)
        point = point_at(block.table, write.space, address % BLOCK) if block else None
        if block is None or point is None or point.tag.access is not Access.REQUEST:
            raise Refusal(Code.ILLEGAL_ADDRESS, f"nothing can be written at address {address}")
        if point.offset != address % BLOCK or done + point.width > write.count:
            raise Refusal(
                Code.ILLEGAL_VALUE, f"half of {point.tag!r}: write both registers at once"
            )
        data = write.data[size * done : size * (done + point.width)]
        if low_first and point.width == 2:
            data = data[2:] + data[:2]
        value = float(data[0]) if point.view is View.BIT else point.value(data)
        yield Change(point.tag, block.slot, value)
        done += point.width


def _check(change: Change) -> None:
    tag, value = change.tag, change.value
    possible = value in tag.states if tag.states else tag.low <= value <= tag.high
    if not math.isfinite(value) or not possible:
        raise Refusal(
            Code.ILLEGAL_VALUE, f"{tag!r}: {value:g} is not from {tag.low:g} to {tag.high:g}"
        )
    if tag.name == "EmergencyStop" and not value:
        raise Refusal(Code.ILLEGAL_VALUE, f"{tag!r}: clearing needs a reason, over REST or OPC UA")
