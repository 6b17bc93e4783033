"""Requests: how a server asks the scan to write a tag.

A request is one fixed record in a named pipe. Records are shorter than PIPE_BUF, so the kernel
writes each whole or not at all; a producer killed in mid-write harms nobody. The scan drains the
pipe at the start of a cycle and answers in the Request rows of the image.
"""

from __future__ import annotations

import math
import os
import secrets
import select
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

# id, tag, role, source, slot, value, reference, deadline, more, expected
_RECORD = struct.Struct("<QHBBIdQdBd")
PER_SCAN = 100
TOGETHER = select.PIPE_BUF // _RECORD.size  # most requests that the kernel writes as one


class Role(IntEnum):
    """What someone may do. Engineers may what operators may; administrators control nothing."""

    VIEWER = 0
    OPERATOR = 1
    ENGINEER = 2
    ADMINISTRATOR = 3


class Source(IntEnum):
    """The protocol that a request came by."""

    REST = 0
    OPCUA = 1
    MODBUS = 2


class Result(IntEnum):
    """The scan's answer to a request; the words are those of `Request.Result`."""

    PENDING = 0
    EXECUTED = 1
    UNKNOWN_SLOT = 2
    OUT_OF_RANGE = 3
    UNKNOWN_STOP = 4
    TOO_LATE = 5
    NOT_WRITABLE = 6
    CAUSE_REMAINS = 7
    WRONG_STATE = 8
    NOT_ALLOWED = 9
    NOT_TOGETHER = 10


class MailboxFull(Exception):
    """The scan does not take requests: it stands still, or is asked more than it can take."""


def new_id() -> int:
    """A 63-bit identity that grows with time: 43 bits of milliseconds, 20 random bits."""
    return (time.time_ns() // 1_000_000 & (1 << 43) - 1) << 20 | secrets.randbits(20)


def together(asks: Sequence[Ask]) -> list[Ask]:
    """Requests as a group, of which the scan executes all or none."""
    last = len(asks) - 1
    return [replace(ask, more=last - place) for place, ask in enumerate(asks)]


@dataclass(frozen=True)
class Ask:
    """One request: write `value` to row `slot` of the tag with number `tag`.

    `reference` is the id of the emergency stop to clear, or for how long to shelve an alarm, in s.
    The scan refuses the request after `deadline` (scan clock), so that nothing is executed that its
    asker has given up on. `more` requests that follow belong to it: all are executed, or none.
    One whose value was made from the tag's own is refused unless that is still the `expected` one.
    """

    id: int
    tag: int
    slot: int
    value: float
    reference: int = 0
    role: Role = Role.OPERATOR
    source: Source = Source.REST
    deadline: float = float("inf")
    more: int = 0
    expected: float | None = None

    def pack(self) -> bytes:
        return _RECORD.pack(
            self.id,
            self.tag,
            self.role,
            self.source,
            self.slot,
            self.value,
            self.reference,
            self.deadline,
            self.more,
            math.nan if self.expected is None else self.expected,
        )


def unpack(record: bytes) -> Ask:
    """The request in a record. Values outside the enumerations come out as the least of them."""
    identity, tag, role, source, slot, value, reference, deadline, more, expected = _RECORD.unpack(
        record
    )
    return Ask(
        identity,
        tag,
        slot,
        value,
        reference,
        Role(role) if role in Role.__members__.values() else Role.VIEWER,
        Source(source) if source in Source.__members__.values() else Source.REST,
        deadline,
        more,
        None if math.isnan(expected) else expected,
    )


def make_pipe(path: Path) -> None:
    """Make the named pipe unless it is there."""
    try:
        os.mkfifo(path, 0o600)
    except FileExistsError:
        return


class Mailbox:
    """The scan's end of the pipe."""

    def __init__(self, path: Path) -> None:
        make_pipe(path)
        # Read and write, so that the pipe lives on when the last server has closed it.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._begun: list[Ask] = []  # of a group whose rest is still in the pipe

    def drain(self) -> Iterator[Ask]:
        """The requests that wait, at most PER_SCAN of them; of a group all, or none yet."""
        try:
            data = os.read(self._pipe, (PER_SCAN - len(self._begun)) * _RECORD.size)
        except BlockingIOError:
            return
        group, self._begun = self._begun, []
        for start in range(0, len(data) - _RECORD.size + 1, _RECORD.size):
            group.append(unpack(data[start : start + _RECORD.size]))
            if len(group) > group[0].more:
                yield from group
                group = []
        self._begun = group[: PER_SCAN - 1]

    def close(self) -> None:
        os.close(self._pipe)


class Post:
    """A server's end of the pipe."""

    def __init__(self, path: Path) -> None:
        make_pipe(path)
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def put(self, *asks: Ask) -> None:
        """Put requests, all of them at once; at most TOGETHER."""
        try:
            os.write(self._pipe, b"".join(ask.pack() for ask in asks))
        except BlockingIOError:
            raise MailboxFull("the scan takes no requests") from None

    def close(self) -> None:
        os.close(self._pipe)
