"""Stations and pumps over HTTP: what the image says, how good it is, and how old."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any

import numpy as np
import pytest

from runtime.equipment import Equipment
from runtime.places import Places
from runtime.servers.rest import models
from runtime.tag import Quality
from runtime.tags import Pump, Station, System, shown
from tests.servers.modbus.station import PLANT
from tests.servers.rest.site import Image, Site

PATHS: dict[str, type[models.Mirrored]] = {
    "stations": models.Stations,
    "stations/North": models.StationReply,
    "stations/North/pumps/11": models.PumpReply,
    "safety": models.Safety,
    "alarms": models.Alarms,
    "emergency-stops": models.Stops,
}


def pump(site: Site, number: int = 11, station: str = "North") -> Any:
    return site.api(f"stations/{station}/pumps/{number}").json


def test_a_pump_shows_every_shown_tag_with_value_unit_and_quality(image: Image, site: Site) -> None:
    image[Pump.Setpoint][0] = 42.5
    image.publish()
    tags = pump(site)["tags"]
    assert list(tags) == [tag.name for tag in shown(Pump)]
    assert tags["Setpoint"] == {"value": 42.5, "unit": "Hz", "quality": "Good"}
    for tag in shown(Pump):
        assert tags[tag.name]["unit"] == tag.unit.symbol


def test_enumerations_show_words_and_bit_masks_lists_of_words(image: Image, site: Site) -> None:
    image[Pump.Authority][0] = 3
    image[Pump.Limited][0] = 0b101
    image[Pump.Mode][0] = 1
    image.publish()
    tags = pump(site)["tags"]
    assert tags["Authority"]["value"] == "Failsafe"
    assert tags["Limited"]["value"] == ["speed", "level"]
    assert tags["Mode"]["value"] == "Manual"


def test_a_number_too_long_for_javascript_shows_as_text(image: Image, site: Site) -> None:
    image[Pump.EmergencyStopId][0] = 2**62 + 1
    image.publish()
    assert pump(site)["tags"]["EmergencyStopId"]["value"] == str(2**62 + 1)


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_shows_as_null(image: Image, site: Site, nonsense: float) -> None:
    image[Pump.Level][0] = nonsense
    image.publish()
    assert pump(site)["tags"]["Level"] == {"value": None, "unit": "m", "quality": "Bad"}


def test_a_measured_value_has_the_quality_of_its_companion(image: Image, site: Site) -> None:
    image[Pump.SpeedQuality][0] = Quality.UNCERTAIN
    image[Station.LevelQuality][0] = Quality.GOOD
    image.publish()
    assert pump(site)["tags"]["Speed"]["quality"] == "Uncertain"
    assert site.api("stations/North").json["tags"]["Level"]["quality"] == "Good"


def test_a_retired_pump_is_listed_with_bad_values(image: Image, site: Site) -> None:
    retired = pump(site, 12)
    assert not retired["active"]
    assert {tag["quality"] for tag in retired["tags"].values()} == {"Bad"}


def test_a_station_lists_its_pumps_and_the_overview_all_stations(image: Image, site: Site) -> None:
    north = site.api("stations/North").json
    assert [found["pump"] for found in north["pumps"]] == [11, 12, 13]
    stations = site.api("stations").json["stations"]
    assert [found["station"] for found in stations] == ["North", "South"]
    assert [found["pump"] for found in stations[1]["pumps"]] == [21]


def test_every_reply_tells_the_scan_that_it_shows(image: Image, site: Site) -> None:
    image.publish()
    for path in PATHS:
        reply = site.api(path).json
        assert reply["scan"] == 2
        assert reply["time"] == "2023-11-14T22:13:20.250000Z"
        assert reply["live"]
        assert reply["age_s"] >= 0


@pytest.mark.parametrize("path", PATHS)
def test_replies_are_as_the_document_says(path: str, image: Image, site: Site) -> None:
    image[Pump.EmergencyStop][0] = True
    image[Pump.EmergencyStopId][0] = 77
    image[Pump.Stopped][0] = True
    image[Station.Failsafe][1] = True
    image.publish()
    PATHS[path].model_validate_json(site.api(path).body)


def test_when_the_scan_stands_still_all_is_bad_and_not_live(image: Image, site: Site) -> None:
    assert pump(site)["tags"]["Setpoint"]["quality"] == "Good"
    image.stand_still()
    reply = pump(site)
    assert not reply["live"]
    assert reply["age_s"] > 4
    assert {tag["quality"] for tag in reply["tags"].values()} == {"Bad"}
    system = site.api("stations").json["system"]["tags"]
    assert system["Live"]["value"] is False


@pytest.mark.parametrize("path", ["stations", "stations/North", "safety", "alarms"])
def test_an_unchanged_image_is_not_sent_again(path: str, image: Image, site: Site) -> None:
    tag = site.api(path).headers["Etag"]
    again = site.api(path, If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")
    image.publish()
    assert site.api(path, If_None_Match=tag).status == 200


def test_an_image_that_stops_being_live_is_sent_again(image: Image, site: Site) -> None:
    image[System.Period][0] = 0.01
    image.publish()
    tag = site.api("stations").headers["Etag"]
    image._writer._words[3] -= 5_000_000_000
    assert site.api("stations", If_None_Match=tag).json["live"] is False


def test_a_long_reply_is_compressed_for_who_can_read_it(image: Image, site: Site) -> None:
    plain = site.api("stations/North")
    packed = site.api("stations/North", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 5
    assert json.loads(gzip.decompress(packed.body))["pumps"] == plain.json["pumps"]


def test_new_equipment_is_shown_as_soon_as_the_image_names_it(
    places: Places, image: Image, site: Site
) -> None:
    assert site.api("stations").json["stations"][0]["name"] == "North well"
    Equipment(PLANT.version + 1, PLANT.stations[1:], PLANT.pumps[3:]).save(places.equipment)
    image[System.PlantVersion][0] += 1
    image.publish()
    assert [found["station"] for found in site.api("stations").json["stations"]] == ["South"]
    assert site.api("stations/North").status == 404


@pytest.mark.parametrize(
    ("path", "found", "allowed"),
    [
        ("stations/East", "'East'", "North, South"),
        ("stations/East/pumps/11", "'East'", "North, South"),
        ("stations/North/pumps/21", "'21'", "11, 12, 13"),
        ("stations/North/pumps/first", "'first'", "11, 12, 13"),
    ],
)
def test_what_does_not_exist_is_told_with_what_does(
    path: str, found: str, allowed: str, image: Image, site: Site
) -> None:
    reply = site.api(path)
    assert reply.status == 404
    (error,) = reply.problem["errors"]
    assert (error["found"], error["allowed"]) == (found, allowed)


@pytest.mark.parametrize("path", PATHS)
def test_without_an_image_there_is_a_clear_answer(path: str, places: Places) -> None:
    PLANT.save(places.equipment)
    site = Site(places)
    try:
        reply = site.api(path)
        assert reply.status == 503
        assert "has not published" in reply.problem["detail"]
        assert reply.headers["Retry-After"] == "1"
    finally:
        site.end()


def test_a_server_that_was_first_finds_the_image_later(places: Places, site: Site) -> None:
    assert site.api("stations").status == 503
    Image(places).publish()
    assert site.api("stations").status == 200


def test_a_thousand_values_of_a_column_keep_their_rows(image: Image, site: Site) -> None:
    image[Pump.Setpoint][:] = np.arange(len(image[Pump.Setpoint])) + 20
    image.publish()
    shown_ = {
        found["pump"]: found["tags"]["Setpoint"]["value"]
        for station in ("North", "South")
        for found in site.api(f"stations/{station}").json["pumps"]
    }
    assert shown_ == {entry.pump_id: entry.slot + 20 for entry in PLANT.pumps}
