"""Answers Modbus requests: reads from the buffers, writes by asking the scan.

The exceptions of the standard mean here:

    1   illegal function: not offered; or the client has no right to it: it is no operator, and has
        not shown the token ("the server is in the wrong state to process a request of this type")
    2   illegal data address: outside the blocks of the unit, read-only, or of a retired pump
    3   illegal data value: a count or value that is not allowed; a wrong token
    4   device failure: the scan stands still. Stations and pumps are not shown then. The system
        units go on answering with what the scan said last, ImageAge and Live saying so
    6   device busy: too many requests at a time, or the scan did not take the write in time; it
        will not be executed later either
    11  gateway target failed to respond: there is no such unit
"""

from __future__ import annotations

import hmac
from asyncio import sleep
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

import structlog

from runtime import equipment
from runtime.places import Places
from runtime.registers import SYSTEM_UNITS
from runtime.requests import TOGETHER
from runtime.security.permissions import may, needed
from runtime.servers.mirror import Asker, MailboxFull, Mirror, Result, Role, Source
from runtime.servers.modbus import identification
from runtime.servers.modbus.access import Client, token_octets
from runtime.servers.modbus.buffers import Buffers
from runtime.servers.modbus.changes import Change, changes, is_token
from runtime.servers.modbus.pdu import READS, Code, Identify, Mask, Read, Refusal, Write, parse
from runtime.servers.refusals import Refused
from runtime.tag import Space
from runtime.tags import System

WRONG_TOKEN_DELAY = 1.0  # s; so that guessing is slow and seen
MASKINGS = 5  # times that a masked register may be changed by others before it is given up

REFUSALS = {
    Result.UNKNOWN_SLOT: Code.ILLEGAL_ADDRESS,
    Result.OUT_OF_RANGE: Code.ILLEGAL_VALUE,
    Result.UNKNOWN_STOP: Code.ILLEGAL_VALUE,
    Result.CAUSE_REMAINS: Code.ILLEGAL_VALUE,
    Result.WRONG_STATE: Code.ILLEGAL_VALUE,
    Result.NOT_ALLOWED: Code.ILLEGAL_VALUE,
    Result.NOT_WRITABLE: Code.ILLEGAL_ADDRESS,
}

WordOrder = Literal["high_first", "low_first"]
logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pending:
    """A write that was found possible; with no changes, an attempt to unlock.

    What a `mask` writes was made from the `expected` value, and holds for no other.
    """

    unit: int
    write: Write
    changes: list[Change]
    mask: Mask | None = None
    expected: float | None = None


class Service:
    """The units and what they answer."""

    def __init__(
        self, mirror: Mirror, places: Places, word_order: WordOrder = "high_first"
    ) -> None:
        self.now = monotonic()  # when it last looked for a new image
        self._mirror = mirror
        self._low_first = word_order == "low_first"
        self._token = token_octets(places.token())
        # Before the first image, the list of the last run tells which units there are.
        self._take(equipment.load(places.equipment))
        self._live = mirror.columns[System.Live]

    def _take(self, listed: equipment.Equipment) -> None:
        self._equipment = listed
        self._buffers = Buffers(listed, self._mirror.columns, self._low_first)
        self._objects: dict[int, identification.Objects] = {}

    def refresh(self) -> None:
        """Take the newest image, and the equipment it is of."""
        self.now = monotonic()
        mirror = self._mirror
        mirror.refresh()
        if mirror.sequence and mirror.equipment is not self._equipment:
            self._take(mirror.equipment)

    def registers(self, unit: int, function: int, address: int, count: int) -> bytes | None:
        """The registers of a read as most reads are; None if it has to be looked at more closely.

        This is where the time of the server goes: it looks at nothing twice.
        """
        self.now = now = monotonic()
        if not self._mirror.is_current(now):
            self.refresh()
        if not self._live[0]:
            return None
        return self._buffers.registers(unit, function, address, count, self._mirror.sequence)

    def answer(self, number: int, pdu: bytes, client: Client) -> bytes | Pending:
        """The answer of a unit, or the write that has to be performed for one. Raises Refusal."""
        if number not in self._buffers.units:
            raise Refusal(Code.NO_TARGET, f"there is no unit {number}")
        request = parse(pdu)
        if not client.may_look:
            raise Refusal(Code.ILLEGAL_FUNCTION, "the client has no role that may do anything")
        if isinstance(request, Identify):
            return identification.answer(request, self._identification(number))
        if isinstance(request, Read):
            return self._read(number, request)
        if isinstance(request, Mask):
            return self._masked(number, request, client)
        return self._pending(number, request, client)

    def _masked(self, number: int, mask: Mask, client: Client) -> Pending:
        """The write that a mask is of the newest image."""
        before = self._data(number, Read(3, Space.HOLDING, mask.address, 1))
        pending = self._pending(number, mask.of(int.from_bytes(before, "big")), client)
        (change,) = pending.changes
        expected = self._mirror.columns.value(change.tag, change.slot)
        return replace(pending, mask=mask, expected=expected)

    def _pending(self, number: int, write: Write, client: Client) -> Pending:
        if write.then is not None:
            self._data(number, write.then)  # what can't be read isn't written for either
        if is_token(number, write):
            return Pending(number, write, [])
        wanted = changes(self._buffers.units[number], write, self._low_first)
        for change in wanted:
            permission = needed(change.tag, change.value)
            if permission is None or not may(client.role, permission):
                raise Refusal(
                    Code.ILLEGAL_FUNCTION, f"neither an operator nor unlocked: {change.tag!r}"
                )
        if len(wanted) > TOGETHER:
            raise Refusal(Code.ILLEGAL_VALUE, f"{len(wanted)} values at once")
        return Pending(number, write, wanted)

    def _read(self, number: int, read: Read) -> bytes:
        data = self._data(number, read)
        return bytes((read.function, len(data))) + data

    def _data(self, number: int, read: Read) -> bytes:
        if not self._buffers.units[number].covers(read.address, read.count):
            raise Refusal(Code.ILLEGAL_ADDRESS, f"not all of {read.address} and on is there")
        if number not in SYSTEM_UNITS and not self._live[0]:
            raise Refusal(Code.DEVICE_FAILURE, "the scan stands still")
        values = self._buffers.bits if read.space in _BITS else self._buffers.words
        return values(read.space, number, read.address, read.count, self._mirror.sequence)

    def _identification(self, number: int) -> identification.Objects:
        if number not in self._objects:
            self._objects[number] = identification.objects(self._equipment, number)
        return self._objects[number]

    async def perform(self, pending: Pending, client: Client) -> bytes:
        """Ask the scan for all changes at once; the answer once they are executed."""
        if not pending.changes:
            await self._unlock(pending, client)
        elif pending.mask is None:
            await self._ask(pending, client)
        else:
            await self._mask(pending, pending.mask, client)
        if pending.write.then is None:
            return pending.write.echo
        self.refresh()
        return self._read(pending.unit, pending.write.then)

    async def _unlock(self, pending: Pending, client: Client) -> None:
        if not hmac.compare_digest(pending.write.data, self._token):
            refusal = Refusal(Code.ILLEGAL_VALUE, "wrong token")
            self.record(pending.unit, pending.write.echo or b"\x17", refusal, client)
            await sleep(WRONG_TOKEN_DELAY)
            raise refusal
        client.unlock()
        logger.info("modbus connection unlocked", client=client.where)

    async def _mask(self, pending: Pending, mask: Mask, client: Client) -> None:
        """Ask until the register is still what the mask was laid on when the scan takes it."""
        for _ in range(MASKINGS):
            if await self._ask(pending, client):
                return
            self.refresh()
            pending = self._masked(pending.unit, mask, client)
        raise Refusal(Code.BUSY, f"others changed the register {MASKINGS} times meanwhile")

    async def _ask(self, pending: Pending, client: Client) -> bool:
        """Whether the scan has executed all; not, if what a mask was laid on has changed."""
        why = f"Modbus write to {pending.write.space.value} {pending.write.address}"
        role = client.role or Role.VIEWER
        asker = Asker(
            Source.MODBUS, role, client.who, f"{why} of unit {pending.unit}", client.where
        )
        try:
            answers = await self._mirror.ask_all_async(
                pending.changes, asker, expected=pending.expected
            )
        except MailboxFull as error:
            raise Refusal(self._not_now(), str(error)) from None
        for change, answer in zip(pending.changes, answers, strict=True):
            if answer.result is Result.TOO_LATE:
                raise Refusal(self._not_now(), "the scan did not take the request in time")
            if answer.result is Result.WRONG_STATE and pending.mask is not None:
                return False
            if answer.result in REFUSALS:
                words = f"{change.tag!r} := {change.value:g}: {answer.result.name}"
                raise Refusal(REFUSALS[answer.result], words)
            if change.tag.retained and not answer.durable:
                logger.warning("not on disk yet", tag=repr(change.tag), scan=answer.scan)
        return True

    def record(self, number: int, pdu: bytes, refusal: Refusal, client: Client) -> None:
        """Record a write that was refused before the scan was asked for it.

        Its values are left out: they may be a token, or the half of one.
        """
        function = pdu[0]
        if function in READS and client.may_look:
            return
        what = f"modbus function {function}"
        if len(pdu) >= 3:
            what += f" at {int.from_bytes(pdu[1:3], 'big')}"
        self.refuse(client, what, f"unit {number}", refusal.why, exception=int(refusal.code))

    def refuse(
        self, client: Client, action: str, thing: str, problem: str, **details: object
    ) -> None:
        """Record that a client was refused something."""
        refused = Refused(
            Source.MODBUS, client.who, client.role, client.where, action, thing, problem
        )
        self._mirror.refusals.record(refused, **details)

    def _not_now(self) -> Code:
        return Code.DEVICE_FAILURE if self._mirror.stale else Code.BUSY


_BITS = (Space.COIL, Space.DISCRETE)
