"""Retained memory: what must outlive a restart, a crash and a power cut.

Two files, A and B, are overwritten in turn, so that a torn one leaves the other whole:

    magic, generation, scan, length, SHA-256 of all the rest | description | columns

Columns are stored by the names of their tags and rows by their slots, so they are found again after
tags were added or capacities changed. Scan numbers are kept too: the number stored is ahead of the
scan by RESERVE, so that scans after a crash never get numbers that were used before it.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from runtime.layout import Columns
from runtime.tag import Access, Tag
from runtime.tags import TAGS, System

RESERVE = 10_000  # scans
RETAINED: tuple[Tag, ...] = tuple(tag for tag in TAGS if tag.retained)
LATCHES: tuple[Tag, ...] = tuple(
    tag
    for tag in RETAINED
    if tag.recorded or tag.access is Access.REQUEST or tag.name == "EmergencyStopId"
)
"""What is on disk before anyone is told that it is done. Counters and integrators follow within
seconds: a power cut may take back the last of them, never a stop."""

_MAGIC = b"CALEJOR1"
_HEAD = struct.Struct("<8sQQQ32s")  # magic, generation, scan, length of the rest, digest


class RetainedError(Exception):
    """Retained memory can't be read; the message says what that means and what to do."""


@dataclass(frozen=True)
class _Slot:
    """The content of one file. `scan` is the number that the next scan comes after."""

    generation: int
    scan: int
    rest: bytes


class RetainedMark:
    """The number of the newest scan whose latches are on disk, for all processes to see.

    The recorder writes it; a server that has set a latch waits for it before it says "done".
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, mmap.PAGESIZE)
            self._word = memoryview(mmap.mmap(descriptor, mmap.PAGESIZE))[:8].cast("Q")
        finally:
            os.close(descriptor)

    @property
    def scan(self) -> int:
        return int(self._word[0])

    @scan.setter
    def scan(self, number: int) -> None:
        self._word[0] = number


class Store:
    """The writing side: keeps `columns`, as they are when asked to, in the two files."""

    def __init__(self, columns: Columns, paths: Sequence[Path]) -> None:
        self._columns = columns
        self._paths = paths
        generations = [slot.generation if slot else 0 for slot in map(_read, paths)]
        self._generation = max(generations)
        self._turn = generations.index(min(generations))
        self._reserved = 0
        described = orjson.dumps(
            [{"tag": repr(tag), "dtype": tag.dtype, "rows": len(columns[tag])} for tag in RETAINED]
        )
        body = bytearray(described + b"\n")
        starts: list[int] = []
        for tag in RETAINED:
            starts.append(len(body))
            body += bytes(columns[tag].nbytes)
        self._body = body
        self._saved: dict[Tag, NDArray[np.generic]] = {
            tag: np.frombuffer(body, tag.dtype, len(columns[tag]), start)
            for tag, start in zip(RETAINED, starts, strict=True)
        }

    def latches_differ(self) -> bool:
        """Whether a latch, or what an operator asked for, is not yet on disk as it is now."""
        return self._differ(LATCHES)

    def differ(self) -> bool:
        """Whether anything, scan numbers in reserve included, has to be saved."""
        scan = int(self._columns[System.Scan][0])
        running_out = not scan <= self._reserved - RESERVE // 2 <= scan + RESERVE
        return running_out or self._differ(RETAINED)

    def _differ(self, tags: Sequence[Tag]) -> bool:
        return not self._reserved or any(
            self._columns[tag].tobytes() != self._saved[tag].tobytes() for tag in tags
        )

    def save(self, reserve: int = RESERVE) -> None:
        """Write the columns to the older file and force it to disk. Raises OSError."""
        reserved = int(self._columns[System.Scan][0]) + reserve
        self._reserved = 0  # what is on disk isn't known until the end
        for tag, saved in self._saved.items():
            np.copyto(saved, self._columns[tag])
        self._generation += 1
        _write(self._paths[self._turn], _pack(self._generation, reserved, self._body))
        self._turn = (self._turn + 1) % len(self._paths)
        self._reserved = reserved


def restore(columns: Columns, paths: Sequence[Path]) -> int:
    """Fill the retained columns and `System.Scan` from disk; the scan number, 0 if nothing is kept.

    Raises RetainedError if both files are there but neither is whole, or if an emergency stop is
    latched in a row that the columns don't have: without it the stop would be forgotten.
    """
    slots = [slot for slot in map(_read, paths) if slot]
    if not slots:
        if all(path.exists() for path in paths):
            raise RetainedError(
                f"retained memory is damaged: neither {paths[0]} nor {paths[1]} is whole, so which"
                " emergency stops are latched is not known; restore one of them from a backup, or"
                " delete both to start with nothing latched, all pumps in Auto"
            )
        return 0
    newest = max(slots, key=lambda slot: slot.generation)
    described, _, data = newest.rest.partition(b"\n")
    known = {repr(tag): tag for tag in RETAINED}
    start = 0
    for column in orjson.loads(described):
        stored = np.frombuffer(data, column["dtype"], column["rows"], start)
        start += stored.nbytes
        tag = known.get(column["tag"])
        if tag is not None:
            rows = min(len(stored), len(columns[tag]))
            if tag.is_bool and tag.access is Access.REQUEST and stored[rows:].any():
                raise RetainedError(
                    f"{tag} is latched in slot {rows + int(stored[rows:].argmax())}, but the"
                    f" capacity has room for slots up to {rows - 1}: raise capacity in scan.yaml;"
                    " it may be lowered when the stop is cleared"
                )
            np.copyto(columns[tag][:rows], stored[:rows], casting="unsafe")
    columns[System.Scan][0] = newest.scan
    return newest.scan


def _pack(generation: int, scan: int, body: bytes | bytearray) -> bytes:
    numbers = struct.pack("<QQQ", generation, scan, len(body))
    digest = hashlib.sha256(numbers)
    digest.update(body)
    return _HEAD.pack(_MAGIC, generation, scan, len(body), digest.digest()) + body


def _read(path: Path) -> _Slot | None:
    """What is in a file; None if there is none or it is not whole."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(raw) < _HEAD.size:
        return None
    magic, generation, scan, length, _ = _HEAD.unpack_from(raw)
    body = raw[_HEAD.size : _HEAD.size + length]
    if magic != _MAGIC or _pack(generation, scan, body) != raw[: _HEAD.size + length]:
        return None
    return _Slot(generation, scan, body)


def _write(path: Path, raw: bytes) -> None:
    """Overwrite in place, in room that is allocated: a full disk can't refuse it."""
    fresh = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, len(raw))
        written = 0
        while written < len(raw):
            written += os.pwrite(descriptor, raw[written:], written)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    if fresh:
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
