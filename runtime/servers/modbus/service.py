"""Answers Modbus requests: reads from the buffers, writes by asking the scan.

The exceptions of the standard mean here:

    1   illegal function: not offered; or a write before the connection was unlocked with the token
        ("the server is in the wrong state to process a request of this type")
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
import re
from asyncio import sleep
from dataclasses import dataclass

import structlog

from runtime import equipment
from runtime.places import Places
from runtime.registers import SYSTEM_UNITS
from runtime.servers.mirror import Asker, MailboxFull, Mirror, Result, Role, Source
from runtime.servers.modbus.buffers import Buffers
from runtime.servers.modbus.changes import Change, changes, is_token
from runtime.servers.modbus.pdu import READS, Code, Read, Refusal, Write, parse
from runtime.servers.refusals import Refused
from runtime.tag import Space
from runtime.tags import System

WRONG_TOKEN_DELAY = 1.0  # s; so that guessing is slow and seen

REFUSALS = {
    Result.UNKNOWN_SLOT: Code.ILLEGAL_ADDRESS,
    Result.OUT_OF_RANGE: Code.ILLEGAL_VALUE,
    Result.UNKNOWN_STOP: Code.ILLEGAL_VALUE,
    Result.CAUSE_REMAINS: Code.ILLEGAL_VALUE,
    Result.WRONG_STATE: Code.ILLEGAL_VALUE,
    Result.NOT_ALLOWED: Code.ILLEGAL_VALUE,
    Result.NOT_WRITABLE: Code.ILLEGAL_ADDRESS,
}

logger = structlog.get_logger()


class Client:
    """One connection: where it comes from and whether it has shown the token."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.unlocked = False


@dataclass(frozen=True, slots=True)
class Pending:
    """A write that was found possible; with no changes, an attempt to unlock."""

    unit: int
    write: Write
    changes: list[Change]


class Service:
    """The units and what they answer."""

    def __init__(self, mirror: Mirror, places: Places) -> None:
        self._mirror = mirror
        self._token = _octets(places.token())
        # Before the first image, the list of the last run tells which units there are.
        self._equipment = equipment.load(places.equipment)
        self._buffers = Buffers(self._equipment, mirror.columns)
        self._live = mirror.columns[System.Live]

    def refresh(self) -> None:
        """Take the newest image, and the equipment it is of."""
        mirror = self._mirror
        mirror.refresh()
        if mirror.sequence and mirror.equipment is not self._equipment:
            self._equipment = mirror.equipment
            self._buffers = Buffers(self._equipment, mirror.columns)

    def answer(self, number: int, pdu: bytes, client: Client) -> bytes | Pending:
        """The answer of a unit, or the write that has to be performed for one. Raises Refusal."""
        unit = self._buffers.units.get(number)
        if unit is None:
            raise Refusal(Code.NO_TARGET)
        request = parse(pdu)
        if isinstance(request, Read):
            if not unit.covers(request.address, request.count):
                raise Refusal(Code.ILLEGAL_ADDRESS)
            return self._read(number, request)
        if is_token(number, request):
            return Pending(number, request, [])
        wanted = changes(unit, request)
        if not client.unlocked:
            raise Refusal(Code.ILLEGAL_FUNCTION, "the connection was not unlocked with the token")
        return Pending(number, request, wanted)

    def _read(self, number: int, read: Read) -> bytes:
        if number not in SYSTEM_UNITS and not self._live[0]:
            raise Refusal(Code.DEVICE_FAILURE)
        values = self._buffers.bits if read.space in _BITS else self._buffers.words
        data = values(read.space, number, read.address, read.count, self._mirror.sequence)
        return bytes((read.function, len(data))) + data

    async def perform(self, pending: Pending, client: Client) -> bytes:
        """Ask the scan for each change in turn; the answer once all are executed."""
        if not pending.changes:
            await self._unlock(pending, client)
        for change in pending.changes:
            await self._ask(change, pending, client)
        return pending.write.echo

    async def _unlock(self, pending: Pending, client: Client) -> None:
        if not hmac.compare_digest(pending.write.data, self._token):
            refusal = Refusal(Code.ILLEGAL_VALUE, "wrong token")
            self.record(pending.unit, pending.write.echo, refusal, client)
            await sleep(WRONG_TOKEN_DELAY)
            raise refusal
        client.unlocked = True
        logger.info("modbus connection unlocked", client=client.where)

    async def _ask(self, change: Change, pending: Pending, client: Client) -> None:
        why = f"Modbus write to {pending.write.space.value} {pending.write.address}"
        asker = Asker(
            Source.MODBUS, Role.OPERATOR, "modbus", f"{why} of unit {pending.unit}", client.where
        )
        try:
            answer = await self._mirror.ask_async(*change, asker)
        except MailboxFull as error:
            raise Refusal(self._not_now(), str(error)) from None
        if answer.result is Result.TOO_LATE:
            raise Refusal(self._not_now(), "the scan did not take the request in time")
        if answer.result is not Result.EXECUTED:
            words = f"{change.tag!r} := {change.value:g}: {answer.result.name}"
            raise Refusal(REFUSALS[answer.result], words)
        if change.tag.retained and not answer.durable:
            logger.warning("not on disk yet", tag=repr(change.tag), scan=answer.scan)

    def record(self, number: int, pdu: bytes, refusal: Refusal, client: Client) -> None:
        """Record a write that was refused before the scan was asked for it.

        Its values are left out: they may be a token, or the half of one.
        """
        function = pdu[0]
        if function in READS:
            return
        what = f"modbus write to {int.from_bytes(pdu[1:3], 'big')}, function {function}"
        refused = Refused(
            Source.MODBUS,
            "modbus" if client.unlocked else "unknown",
            Role.OPERATOR if client.unlocked else None,
            client.where,
            what,
            f"unit {number}",
            refusal.why or refusal.code.name.lower().replace("_", " "),
        )
        self._mirror.refusals.record(refused, exception=int(refusal.code))

    def _not_now(self) -> Code:
        return Code.DEVICE_FAILURE if self._mirror.stale else Code.BUSY


def _octets(token: str) -> bytes:
    """The token as registers carry it; none if it was replaced by something else."""
    if re.fullmatch(r"[0-9a-fA-F]{32}", token):
        return bytes.fromhex(token)
    logger.error("the token is not 32 hexadecimal digits: nothing can be written over modbus")
    return b""


_BITS = (Space.COIL, Space.DISCRETE)
