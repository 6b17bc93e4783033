"""Tags as JSON: value, unit and quality of each, for many rows of a table at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.servers.rest.snapshots import Snapshot
from runtime.tag import Quality, Table, Tag
from runtime.tags import Pump, Station, System, shown

EXACT = 2.0**53  # beyond it JavaScript rounds whole numbers

Slots = Sequence[int] | NDArray[np.intp]
QUALITIES = [quality.name.title() for quality in Quality]


def is_identity(tag: Tag) -> bool:
    """Whether the value names something: shown as text, because it may be too long a number."""
    return tag.dtype == "u8" and tag.high > EXACT


def words(tag: Tag, bits: int) -> list[str]:
    """The bits of a bit mask that are set, by name."""
    return [word for bit, word in (tag.flags or {}).items() if bits >> bit & 1]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _shown_as(tag: Tag) -> Callable[[Any], Any] | None:
    """How a value of this tag shows; None if it shows as it is."""
    if tag.states is not None:
        states = tag.states
        return lambda value: states.get(value, str(value))
    if tag.flags is not None:
        return lambda value: words(tag, value)
    if tag.is_float:
        return _finite
    return str if is_identity(tag) else None


def values(snapshot: Snapshot, tag: Tag, slots: Slots) -> list[Any]:
    """The values of a tag as JSON shows them."""
    plain = snapshot.columns[tag][np.asarray(slots, np.intp)].tolist()
    show = _shown_as(tag)
    return plain if show is None else [show(value) for value in plain]


def qualities(snapshot: Snapshot, tag: Tag, slots: Slots) -> list[str]:
    """How far these values can be trusted now."""
    table = {"System": System, "Station": Station, "Pump": Pump}[tag.table]
    rows = np.asarray(slots, np.intp)
    found = np.full(len(rows), Quality.GOOD, np.uint8)
    if tag.quality is not None:
        found[:] = snapshot.columns[table.tag(tag.quality)][rows]
    if table is not System:
        found[~snapshot.columns[table.tag("Configured")][rows].astype(bool)] = Quality.BAD
    if not snapshot.live:
        found[:] = Quality.BAD
    return [QUALITIES[min(quality, Quality.GOOD)] for quality in found.tolist()]


def tags(
    snapshot: Snapshot, table: type[Table], slots: Slots, only: Iterable[Tag] | None = None
) -> list[dict[str, Any]]:
    """For each row, its shown tags (or `only` these) by name."""
    rows: list[dict[str, Any]] = [{} for _ in slots]
    for tag in shown(table) if only is None else only:
        unit = tag.unit.symbol
        told = values(snapshot, tag, slots), qualities(snapshot, tag, slots)
        for row, value, quality in zip(rows, *told, strict=True):
            row[tag.name] = {"value": value, "unit": unit, "quality": quality}
    return rows
