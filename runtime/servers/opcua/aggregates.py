"""Aggregates (Part 13): what the values of an interval make, and how far that can be trusted.

    Average                    mean of the good values stored in it
    Minimum, Maximum, Count    of the good values stored in it
    TimeAverage, TimeAverage2  each value weighted by how long it held, beginning with what held
                               when the interval began: values are steps, not slopes

The time is that of the interval's beginning. Good and calculated, if all in it was; Uncertain
(sub-normal) if some of it was not good; BadNoData if there was nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import cast

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.database.historian import Interval, Sample
from runtime.servers.opcua.values import NULL
from runtime.tag import Quality

CALCULATED, PARTIAL = 0x0401, 0x0404  # bits of a status: computed; of a part of an interval
WHOLE = 1 - 1e-6  # of the time of an interval: less than this was not recorded


class Aggregate(Enum):
    """What is computed."""

    AVERAGE = auto()
    MINIMUM = auto()
    MAXIMUM = auto()
    COUNT = auto()
    TIME_AVERAGE = auto()


def _function(name: str) -> ua.NodeId:
    return ua.NodeId(ua.Int32(getattr(ObjectIds, f"AggregateFunction_{name}")))


AGGREGATES = {
    _function("Average"): Aggregate.AVERAGE,
    _function("Minimum"): Aggregate.MINIMUM,
    _function("Maximum"): Aggregate.MAXIMUM,
    _function("Count"): Aggregate.COUNT,
    _function("TimeAverage"): Aggregate.TIME_AVERAGE,
    _function("TimeAverage2"): Aggregate.TIME_AVERAGE,
}


@dataclass(frozen=True)
class Rules:
    """What counts: qualities from `least` on, and a value for at most `held` s."""

    least: Quality
    held: float

    @classmethod
    def of(cls, wanted: ua.AggregateConfiguration, held: float) -> Rules:
        strict = wanted.UseServerCapabilitiesDefaults or wanted.TreatUncertainAsBad
        return cls(Quality.GOOD if strict else Quality.UNCERTAIN, held)


def computed(
    aggregate: Aggregate,
    found: Sequence[Interval],
    before: Sample | None,
    span: tuple[float, float, float],
    rules: Rules,
) -> list[ua.DataValue]:
    """The values of all intervals of a span: from, to, and the length of each, in s."""
    start, end, step = span
    by_place = {interval.place: interval for interval in found}
    values = []
    for place, (interval, carried) in enumerate(_carried(by_place, before, span, rules)):
        low = start + place * step
        high = min(low + step, end)
        if aggregate is Aggregate.TIME_AVERAGE:
            value, whole = _time_average(interval, carried, low, high, rules)
        else:
            value, whole = _of_stored(aggregate, interval)
        partial = PARTIAL if high < low + step * WHOLE else 0
        values.append(_told(value, whole, partial, low))
    return values


def _carried(
    found: dict[int, Interval],
    before: Sample | None,
    span: tuple[float, float, float],
    rules: Rules,
) -> Iterator[tuple[Interval | None, tuple[float, float] | None]]:
    """Each interval, if it has values, with the value and time of what held when it began."""
    start, end, step = span
    counts = before is not None and before.quality >= rules.least and math.isfinite(before.value)
    held = (before.value, before.at) if before is not None and counts else None
    for place in range(math.ceil((end - start) / step - 1e-9)):
        interval = found.get(place)
        yield interval, held
        if interval is not None:
            held = (interval.held, interval.last_at) if interval.held is not None else None


def _time_average(
    interval: Interval | None,
    carried: tuple[float, float] | None,
    low: float,
    high: float,
    rules: Rules,
) -> tuple[float | None, bool]:
    """The average, and whether a good value held all the time."""
    area, lasted = (interval.area, interval.lasted) if interval else (0.0, 0.0)
    if carried is not None:
        value, since = carried
        until = min(interval.first_at if interval else high, since + rules.held)
        area += value * max(0.0, until - low)
        lasted += max(0.0, until - low)
    return (area / lasted if lasted > 0 else None), lasted >= (high - low) * WHOLE


def _of_stored(aggregate: Aggregate, interval: Interval | None) -> tuple[float | None, bool]:
    """The aggregate of what was stored in an interval, and whether all of that counted."""
    count, good = (interval.count, interval.good) if interval else (0, 0)
    whole = good == count
    if aggregate is Aggregate.COUNT:
        return good, whole
    if interval is None or not good:
        return None, whole
    match aggregate:
        case Aggregate.MINIMUM:
            return interval.low, whole
        case Aggregate.MAXIMUM:
            return interval.high, whole
    return (interval.sum or 0.0) / good, whole


def _told(value: float | int | None, whole: bool, partial: int, at: float) -> ua.DataValue:
    when = cast(ua.DateTime, datetime.fromtimestamp(at, UTC))
    if value is None:
        nothing = StatusCodes.BadNoData if whole else StatusCodes.Bad
        return ua.DataValue(NULL, ua.StatusCode(ua.UInt32(nothing)), SourceTimestamp=when)
    kind = ua.VariantType.Int32 if isinstance(value, int) else ua.VariantType.Double
    status = StatusCodes.Good if whole else StatusCodes.UncertainDataSubNormal
    code = ua.StatusCode(ua.UInt32(status | CALCULATED | partial))
    return ua.DataValue(ua.Variant(value, kind), code, SourceTimestamp=when)
