"""What every server sees of the runtime: the newest snapshot, the equipment, and a way to ask.

A mirror never writes a value. It reads whole snapshots, knows how old they are, and turns a wish of
a client into a request whose answer it waits for in the image.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from runtime import equipment
from runtime.equipment import Equipment, EquipmentError
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.region import Reader, RegionError
from runtime.requests import Ask, MailboxFull, Post, Result, Role, Source, new_id
from runtime.retained import RetainedMark
from runtime.servers import correlation
from runtime.servers.refusals import Refusals
from runtime.spool import Journal, Kind
from runtime.tag import Quality, Tag
from runtime.tags import NUMBER, Pump, Request, Station, System

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


class View:
    """The newest snapshot and the equipment: the half of a mirror that only looks."""

    def __init__(self, places: Places, capacity: Capacity) -> None:
        self._places = places
        self.layout = Layout(capacity)
        self.columns = Columns(self.layout)
        self.equipment = Equipment()
        self.sequence = 0
        self._reader: Reader | None = None
        self._written = 0  # when the equipment last loaded was

    def refresh(self) -> bool:
        """Take the newest snapshot; whether it differs from the last one taken."""
        fresh = self._take()
        self.columns[System.ImageAge][0] = self.age
        self.columns[System.Live][0] = not self.stale
        return fresh

    def _take(self) -> bool:
        try:
            if self._reader is None or (self.stale and self._reader.replaced):
                layout = self.layout
                self._reader = Reader(
                    self._places.image, layout.size, layout.hash, layout.parameters
                )
                self.sequence = 0
            if self._reader.sequence == self.sequence:
                return False
            self.sequence = self._reader.read(self.columns.arena)
        except RegionError:
            return False
        self._renew_equipment()
        return True

    def _renew_equipment(self) -> None:
        """Load the list that the image is of, once: it may be of another version or unreadable."""
        if int(self.columns[System.PlantVersion][0]) == self.equipment.version:
            return
        with suppress(FileNotFoundError, EquipmentError):
            written = self._places.equipment.stat().st_mtime_ns
            if written != self._written:
                self._written = written
                self.equipment = equipment.load(self._places.equipment)

    @property
    def age(self) -> float:
        """Seconds since the scan last published; infinite before it ever has."""
        return self._reader.age if self._reader else float("inf")

    @property
    def stale(self) -> bool:
        """The scan stands still: what it said last must not be shown as if it were true now."""
        period = self.columns.value(System.Period)
        return self._reader is None or self._reader.stands_still(period)

    def quality(self, tag: Tag, slot: int) -> Quality:
        """How far the value can be trusted now, the age of the snapshot included."""
        table = {"Station": Station.Configured, "Pump": Pump.Configured}.get(tag.table)
        if self.stale or (table is not None and not self.columns[table][slot]):
            return Quality.BAD
        if tag.quality is None:
            return Quality.GOOD
        companion = {"Station": Station, "Pump": Pump}[tag.table].tag(tag.quality)
        return Quality(int(self.columns[companion][slot]))


class Mirror(View):
    """One server's view, with a way to ask. Not thread-safe: each thread needs its own."""

    def __init__(self, places: Places, capacity: Capacity, process: str) -> None:
        super().__init__(places, capacity)
        self._post = Post(places.requests)
        self._journal = Journal(places.spool / f"{process}.db")
        self.refusals = Refusals(self._journal)
        self._mark = RetainedMark(places.retained_mark)

    @property
    def _epoch(self) -> int:
        """How many scan processes have led, as far as is known."""
        return self._reader.epoch if self._reader else 0

    def close(self) -> None:
        """Close the pipe, and the spool once it has on disk what was appended."""
        self._post.close()
        self._journal.close()

    def ask(self, tag: Tag, slot: int, value: float, asker: Asker, reference: int = 0) -> Answer:
        """Ask the scan to write `value` to a row of `tag`, and wait for its answer.

        Raises MailboxFull if the scan takes no requests.
        """
        began = time.monotonic()
        for answer in self._steps(tag, slot, value, asker, reference, began):
            if answer is not None:
                return answer
            time.sleep(POLL)
        raise AssertionError("the steps end with an answer")

    async def ask_async(
        self, tag: Tag, slot: int, value: float, asker: Asker, reference: int = 0
    ) -> Answer:
        """The same without holding up an event loop."""
        began = time.monotonic()
        for answer in self._steps(tag, slot, value, asker, reference, began):
            if answer is not None:
                return answer
            await asyncio.sleep(POLL)
        raise AssertionError("the steps end with an answer")

    def _steps(
        self, tag: Tag, slot: int, value: float, asker: Asker, reference: int, began: float
    ) -> Iterator[Answer | None]:
        """Record, put, look for the answer, look that it is kept: None at each pause, then it."""
        identity = new_id()
        record = request_record(identity, tag, slot, value, asker, reference)
        written = self._journal.append(Kind.REQUEST, record)
        while not written.done() and time.monotonic() - began < RECORD_PATIENCE:
            yield None
        deadline = began + PATIENCE + SCANS * self.columns.value(System.Period)
        ask = Ask(identity, NUMBER[tag], slot, value, reference, asker.role, asker.source, deadline)
        self.refresh()
        epoch = self._epoch
        try:
            self._post.put(ask)
        except MailboxFull:
            refused = {"result": "NOT_TAKEN", "answered_at": time.time()}
            self._journal.append(Kind.ANSWER, record | refused)
            raise
        while (row := self.find(identity)) is None:
            if self._epoch > epoch > 0:
                # Who took it may have died before publishing: ask the scan that took over, too.
                epoch = self._epoch
                with suppress(MailboxFull):
                    self._post.put(ask)
            if time.monotonic() > deadline:
                late = Answer(identity, Result.TOO_LATE, 0, time.monotonic() - began, durable=False)
                yield self._answer(record, late)
                return
            yield None
        result = Result(int(self.columns[Request.Result][row]))
        scan = int(self.columns[Request.TakenAt][row])
        latency = (self._reader.stamp if self._reader else time.monotonic()) - began
        while tag.retained and self._mark.scan < scan and time.monotonic() < deadline:
            yield None
        durable = not tag.retained or self._mark.scan >= scan
        yield self._answer(record, Answer(identity, result, scan, latency, durable))

    def _answer(self, record: dict[str, object], answer: Answer) -> Answer:
        """Record the answer beside its request."""
        said = {
            "result": answer.result.name,
            "scan": answer.scan,
            "latency": answer.latency,
            "durable": answer.durable,
            "answered_at": time.time(),
        }
        self._journal.append(Kind.ANSWER, record | said)
        return answer

    def find(self, identity: int) -> int | None:
        """The Request row of a request that the scan has answered."""
        self.refresh()
        ids = self.columns[Request.Id]
        for row in (ids == identity).nonzero()[0]:
            if self.columns[Request.Result][row]:
                return int(row)
        return None


__all__ = ["Answer", "Asker", "MailboxFull", "Mirror", "Result", "Role", "Source", "View"]
