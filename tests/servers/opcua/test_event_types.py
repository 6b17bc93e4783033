"""What a filter of events lets through: the types that are meant, and texts that are alike."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.sync import Client

from runtime.alarm import AlarmState
from runtime.tags import Pump
from tests.servers.opcua.image import Image
from tests.servers.opcua.listening import element, field, listening, literal, number
from tests.servers.opcua.test_conditions import paint


def of_type(name: str) -> ua.ContentFilterElement:
    return element(ua.FilterOperator.OfType, literal(number(name), ua.VariantType.NodeId))


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        ("BaseEventType", True),
        ("ConditionType", True),
        ("AlarmConditionType", True),
        ("RefreshStartEventType", False),
        ("SystemEventType", False),
    ],
)
def test_a_filter_by_type_lets_its_subtypes_through_and_nothing_else(
    viewer: Client, image: Image, kind: str, heard: bool
) -> None:
    with listening(viewer, where=[of_type(kind)]) as (some, _), listening(viewer) as (all_, _):
        paint(image, Pump.NotFollowing, 0, AlarmState.UNACKNOWLEDGED, image.utc)
        all_.of("North/11", "NotFollowing")
        if heard:
            some.of("North/11", "NotFollowing")
        else:
            assert some.nothing()
        paint(image, Pump.NotFollowing, 0, AlarmState.NORMAL)


def test_a_filter_by_a_pattern_compares_texts(viewer: Client, image: Image) -> None:
    def named(pattern: str) -> ua.ContentFilterElement:
        return element(
            ua.FilterOperator.Like, field("ConditionName"), literal(pattern, ua.VariantType.String)
        )

    with listening(viewer, where=[named("Not%")]) as (heard, _):
        paint(image, Pump.NoFlow, 0, AlarmState.UNACKNOWLEDGED, image.utc)
        paint(image, Pump.NotFollowing, 0, AlarmState.UNACKNOWLEDGED, image.utc)
        assert heard.next()["ConditionName"] == "NotFollowing"
        for alarm in (Pump.NoFlow, Pump.NotFollowing):
            paint(image, alarm, 0, AlarmState.NORMAL)
