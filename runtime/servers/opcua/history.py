"""The service HistoryRead, and the history of values: what was stored of a tag, and what that makes
per interval (Parts 11 and 13).

Read from PostgreSQL, bounded in every way; while that is away, BadNoCommunication says so. Values
are stored when they changed by their deadband, so a reader asks for bounds to know what held when
his period began.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import structlog
from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.ua.status_codes import StatusCodes

from runtime.database.historian import Away, Busy, Historian, Sample, Series
from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.aggregates import AGGREGATES, Rules, computed
from runtime.servers.opcua.event_history import EventHistories
from runtime.servers.opcua.history_period import (
    NEVER,
    PROCESSED,
    RAW,
    HistoryFault,
    Point,
    period_of,
    resumed,
    seconds,
    utc,
)
from runtime.servers.opcua.plant import Plant
from runtime.servers.opcua.values import NO_VALUE, NULL, STATUS, VARIANTS
from runtime.tag import Quality, Tag

MOST_VALUES = 10_000  # of one node in one answer
MOST_NODES = 100  # of one HistoryRead
MOST_INTERVALS = 1_000  # of one node in one answer

logger = structlog.get_logger()


class Histories:
    """The service HistoryRead."""

    def __init__(
        self, aspace: Standard, plant: Plant, historian: Historian, silence: float
    ) -> None:
        self._aspace = aspace
        self._historian = historian
        self._events = EventHistories(aspace, plant, historian)
        self._held = 1.1 * silence  # s that a value holds at most: it is stored again before

    async def read(self, params: ua.HistoryReadParameters) -> list[ua.HistoryReadResult]:
        """The results, node by node."""
        nodes = params.NodesToRead or []
        if not nodes:
            raise ServiceError(StatusCodes.BadNothingToDo)
        if len(nodes) > MOST_NODES:
            raise ServiceError(StatusCodes.BadTooManyOperations)
        if params.ReleaseContinuationPoints:
            return [ua.HistoryReadResult() for _ in nodes]
        details: Any = params.HistoryReadDetails
        if not isinstance(details, ua.ReadEventDetails) and params.TimestampsToReturn not in (
            ua.TimestampsToReturn.Source,
            ua.TimestampsToReturn.Both,
        ):
            raise ServiceError(StatusCodes.BadTimestampsToReturnInvalid)
        if isinstance(details, ua.ReadProcessedDetails) and len(details.AggregateType or []) != len(
            nodes
        ):
            raise ServiceError(StatusCodes.BadAggregateListMismatch)
        return [await self._result(details, node, place) for place, node in enumerate(nodes)]

    async def _result(
        self, details: object, wanted: ua.HistoryReadValueId, place: int
    ) -> ua.HistoryReadResult:
        try:
            found, point = await self._found(details, wanted, place)
        except HistoryFault as fault:
            return _refusal(fault.status)
        except Busy:
            return _refusal(StatusCodes.BadResourceUnavailable)
        except Away as error:
            logger.warning("history unavailable", reason=str(error))
            return _refusal(StatusCodes.BadNoCommunication)
        some = found.Events if isinstance(found, ua.HistoryEvent) else found.DataValues
        status = StatusCodes.Good if some or point else StatusCodes.GoodNoData
        return ua.HistoryReadResult(
            ua.StatusCode(ua.UInt32(status)),
            cast(ua.ContinuationPoint, point),
            cast(ua.ExtensionObject, found),
        )

    async def _found(
        self, details: object, wanted: ua.HistoryReadValueId, place: int
    ) -> tuple[ua.HistoryData | ua.HistoryEvent, bytes | None]:
        """What is answered of a node, and where to go on. Raises HistoryFault, Busy, Away."""
        if type(details) is ua.ReadEventDetails:  # not those that sort, or tell what was changed
            return await self._events.read(details, wanted)
        tag, series = self._series(wanted.NodeId)
        match details:
            case ua.ReadRawModifiedDetails(IsReadModified=False):
                values, point = await self._raw(details, wanted, tag, series)
            case ua.ReadProcessedDetails():
                values, point = await self._processed(details, wanted, series, place)
            case _:
                raise HistoryFault(StatusCodes.BadHistoryOperationUnsupported)
        return ua.HistoryData(values), point

    def _series(self, nodeid: ua.NodeId) -> tuple[Tag, Series]:
        node = self._aspace.get(nodeid)
        if node is None:
            raise HistoryFault(StatusCodes.BadNodeIdUnknown)
        tag = node.member.tag if isinstance(node, PlantNode) and node.member else None
        if not isinstance(node, PlantNode) or tag is None or not tag.stored:
            raise HistoryFault(StatusCodes.BadHistoryOperationUnsupported)
        return tag, Series(repr(tag), node.place.slot)

    async def _raw(
        self,
        details: ua.ReadRawModifiedDetails,
        wanted: ua.HistoryReadValueId,
        tag: Tag,
        series: Series,
    ) -> tuple[list[ua.DataValue], bytes | None]:
        period = period_of(details)
        goes_on = wanted.ContinuationPoint is not None
        if goes_on:
            point = resumed(wanted.ContinuationPoint, RAW)
            period = replace(period, start=point.at, left=point.left)
        bounds = bool(details.ReturnBounds)
        values: list[ua.DataValue] = []
        if bounds and not goes_on:
            values.append(await self._bound(tag, series, period.start, period.backwards))
        most = min(period.left or MOST_VALUES, MOST_VALUES)
        found = await self._historian.raw(
            series, period.low, period.high, period.backwards, most + 1
        )
        if bounds and found and values and found[0].at == period.start:
            values.pop()  # the bound itself is one of them
        values += [_value(tag, sample) for sample in found[:most]]
        if len(found) > most:
            left = period.left - most if period.left else 0
            wants_more = not period.left or left > 0
            return values, Point(found[most].at, left=left).encode(RAW) if wants_more else None
        if bounds:
            values.append(await self._bound(tag, series, period.end, not period.backwards))
        return values, None

    async def _bound(self, tag: Tag, series: Series, at: float, later: bool) -> ua.DataValue:
        """The value at a limit of the period, or the nearest one outside."""
        find = self._historian.after if later else self._historian.before
        sample = await find(series, at)
        if sample is not None:
            return _value(tag, sample)
        none = ua.StatusCode(ua.UInt32(StatusCodes.BadBoundNotFound))
        return ua.DataValue(NULL, none, SourceTimestamp=utc(at))

    async def _processed(
        self,
        details: ua.ReadProcessedDetails,
        wanted: ua.HistoryReadValueId,
        series: Series,
        place: int,
    ) -> tuple[list[ua.DataValue], bytes | None]:
        aggregate = AGGREGATES.get(details.AggregateType[place])
        if aggregate is None:
            raise HistoryFault(StatusCodes.BadAggregateNotSupported)
        start, end = seconds(details.StartTime), seconds(details.EndTime)
        if start <= NEVER or end <= NEVER or start >= end:
            raise HistoryFault(StatusCodes.BadInvalidArgument)
        step = float(details.ProcessingInterval) / 1e3
        if not math.isfinite(step) or step < 0:
            raise HistoryFault(StatusCodes.BadAggregateInvalidInputs)
        step = step or end - start
        if wanted.ContinuationPoint is not None:
            start = resumed(wanted.ContinuationPoint, PROCESSED).at
        high = min(end, start + MOST_INTERVALS * step)
        rules = Rules.of(details.AggregateConfiguration, self._held)
        found = await self._historian.intervals(series, start, high, step, rules.least, self._held)
        before = await self._historian.before(series, math.nextafter(start, 0.0))
        values = computed(aggregate, found, before, (start, high, step), rules)
        return values, Point(high).encode(PROCESSED) if high < end else None


def _value(tag: Tag, sample: Sample) -> ua.DataValue:
    quality = Quality(sample.quality)
    status, variant = STATUS[quality], NULL
    if quality is not Quality.BAD:
        if math.isfinite(sample.value):
            kind = VARIANTS[tag.dtype]
            value = sample.value if tag.is_float else int(sample.value)
            variant = ua.Variant(bool(value) if tag.is_bool else value, kind)
        else:
            status = NO_VALUE
    return ua.DataValue(variant, status, SourceTimestamp=utc(sample.at))


def _refusal(status: int) -> ua.HistoryReadResult:
    return ua.HistoryReadResult(ua.StatusCode(ua.UInt32(status)))
