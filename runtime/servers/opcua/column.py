"""Values of one tag at many places, made into samples together: what `Values` makes one by one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import cast

import numpy as np
from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from numpy.typing import NDArray

from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.sample import BAD, Sample, sample, samples
from runtime.servers.opcua.values import (
    NO_VALUE,
    OWN,
    RETIRED,
    STATUS,
    STILL,
    VARIANTS,
    Values,
    utc,
)
from runtime.tag import Quality, Table, Tag
from runtime.tags import SHOWN, System

Rows = NDArray[np.intp]


def _code(status: ua.StatusCode) -> np.uint32:
    return np.uint32(status.value)


_OF_QUALITY = np.array([STATUS[quality].value for quality in sorted(Quality)], np.uint32)


def table_of(tag: Tag) -> type[Table]:
    return next(table for table in SHOWN if table.__name__ == tag.table)


class Column:
    """A tag at some places, until equipment or places are others.

    `slots` are their rows, for those that have none any row.
    """

    def __init__(self, values: Values, tag: Tag, places: Sequence[Place]) -> None:
        view = values.view
        self.tag = tag
        self.places = places
        self._values = values
        self._table = table_of(tag)
        room = view.columns.rows(self._table)
        self.slots: Rows = np.array([min(p.slot, room - 1) for p in places], np.intp)
        self._declares = np.array([p.declares for p in places], bool)
        self._absent = np.array([not p.present or p.slot >= room for p in places], bool)

    def samples(self, rows: Rows) -> list[Sample]:
        """The samples at some of the places."""
        values, tag = self._values, self.tag
        if tag in OWN or not values.view.sequence:
            return [sample(values.read(tag, self.places[row])) for row in rows]
        column = values.view.columns[tag][self.slots[rows]]
        status = self._status(rows)
        if column.dtype.kind == "f":
            status[~np.isfinite(column) & ((status & BAD) == 0)] = _code(NO_VALUE)
        scanned = values.scanned
        source = ua.datetime_to_win_epoch(scanned) if scanned else None
        now = ua.datetime_to_win_epoch(utc(time.time()))
        return samples(column, VARIANTS[tag.dtype], status, source, now)

    def _status(self, rows: Rows) -> NDArray[np.uint32]:
        """How far the values can be trusted: as `Values.status` has it."""
        view = self._values.view
        status = np.full(len(rows), StatusCodes.Good, np.uint32)
        if view.stale:
            status[:] = _code(STILL)
        else:
            slots = self.slots[rows]
            if self.tag.quality is not None:
                quality = view.columns[self._table.tag(self.tag.quality)][slots]
                status = _OF_QUALITY[quality]
            if self._table is not System:
                configured = view.columns[self._table.tag("Configured")][slots]
                status[~configured.astype(bool)] = _code(RETIRED)
            status[self._absent[rows]] = _code(RETIRED)
        status[self._declares[rows]] = _code(NO_VALUE)
        return cast("NDArray[np.uint32]", status)
