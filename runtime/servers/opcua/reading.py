"""Reads of tags' values, prepared: SCADA asks for the same values again and again.

What a request asks for is looked up when it first comes; the next time the same octets lead there
at once, and the answer is put together as octets. Whatever is not the value of a tag of a place
that is there (other attributes, parts of arrays, unknown nodes) is read by the session as usual.
"""

from __future__ import annotations

import struct
import time
from math import isfinite
from typing import TypeAlias

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import struct_from_binary

from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.attributes import INDEX
from runtime.servers.opcua.column import table_of
from runtime.servers.opcua.limits import MOST_READ
from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.sample import BAD, SERVER, SOURCE, STATUS, VALUE, sample
from runtime.servers.opcua.values import NO_VALUE, OWN, RETIRED, STILL, VARIANTS, Values, utc
from runtime.servers.opcua.values import STATUS as STATUS_OF
from runtime.tag import Quality, Tag
from runtime.tags import System

MOST_PLANS = 1_000  # requests that are remembered
LARGEST_PLANS = 8 * 1024 * 1024  # octets of them
_ALL = VALUE | STATUS | SOURCE | SERVER
_CODES = {"?": "?", "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "i8": "q", "f8": "d"}
_FORMS = {dtype: struct.Struct(f"<BB{code}Iqq") for dtype, code in _CODES.items()}
_NULL = struct.Struct("<BBIqq")
_GOOD = STATUS_OF[Quality.GOOD].value
_OF_QUALITY = [STATUS_OF[quality].value for quality in sorted(Quality)]
_COUNT = struct.Struct("<i")


class Cell:
    """The value of a tag at a place, with all that it is made from at hand."""

    __slots__ = ("_column", "_configured", "_form", "_kind", "_quality", "place", "tag")

    def __init__(self, values: Values, tag: Tag, place: Place) -> None:
        columns, table = values.view.columns, table_of(tag)
        self.tag, self.place = tag, place
        self._column = columns[tag]
        self._quality = columns[table.tag(tag.quality)] if tag.quality is not None else None
        self._configured = columns[table.tag("Configured")] if table is not System else None
        self._form = _FORMS[tag.dtype]
        self._kind = VARIANTS[tag.dtype].value

    def encoded(self, still: bool, source: int, now: int) -> bytes:
        """The DataValue: as `Values.read` has it, from a snapshot that stands still or not."""
        status = STILL.value if still else self._status()
        if not status & BAD:
            value = self._column.item(self.place.slot)
            if not isinstance(value, float) or isfinite(value):
                return self._form.pack(_ALL, self._kind, value, status, source, now)
            status = NO_VALUE.value
        return _NULL.pack(_ALL, 0, status, source, now)

    def _status(self) -> int:
        place = self.place
        slot = place.slot
        if not place.present or slot >= len(self._column):
            return RETIRED.value
        if self._configured is not None and not self._configured.item(slot):
            return RETIRED.value
        return _GOOD if self._quality is None else _OF_QUALITY[self._quality.item(slot)]


Plan: TypeAlias = list[Cell]


class Reading:
    """The reads that have been prepared."""

    def __init__(self, aspace: Standard, values: Values) -> None:
        self._aspace = aspace
        self._values = values
        self._plans: dict[bytes, Plan] = {}
        self._octets = 0  # of the requests that are remembered

    def plan(self, asked: bytes) -> Plan | None:
        """What ReadParameters ask for; None if that has to be read as usual."""
        found = self._plans.get(asked)
        if found is None:
            found = self._prepare(asked)
            if found is not None:
                self._remember(asked, found)
        return found

    def _remember(self, asked: bytes, plan: Plan) -> None:
        self._plans[asked] = plan
        self._octets += len(asked)
        while len(self._plans) > MOST_PLANS or self._octets > LARGEST_PLANS:
            oldest = next(iter(self._plans))
            del self._plans[oldest]
            self._octets -= len(oldest)

    def _prepare(self, asked: bytes) -> Plan | None:
        wanted = struct_from_binary(ua.ReadParameters, Buffer(asked)).NodesToRead
        if not wanted or len(wanted) > MOST_READ:
            return None
        plan: Plan = []
        for one in wanted:
            node = self._aspace.get(one.NodeId) if one.NodeId.NamespaceIndex == INDEX else None
            if one.AttributeId != AttributeIds.Value or one.IndexRange or one.DataEncoding.Name:
                return None
            if not isinstance(node, PlantNode) or node.member is None or node.member.tag is None:
                return None
            if node.place.declares or node.member.tag in OWN:
                return None
            plan.append(Cell(self._values, node.member.tag, node.place))
        return plan

    def results(self, plan: Plan) -> bytes:
        """The values of now, as an array of DataValues."""
        values = self._values
        scanned = values.scanned
        now = ua.datetime_to_win_epoch(utc(time.time()))
        parts = [_COUNT.pack(len(plan))]
        if scanned is None:
            parts += [sample(values.read(cell.tag, cell.place))[3] for cell in plan]
        else:
            source, still = ua.datetime_to_win_epoch(scanned), values.view.stale
            parts += [cell.encoded(still, source, now) for cell in plan]
        return b"".join(parts)
