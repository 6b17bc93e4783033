"""Announcements of alarms, from the edges that the scan emits: of these none goes unseen.

Between two looks at the image an alarm may come and go, and so it may while this process is not
there. The ring of edges is the recorder's; who follows it here takes copies and gives no room back.
What the recorder has long on disk may be overwritten meanwhile: that is told in the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import structlog

from runtime.alarm import AlarmState
from runtime.comparison import Edges
from runtime.events import CAPACITY, EventReader
from runtime.layout import Layout
from runtime.places import Places
from runtime.region import RegionError
from runtime.tags import ALARM_OF_STATE, NUMBER, TAGS, DeclaredAlarm

TAKEN = 4_000  # edges at a time
STATES = np.array([NUMBER[state] for state in ALARM_OF_STATE])
HIDDEN = (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)
ON = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)

logger = structlog.get_logger()


class Mark(NamedTuple):
    """How far the edges of a ring have been followed."""

    ring: int
    position: int


@dataclass
class Announcement:
    """An alarm that came to be unacknowledged and active at `utc`; `ended`, if that was seen.

    One that `was_hidden` may have been active before.
    """

    declared: DeclaredAlarm
    slot: int
    utc: float
    was_hidden: bool
    ended: float | None = None


class Announcements:
    """Follows the ring of edges."""

    def __init__(self, places: Places, layout: Layout) -> None:
        self._path = places.events
        self._layout = layout
        self._ring: EventReader | None = None
        self._end = 0

    def take(self, mark: Mark | None, scan: int) -> tuple[list[Announcement], Mark | None]:
        """The announcements after a mark, up to a scan, and the mark up to which they go.

        Without a mark the past is passed over; in a ring made anew all is new.
        """
        ring = self._attach()
        if ring is None:
            return [], mark
        if mark is None:
            mark = Mark(ring.identity, self._end)
        ring.position = mark.position if mark.ring == ring.identity else 0
        found: list[Announcement] = []
        standing: dict[tuple[int, int], Announcement] = {}
        while True:
            position = ring.position
            edges = ring.take(TAKEN)
            if len(edges) and int(edges["seq"][0]) >= position + CAPACITY:
                ring.position = EventReader(self._path, self._layout).position
                logger.warning("alarms may have come and gone unseen: their edges are gone")
                continue
            seen = edges[edges["scan"] <= scan]
            _announced(seen, found, standing)
            if not len(edges) or len(seen) < len(edges):
                return found, Mark(ring.identity, position + len(seen))

    def _attach(self) -> EventReader | None:
        if self._ring is None or self._ring.replaced:
            self._ring = None
            try:
                ring = EventReader(self._path, self._layout)
            except RegionError:
                return None
            self._ring, self._end = ring, ring.position + ring.backlog
        return self._ring


def _announced(
    edges: Edges, found: list[Announcement], standing: dict[tuple[int, int], Announcement]
) -> None:
    """Add the announcements among some edges, and the ends of those that stand."""
    edges = edges[np.isin(edges["tag"], STATES)]
    names = ("tag", "slot", "utc", "old", "new")
    for tag, slot, utc, old, new in zip(*(edges[name].tolist() for name in names), strict=True):
        before = standing.get((tag, slot))
        if before is not None and new not in ON:
            before.ended = utc
        if new == AlarmState.UNACKNOWLEDGED:
            declared = ALARM_OF_STATE[TAGS[tag]]
            standing[tag, slot] = one = Announcement(declared, slot, utc, old in HIDDEN)
            found.append(one)
