"""Samples: made a column at a time, and changed without being decoded."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary

from runtime.places import Places
from runtime.servers.opcua.column import Column
from runtime.servers.opcua.plant import Place, Plant
from runtime.servers.opcua.sample import OVERFLOW, TIME, overflown, sample, timed
from runtime.servers.opcua.values import OWN, Values
from runtime.servers.view import View
from runtime.tag import Quality, Tag
from runtime.tags import SHOWN, Pump, Station, shown
from tests.processes import until
from tests.servers.modbus.station import PLANT
from tests.servers.opcua.image import CAPACITY, Image

TIMES = [ua.TimestampsToReturn(number) for number in range(4)]
NOW = ua.DateTime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
NUMBER = ua.Variant(1.5, ua.VariantType.Double)


def _places(plant: Plant) -> dict[str, list[Place]]:
    """All that have tags, and a type, by table."""
    found = [place for place in plant if place.table] + list(plant.types.values())
    return {t.__name__: [place for place in found if place.table is t] for t in SHOWN}


@pytest.mark.parametrize("state", ["unseen", "seen", "still"])
def test_the_values_of_a_column_are_what_each_is_alone(
    painted_places: Places, image: Image, state: str
) -> None:
    dice = np.random.default_rng(5)
    with image.change():
        for table in (Station, Pump):
            for tag in shown(table):
                if tag.dtype == "f8":
                    image[tag][:] = dice.choice([-1.5, 0.0, 7.25, np.nan, np.inf], len(image[tag]))
                if tag.quality is not None:
                    quality = image[table.tag(tag.quality)]
                    quality[:] = dice.choice([*Quality], len(quality))
        image[Station.Level][0], image[Station.LevelQuality][0] = 3.5, Quality.GOOD
    if state == "still":
        image.hold()
    plant, view = Plant(), View(painted_places, CAPACITY)
    plant.update(PLANT)
    values = Values(view)
    if state != "unseen":
        until(lambda: view.refresh() and view.columns[Station.Level][0] == 3.5)
    if state == "still":
        until(lambda: view.stale)
    places = _places(plant)
    for tag in [tag for table in SHOWN for tag in shown(table) if tag not in OWN]:
        _compare(values, tag, places[tag.table])


def _compare(values: Values, tag: Tag, places: list[Place]) -> None:
    found = Column(values, tag, places).samples(np.arange(len(places)))
    alone = [sample(values.read(tag, place)) for place in places]
    for one, other in zip(found, alone, strict=True):
        assert one[:3] == other[:3], tag
        assert one[3][:-TIME] == other[3][:-TIME], tag  # all but the time of reading


@pytest.mark.parametrize("status", [None, 0, 0x4000_0000, 0x8000_0000])
@pytest.mark.parametrize("source", [None, NOW])
def test_a_value_that_followed_lost_ones_says_so(
    status: int | None, source: ua.DateTime | None
) -> None:
    code = None if status is None else ua.StatusCode(ua.UInt32(status))
    whole = ua.DataValue(NUMBER, code, source, NOW)
    lost = _decoded(overflown(struct_to_binary(whole)))
    assert lost.StatusCode is not None
    assert lost.StatusCode.value == (status or 0) | OVERFLOW
    assert (lost.Value, lost.SourceTimestamp) == (whole.Value, whole.SourceTimestamp)
    assert lost.ServerTimestamp == whole.ServerTimestamp


@pytest.mark.parametrize("wanted", TIMES)
@pytest.mark.parametrize("source", [None, NOW])
@pytest.mark.parametrize("server", [None, NOW])
def test_a_value_has_the_times_that_are_wanted_and_there(
    wanted: ua.TimestampsToReturn, source: ua.DateTime | None, server: ua.DateTime | None
) -> None:
    whole = ua.DataValue(NUMBER, ua.StatusCode(), source, server)
    left = _decoded(timed(struct_to_binary(whole), wanted))
    both = wanted == ua.TimestampsToReturn.Both
    assert left.Value == whole.Value
    assert left.SourceTimestamp == (source if both or wanted == TIMES[0] else None)
    assert left.ServerTimestamp == (server if both or wanted == TIMES[1] else None)


def _decoded(encoded: bytes) -> ua.DataValue:
    body = Buffer(encoded)
    found: ua.DataValue = struct_from_binary(ua.DataValue, body)
    assert not len(body)
    return found
