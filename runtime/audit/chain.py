"""The chain of the audit log: walked entry by entry, and what is wrong with it named.

An entry comes as a row of COPY ... (FORMAT binary): the number of its columns, then each field with
its length before it. Its hash is its last field: the SHA-256 of all that stands before that field.
Among what is hashed are its number and the hash of the entry before.

    found                                                     named
    content and hash don't fit                                changed
    they do with another number                               reordered
    they fit, but the next entry holds another hash of it     rewritten
    numbers are missing                                       removed
    a number is there twice, or lies outside of the log       inserted
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain as joined

COLUMNS = (
    *("audit_id", "segment", "previous", "source", "sequence", "occurred_at", "recorded_at"),
    *("actor", "role", "protocol", "address", "action", "object", "result", "reason"),
    *("correlation_id", "details", "hash"),
)
GENESIS = bytes(32)  # what the first entry holds as the hash before it
KEPT = 10_000  # broken entries that are kept for a closer look; further ones are only named
CANDIDATES = 500  # numbers that are tried for an entry that may have been moved
_NUMBER = slice(6, 14)
_PREVIOUS = slice(26, 58)
_HASH_FIELD = 4 + 32
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Finding:
    """What is wrong with entries `first` to `last`."""

    kind: str
    first: int
    last: int
    why: str

    def __str__(self) -> str:
        one = self.first == self.last
        which = f"entry {self.first}" if one else f"entries {self.first} to {self.last}"
        return f"{self.kind}: {which}: {self.why}"


@dataclass(frozen=True)
class Point:
    """An entry by its number and hash; number 0 is the beginning of all."""

    number: int = 0
    hash: bytes = GENESIS


@dataclass
class Walk:
    """What a walk along the chain has found."""

    start: Point
    end: Point
    count: int = 0
    marks: dict[int, bytes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def names(self, number: int) -> bool:
        """Whether an entry is named by a finding."""
        return any(found.first <= number <= found.last for found in self.findings)


def described(row: bytes) -> str:
    """Whose entry it is, what about and when, as far as it can be read."""
    try:
        values = dict(zip(COLUMNS, _fields(row), strict=True))
        micros = int.from_bytes(values["recorded_at"] or b"", "big", signed=True)
        at = (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="seconds")
        actor, action = (
            str(values[name] or b"", "utf-8", "replace") for name in ("actor", "action")
        )
    except (struct.error, ValueError, OverflowError):
        return "unreadable"
    return f"{actor!r}, {action!r}, recorded {at}"


def walk(rows: Iterable[bytes], start: Point, marked: Container[int] = ()) -> Walk:
    """Check all rows, in the order of their numbers, after `start`; keep the hashes of `marked`."""
    found = Walk(start, start)
    broken: dict[int, bytes] = {}
    beyond: list[int] = []  # broken ones past those that are kept
    gaps: list[range] = []
    number, last, also, sound = start.number, start.hash, start.hash, True
    for row in rows:
        found.count += 1
        before, number_here = number, int.from_bytes(row[_NUMBER], "big", signed=True)
        fits = sha256(row[:-_HASH_FIELD]).digest() == row[-32:]
        if number_here <= before:
            found.findings.append(_inserted(number_here, start, row))
            also = row[-32:]
            continue
        if number_here > before + 1:
            gaps.append(range(before + 1, number_here))
        elif fits and sound and row[_PREVIOUS] not in (last, also):
            found.findings.append(_rewritten(before, start))
        if not fits and len(broken) < KEPT:
            broken[number_here] = row
        elif not fits:
            beyond.append(number_here)
        number, last, sound = number_here, row[-32:], fits
        also = last
        if number in marked:
            found.marks[number] = last
    found.end = Point(number, last)
    _look_closer(found, broken, beyond, gaps)
    return found


def _inserted(number: int, start: Point, row: bytes) -> Finding:
    if number <= start.number:
        why = f"it stands before the log's starting point, entry {start.number}"
    else:
        why = "another one has the same number"
    return Finding("inserted", number, number, f"{why} ({described(row)})")


def _rewritten(number: int, start: Point) -> Finding:
    if number == start.number:
        why = "does not follow from the starting point of the log: it was rewritten, hash and all"
        return Finding("rewritten", number + 1, number + 1, why)
    why = (
        f"it was written anew with a hash that fits; entry {number + 1} still holds the hash it"
        " had. Entries right before it may have been, too"
    )
    return Finding("rewritten", number, number, why)


def _look_closer(
    found: Walk, broken: dict[int, bytes], beyond: Sequence[int], gaps: Sequence[range]
) -> None:
    """Tell entries that were moved from those that were changed, and name what is missing."""
    candidates = [
        number for number, _ in zip(joined(*gaps, broken), range(CANDIDATES), strict=False)
    ]
    moved: dict[int, int] = {}
    changed: list[int] = list(beyond)
    offset = 0
    for number, row in broken.items():
        home = _home(row, [number - offset, number - 1, number + 1, *candidates])
        if home is None:
            changed.append(number)
        else:
            moved[number], offset = home, number - home
    for number, home in moved.items():
        why = f"this is entry {home} with another number ({described(broken[number])})"
        found.findings.append(Finding("reordered", number, number, why))
    for first, last in _ranges(sorted(changed)):
        why = "the content does not fit the hash"
        if first == last and first in broken:
            why += f" ({described(broken[first])})"
        found.findings.append(Finding("changed", first, last, why))
    elsewhere = set(moved.values())
    for gap in gaps:
        missing = [n for n in gap if n not in elsewhere] if elsewhere else None
        spans = _ranges(missing) if missing is not None else [(gap.start, gap.stop - 1)]
        for first, last in spans:
            found.findings.append(Finding("removed", first, last, "not there"))
    found.findings.sort(key=lambda finding: (finding.first, finding.last))


def _home(row: bytes, candidates: Iterable[int]) -> int | None:
    """The number with which the entry fits its hash."""
    for number in candidates:
        try:
            put = number.to_bytes(8, "big", signed=True)
        except OverflowError:
            continue
        whole = row[: _NUMBER.start] + put + row[_NUMBER.stop : -_HASH_FIELD]
        if sha256(whole).digest() == row[-32:]:
            return number
    return None


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending numbers as spans without a gap."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1] = spans[-1][0], number
        else:
            spans.append((number, number))
    return spans


def _fields(row: bytes) -> list[bytes | None]:
    (count,) = struct.unpack_from(">h", row)
    place = 2
    found: list[bytes | None] = []
    for _ in range(count):
        (length,) = struct.unpack_from(">i", row, place)
        place += 4
        found.append(None if length < 0 else row[place : place + length])
        place += max(length, 0)
    return found
