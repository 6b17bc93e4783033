"""What a value says of itself: status, times, and nothing where there is nothing."""

from __future__ import annotations

import math
import time

import pytest
from asyncua.sync import Client

from runtime.tag import Quality
from runtime.tags import Pump, Station, System
from tests.processes import until
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import number, read, status


def test_a_good_value_has_the_time_of_its_scan(viewer: Client, image: Image) -> None:
    with image.change():
        image[Pump.Setpoint][0] = 42.5
    until(lambda: number(read(viewer, "North/11/Setpoint")) == 42.5)
    value = read(viewer, "North/11/Setpoint")
    assert status(value) == "Good"
    assert value.SourceTimestamp == image.scanned
    assert value.ServerTimestamp is not None
    assert abs(value.ServerTimestamp.timestamp() - time.time()) < 60


@pytest.mark.parametrize(
    ("quality", "name", "shown"),
    [
        (Quality.GOOD, "Good", 1.25),
        (Quality.UNCERTAIN, "Uncertain", 1.25),
        (Quality.BAD, "Bad", None),
    ],
)
def test_the_status_is_the_quality_of_the_tag(
    viewer: Client, image: Image, quality: Quality, name: str, shown: float | None
) -> None:
    with image.change():
        image[Station.Level][1] = 1.25
        image[Station.LevelQuality][1] = quality
    until(lambda: status(read(viewer, "South/Level")) == name)
    assert number(read(viewer, "South/Level")) == shown
    assert number(read(viewer, "South/LevelQuality")) == quality


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_value(viewer: Client, image: Image, nothing: float) -> None:
    with image.change():
        image[Pump.TargetSpeed][0] = nothing
    until(lambda: status(read(viewer, "North/11/TargetSpeed")) == "BadNoValue")
    assert number(read(viewer, "North/11/TargetSpeed")) is None


def test_a_retired_pump_is_out_of_service(viewer: Client, image: Image) -> None:
    with image.change():
        image[Pump.Setpoint][:2] = 30.0
    until(lambda: number(read(viewer, "North/11/Setpoint")) == 30.0)
    value = read(viewer, "North/12/Setpoint")
    assert status(value) == "BadOutOfService"
    assert number(value) is None


def test_nothing_is_good_while_the_scan_stands_still_but_what_says_so(
    viewer: Client, image: Image
) -> None:
    paths = ["System/Scan", "North/PlanAge", "North/11/Setpoint"]
    assert [status(read(viewer, path)) for path in paths] == ["Good"] * 3
    image.hold()
    until(lambda: status(read(viewer, "System/Scan")) == "BadNoCommunication")
    for path in paths:
        value = read(viewer, path)
        assert status(value) == "BadNoCommunication"
        assert number(value) is None
        assert value.SourceTimestamp == image.scanned
    live, age = read(viewer, "System/Live"), read(viewer, "System/ImageAge")
    assert (status(live), number(live)) == ("Good", False)
    assert status(age) == "Good"
    assert (number(age) or 0.0) > 1.0
    assert live.SourceTimestamp != image.scanned
    level = viewer.get_node("i=2267")  # ServiceLevel
    until(lambda: level.read_value() == 1)  # no data
    image.go_on()
    until(lambda: status(read(viewer, "System/Scan")) == "Good")
    until(lambda: level.read_value() == 255)


def test_types_are_those_of_the_tags(viewer: Client, image: Image) -> None:
    with image.change():
        image[System.Requests][0] = 2**63
        image[Pump.Limited][0] = 2**31
        image[Pump.Running][0] = True
        image[Pump.RunningQuality][0] = Quality.GOOD
        image[Pump.Authority][0] = 4
    until(lambda: number(read(viewer, "System/Requests")) == 2**63)
    found = {
        path: read(viewer, path).Value
        for path in (
            "System/Requests",
            "North/11/Limited",
            "North/11/Running",
            "North/11/Authority",
        )
    }
    assert {path: (v.VariantType.name, v.Value) for path, v in found.items() if v is not None} == {
        "System/Requests": ("UInt64", 2**63),
        "North/11/Limited": ("UInt32", 2**31),
        "North/11/Running": ("Boolean", True),
        "North/11/Authority": ("Byte", 4),
    }
