"""What every server sees of the runtime: the newest snapshot, the equipment, and a way to ask.

A mirror never writes a value. It reads whole snapshots, knows how old they are, and turns a wish of
a client into a request whose answer it waits for in the image.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from runtime.layout import Capacity
from runtime.places import Places
from runtime.requests import Ask, MailboxFull, Post, Result, Role, Source, new_id, together
from runtime.retained import RetainedMark
from runtime.servers import correlation
from runtime.servers.refusals import Refusals
from runtime.servers.security_notes import SecurityNotes
from runtime.servers.view import View
from runtime.spool import Journal, Kind
from runtime.tag import Tag
from runtime.tags import NUMBER, Request, System

POLL = 0.001  # s between looks for an answer
RECORD_PATIENCE = 0.25  # s; a stop is not held up longer by a disk that doesn't write
# s, and scans, until a request is given up; the scan refuses it if it comes later
PATIENCE, SCANS = 2.0, 2


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    `scan` is the scan that answered, `latency` the time in s from asking to the published image.
    `durable` says that a latch is on disk; it is False only when the disk does not keep up.
    """

    id: int
    result: Result
    scan: int
    latency: float
    durable: bool


Change: TypeAlias = tuple[Tag, int, float]
"""A tag, its row, and the value to write."""


@dataclass(frozen=True)
class Asker:
    """Who asks for a change, why, and from where; `trace` is the id of his own request."""

    source: Source
    role: Role
    who: str
    why: str
    where: str
    trace: str = field(default_factory=correlation.current)


def request_record(
    identity: int, tag: Tag, slot: int, value: float, asker: Asker, reference: int
) -> dict[str, object]:
    """A request as it is spooled: the scan's record knows only numbers."""
    return {
        "id": identity,
        "tag": repr(tag),
        "slot": slot,
        "value": value,
        "reference": reference,
        "source": asker.source.name,
        "role": asker.role.name,
        "who": asker.who,
        "why": asker.why,
        "where": asker.where,
        "trace": asker.trace,
        "asked_at": time.time(),
    }


class Mirror(View):
    """One server's view, with a way to ask. Not thread-safe: each thread needs its own."""

    def __init__(self, places: Places, capacity: Capacity, process: str) -> None:
        super().__init__(places, capacity)
        self._post = Post(places.requests)
        self._journal = Journal(places.spool / f"{process}.db")
        self.refusals = Refusals(self._journal)
        self.notes = SecurityNotes(self._journal)
        self._mark = RetainedMark(places.retained_mark)

    @property
    def _epoch(self) -> int:
        """How many scan processes have led, as far as is known."""
        return self._reader.epoch if self._reader else 0

    def close(self) -> None:
        """Close the pipe, and the spool once it has on disk what was appended."""
        self._post.close()
        self._journal.close()

    def note(self, asker: Asker, action: str, tag: Tag, slot: int) -> None:
        """Record what somebody said of a row of `tag` without asking the scan for anything."""
        record = request_record(new_id(), tag, slot, 0.0, asker, 0)
        told = {"action": action, "result": Result.EXECUTED.name, "answered_at": time.time()}
        self._journal.append(Kind.ANSWER, record | told)

    def ask(self, tag: Tag, slot: int, value: float, asker: Asker, reference: int = 0) -> Answer:
        """Ask the scan to write `value` to a row of `tag`, and wait for its answer.

        Raises MailboxFull if the scan takes no requests.
        """
        for answers in self._steps([(tag, slot, value)], asker, reference):
            if answers:
                return answers[0]
            time.sleep(POLL)
        raise AssertionError("the steps end with an answer")

    async def ask_async(
        self, tag: Tag, slot: int, value: float, asker: Asker, reference: int = 0
    ) -> Answer:
        """The same without holding up an event loop."""
        answers = await self.ask_all_async([(tag, slot, value)], asker, reference)
        return answers[0]

    async def ask_all_async(
        self,
        changes: Sequence[Change],
        asker: Asker,
        reference: int = 0,
        expected: float | None = None,
    ) -> list[Answer]:
        """Ask for several changes, at most TOGETHER, of which the scan executes all or none.

        With `expected`, they are refused (WRONG_STATE) unless a tag still has that value.
        """
        for answers in self._steps(changes, asker, reference, expected):
            if answers:
                return answers
            await asyncio.sleep(POLL)
        raise AssertionError("the steps end with an answer")

    def _steps(
        self,
        changes: Sequence[Change],
        asker: Asker,
        reference: int,
        expected: float | None = None,
    ) -> Iterator[list[Answer]]:
        """Record, put, look for answers, look that they are kept: nothing at each pause, then they.

        All or none of the changes have an answer: the scan takes a group in one cycle.
        """
        began = time.monotonic()
        deadline = began + PATIENCE + SCANS * self.columns.value(System.Period)
        asks = together(
            [
                Ask(
                    new_id(),
                    NUMBER[tag],
                    slot,
                    value,
                    reference,
                    asker.role,
                    asker.source,
                    deadline,
                    expected=expected,
                )
                for tag, slot, value in changes
            ]
        )
        records = {
            ask.id: request_record(ask.id, *change, asker, reference)
            for ask, change in zip(asks, changes, strict=True)
            if change[0] is not System.Heartbeat  # it says nothing of anybody's doing
        }
        written = [self._journal.append(Kind.REQUEST, record) for record in records.values()]
        while time.monotonic() - began < RECORD_PATIENCE and not all(w.done() for w in written):
            yield []
        self.refresh()
        epoch = self._epoch
        try:
            self._post.put(*asks)
        except MailboxFull:
            refused = {"result": "NOT_TAKEN", "answered_at": time.time()}
            for record in records.values():
                self._journal.append(Kind.ANSWER, record | refused)
            raise
        while (row := self.find(asks[-1].id)) is None:
            if self._epoch > epoch > 0:
                # Who took it may have died before publishing: ask the scan that took over, too.
                epoch = self._epoch
                with suppress(MailboxFull):
                    self._post.put(*asks)
            if time.monotonic() > deadline:
                latency = time.monotonic() - began
                late = [Answer(a.id, Result.TOO_LATE, 0, latency, durable=False) for a in asks]
                yield self._answered(records, late)
                return
            yield []
        scan = int(self.columns[Request.TakenAt][row])
        latency = (self._reader.stamp if self._reader else time.monotonic()) - began
        results = [self._result(ask.id) for ask in asks]
        retained = any(tag.retained for tag, _, _ in changes)
        while retained and self._mark.scan < scan and time.monotonic() < deadline:
            yield []
        durable = not retained or self._mark.scan >= scan
        found = zip(asks, results, strict=True)
        answers = [Answer(ask.id, result, scan, latency, durable) for ask, result in found]
        yield self._answered(records, answers)

    def _result(self, identity: int) -> Result:
        """The scan's answer to a request of a group whose last one is answered."""
        row = self.find(identity)
        return (
            Result(int(self.columns[Request.Result][row])) if row is not None else Result.TOO_LATE
        )

    def _answered(
        self, records: dict[int, dict[str, object]], answers: list[Answer]
    ) -> list[Answer]:
        for answer in answers:
            if answer.id in records:
                self._answer(records[answer.id], answer)
        return answers

    def _answer(self, record: dict[str, object], answer: Answer) -> None:
        """Record the answer beside its request."""
        said = {
            "result": answer.result.name,
            "scan": answer.scan,
            "latency": answer.latency,
            "durable": answer.durable,
            "answered_at": time.time(),
        }
        self._journal.append(Kind.ANSWER, record | said)

    def find(self, identity: int) -> int | None:
        """The Request row of a request that the scan has answered."""
        self.refresh()
        ids = self.columns[Request.Id]
        for row in (ids == identity).nonzero()[0]:
            if self.columns[Request.Result][row]:
                return int(row)
        return None


__all__ = ["Answer", "Asker", "MailboxFull", "Mirror", "Result", "Role", "Source", "View"]
