"""History of events: the alarms as they were, read from PostgreSQL (Part 11, 6.5.2).

Every change of an alarm's state is an event with the fields that the condition had then, as far as
the record tells them: since when the alarm was active, and until when it was shelved, are null. An
EventId names the record for good, and is not one to acknowledge with: what is past is past.

A where clause is judged here, not by the database, so an answer may hold fewer events than asked
for, or none, and a continuation point: that bounds what one request costs.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence

from asyncua import ua
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.ua.status_codes import StatusCodes

from runtime.alarm import AlarmState
from runtime.database.alarm_history import Change, Extent, changes
from runtime.database.historian import Historian
from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.condition import Condition
from runtime.servers.opcua.event import Event, when
from runtime.servers.opcua.event_filter import EventFilter
from runtime.servers.opcua.event_items import SERVER
from runtime.servers.opcua.history_period import (
    EVENTS,
    HistoryFault,
    Period,
    Point,
    period_of,
    resumed,
)
from runtime.servers.opcua.plant import Kind, Place, Plant
from runtime.tags import ALARMS, Pump, Station, System

MOST_EVENTS = 1_000  # of one node in one answer
MOST_LOOKED_AT = 5_000  # records of one node for one answer
TOGETHER = 50  # events that are judged before others have their turn
_ID = struct.Struct(">8sq")
_S = AlarmState
_ACTIVE = {
    _S.UNACKNOWLEDGED: True,
    _S.ACKNOWLEDGED: True,
    _S.SUPPRESSED: True,
    _S.NORMAL: False,
    _S.CLEARED: False,
    _S.LATCHED: False,
    _S.LATCHED_ACKNOWLEDGED: False,
}
"""Whether an alarm is active, of the states that tell."""
_BY_STATE = {repr(declared.state): declared for declared in ALARMS}


class EventHistories:
    """Reads the events of our notifiers: the server, the plant, stations and pumps."""

    def __init__(self, aspace: Standard, plant: Plant, historian: Historian) -> None:
        self._aspace = aspace
        self._plant = plant
        self._historian = historian

    async def read(
        self, details: ua.ReadEventDetails, wanted: ua.HistoryReadValueId
    ) -> tuple[ua.HistoryEvent, bytes | None]:
        """Events of a node, and where to go on. Raises HistoryFault, Busy, Away."""
        extent = self._extent(wanted.NodeId)
        asked = EventFilter(details.Filter, self._aspace)
        if not asked.usable:
            raise HistoryFault(StatusCodes.BadEventFilterInvalid)
        period, point = period_of(details), None
        if wanted.ContinuationPoint is not None:
            point = resumed(wanted.ContinuationPoint, EVENTS)
        left = point.left if point else period.left
        most = min(left or MOST_EVENTS, MOST_EVENTS)
        found, last = await self._find(asked, extent, period, point, most)
        rest = left - len(found)
        goes_on = last is not None and (not left or rest > 0)
        fields = [ua.HistoryEventFieldList(event.select(asked.paths)) for event in found]
        end = Point(last.at, last.number, rest if left else 0) if last and goes_on else None
        return ua.HistoryEvent(fields), end.encode(EVENTS) if end else None

    async def _find(
        self, asked: EventFilter, extent: Extent, period: Period, point: Point | None, most: int
    ) -> tuple[list[Event], Change | None]:
        """Events that fit, and the last record that was looked at; None: there are no more."""
        after = (point.at, point.number) if point else None
        looked_at = most if asked.takes_all else MOST_LOOKED_AT
        span, reverse = (period.low, period.high), period.backwards
        rows = await changes(self._historian, extent, span, reverse, after, looked_at + 1)
        found: list[Event] = []
        for place, change in enumerate(rows[:looked_at]):
            if len(found) == most:
                return found, rows[place - 1]
            if place and place % TOGETHER == 0:
                await asyncio.sleep(0)
            event = self._event(change)
            if asked.matches(event):
                found.append(event)
        return found, rows[looked_at - 1] if len(rows) > looked_at else None

    def _extent(self, nodeid: ua.NodeId) -> Extent:
        """Whose alarms can be heard of at a node. Raises HistoryFault."""
        if nodeid == SERVER:
            return Extent(_states(System, Station, Pump))
        node = self._aspace.get(nodeid)
        if node is None:
            raise HistoryFault(StatusCodes.BadNodeIdUnknown)
        place = node.place if isinstance(node, PlantNode) and node.member is None else None
        if place is None or str(nodeid.Identifier) != place.path:
            raise HistoryFault(StatusCodes.BadHistoryOperationUnsupported)
        if place is self._plant.root:
            return Extent(_states(System, Station, Pump))
        if place.kind is not Kind.OBJECT or place.table is None:
            raise HistoryFault(StatusCodes.BadHistoryOperationUnsupported)
        if place.table is Pump and place.parent is not None:
            return Extent(_states(Pump), place.parent.name, int(place.name))
        if place.table is Station:
            return Extent(_states(Station, Pump), place.name)
        return Extent(_states(System))

    def _event(self, change: Change) -> Event:
        declared = _BY_STATE[change.tag]
        state, before = AlarmState(int(change.new)), AlarmState(int(change.old))
        condition = Condition(declared, self._place(change), state, changed=change.at)
        active = _is_active(before, state)
        condition.since = change.at if active else 0.0
        condition.user, condition.comment = change.actor or "", change.reason or ""
        condition.commented = change.at if change.reason else 0.0
        fields = condition.fields()
        for unknown in ("ActiveState/TransitionTime", "ShelvingState/UnshelveTime"):
            fields.pop(unknown, None)
        if active is None:
            del fields["ActiveState"], fields["ActiveState/Id"]
        if state is _S.SHELVED:  # once, or for a time
            del fields["ShelvingState/CurrentState"], fields["ShelvingState/CurrentState/Id"]
        identity = _ID.pack(b"recorded", change.number)
        fields["EventId"] = ua.Variant(identity, ua.VariantType.ByteString)
        fields["ReceiveTime"] = when(change.at)
        return Event(condition.kind, fields, condition.place)

    def _place(self, change: Change) -> Place:
        """Where it was: what is not in the plant any more still has its path."""
        declared = _BY_STATE[change.tag]
        parts = [str(part) for part in (change.station, change.pump) if part is not None]
        path = "/".join(parts) or declared.table.__name__
        return self._plant.get(path) or Place(path, path, path, table=declared.table)


def _states(*tables: type) -> Sequence[str]:
    return [repr(declared.state) for declared in ALARMS if declared.table in tables]


def _is_active(before: AlarmState, state: AlarmState) -> bool | None:
    """Whether the alarm was active; None: the record doesn't tell."""
    return _ACTIVE.get(state if state in _ACTIVE else before)
