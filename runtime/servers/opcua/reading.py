"""Reads of tags' values, prepared: SCADA asks for the same values again and again.

What a request asks for is looked up when it first comes; the next time the same octets lead there
at once, and the answer is put together as octets. Whatever is not the value of a tag of a place
that is there (other attributes, parts of arrays, unknown nodes) is read by the session as usual.
"""

from __future__ import annotations

import math
import struct
import time
from typing import TypeAlias

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import struct_from_binary

from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.attributes import INDEX
from runtime.servers.opcua.limits import MOST_READ
from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.sample import BAD, SERVER, SOURCE, STATUS, VALUE, sample
from runtime.servers.opcua.values import NO_VALUE, OWN, VARIANTS, Values, utc
from runtime.tag import Tag

Plan: TypeAlias = list[tuple[Tag, Place]]

MOST_PLANS = 1_000  # requests that are remembered
LARGEST_PLANS = 8 * 1024 * 1024  # octets of them
_ALL = VALUE | STATUS | SOURCE | SERVER
_CODES = {"?": "?", "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "i8": "q", "f8": "d"}
_FORMS = {dtype: struct.Struct(f"<BB{code}Iqq") for dtype, code in _CODES.items()}
_NULL = struct.Struct("<BBIqq")
_COUNT = struct.Struct("<i")


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
            plan.append((node.member.tag, node.place))
        return plan

    def results(self, plan: Plan) -> bytes:
        """The values of now, as an array of DataValues."""
        scanned = self._values.scanned
        source = ua.datetime_to_win_epoch(scanned) if scanned else None
        now = ua.datetime_to_win_epoch(utc(time.time()))
        parts = [_COUNT.pack(len(plan))]
        for tag, place in plan:
            if tag in OWN or source is None:
                parts.append(sample(self._values.read(tag, place))[3])
            else:
                parts.append(self._value(tag, place, source, now))
        return b"".join(parts)

    def _value(self, tag: Tag, place: Place, source: int, now: int) -> bytes:
        status = self._values.status(tag, place).value
        if not status & BAD:
            value = self._values.view.columns[tag].item(place.slot)
            if tag.dtype != "f8" or math.isfinite(value):
                kind = VARIANTS[tag.dtype].value
                return _FORMS[tag.dtype].pack(_ALL, kind, value, status, source, now)
            status = NO_VALUE.value
        return _NULL.pack(_ALL, 0, status, source, now)
