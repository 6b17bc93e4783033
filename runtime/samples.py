"""Samples: values of one scan that changed enough to be kept in the history, and their bytes.

A record of the spool holds all samples of one scan:

    length of the head (u4) | head: scan, utc, counts | rows | values | qualities

The head is JSON and counts the samples by the names of their tags: a spool may be read by a program
that has other tags.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from runtime.layout import Columns
from runtime.tag import Quality, Tag
from runtime.tags import TAGS, Pump, Station

STORED: tuple[Tag, ...] = tuple(tag for tag in TAGS if tag.stored)
_LENGTH = struct.Struct("<I")
_FIELDS = ("<u4", "<f8", "u1")  # row, value, quality
_TABLES = {"Station": Station, "Pump": Pump}
_NEVER = 255  # as the quality last kept: none was
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Samples:
    """Some rows of one tag, with their values and qualities."""

    tag: str
    rows: NDArray[Any]
    values: NDArray[Any]
    qualities: NDArray[Any]


def encode(scan: int, utc: float, samples: Sequence[Samples]) -> bytes:
    counts = {each.tag: len(each.rows) for each in samples}
    head = orjson.dumps({"scan": scan, "utc": utc, "counts": counts})
    fields = zip(*((s.rows, s.values, s.qualities) for s in samples), strict=True)
    parts = [
        np.concatenate(parts).astype(dtype).tobytes()
        for dtype, parts in zip(_FIELDS, fields, strict=True)
    ]
    return b"".join([_LENGTH.pack(len(head)), head, *parts])


def decode(data: bytes) -> tuple[int, float, list[Samples]]:
    """Scan, UTC and samples. Raises ValueError if the bytes are not those of a record."""
    try:
        (length,) = _LENGTH.unpack_from(data)
        head = orjson.loads(data[_LENGTH.size : _LENGTH.size + length])
        total, at = sum(head["counts"].values()), _LENGTH.size + length
        columns = []
        for dtype in _FIELDS:
            columns.append(np.frombuffer(data, dtype, total, at))
            at += columns[-1].nbytes
        return head["scan"], head["utc"], list(_by_tag(head["counts"], columns))
    except (struct.error, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no samples: {error!r}") from None


def _by_tag(counts: dict[str, int], columns: Sequence[NDArray[Any]]) -> Iterator[Samples]:
    start = 0
    for tag, count in counts.items():
        yield Samples(tag, *(column[start : start + count] for column in columns))
        start += count


class Sampler:
    """Finds the values that have moved out of their deadband since they were last kept.

    A value is kept when it differs from the one kept last by its deadband or more, when it becomes
    or ceases to be a number, when its quality changes, and when it was last kept `silence` s ago:
    so a line can be drawn, and a longer gap means that nothing was recorded.
    """

    def __init__(self, columns: Columns, silence: float) -> None:
        self._watched = [_Watched(tag, columns, silence) for tag in STORED]

    def take(self, now: float) -> list[Samples]:
        """What is to be kept at `now` (s), which is taken for kept from here on."""
        return [found for watched in self._watched if (found := watched.take(now)) is not None]


class _Watched:
    """One stored tag, and what was last kept of it."""

    def __init__(self, tag: Tag, columns: Columns, silence: float) -> None:
        table = _TABLES[tag.table]
        count = columns.rows(table)
        self._tag = tag
        self._silence = silence
        self._values: NDArray[Any] = columns[tag]
        self._used = columns[table.tag("Configured")].view(np.bool_)
        self._qualities: NDArray[Any] = (
            columns[table.tag(tag.quality)]
            if tag.quality
            else np.full(count, Quality.GOOD, np.uint8)
        )
        self._kept = np.zeros(count, self._values.dtype)
        self._kept_qualities = np.full(count, _NEVER, np.uint8)
        self._kept_at = np.zeros(count)
        # What begins at once must not be repeated at once for ever after.
        self._early = silence * (np.arange(1, count + 1) * _GOLDEN % 1)

    def take(self, now: float) -> Samples | None:
        due = self._moved()
        due |= self._qualities != self._kept_qualities
        due |= self._kept_at <= now - self._silence
        due &= self._used
        rows = due.nonzero()[0]
        if not len(rows):
            return None
        values, qualities = self._values[rows], self._qualities[rows]
        first = self._kept_qualities[rows] == _NEVER
        self._kept[rows] = values
        self._kept_qualities[rows] = qualities
        self._kept_at[rows] = now - first * self._early[rows]
        return Samples(repr(self._tag), rows, values.astype(float), qualities)

    def _moved(self) -> NDArray[np.bool_]:
        values, kept, deadband = self._values, self._kept, self._tag.unit.deadband
        moved: NDArray[np.bool_]
        if deadband and self._tag.is_float:
            near = np.abs(values - kept) < deadband
            near |= np.isnan(values) & np.isnan(kept)
            moved = ~near
        elif self._tag.is_float:  # bit for bit: NaN is equal to NaN
            moved = values.view("u8") != kept.view("u8")
        else:
            moved = values != kept
        return moved
