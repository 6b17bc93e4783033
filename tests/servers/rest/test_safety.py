"""The state of what protects."""

from __future__ import annotations

from runtime.tags import Pump, Station
from tests.servers.rest.site import Image, Site


def test_safety_names_what_acts_and_on_which_pump(image: Image, site: Site) -> None:
    image[Station.Failsafe][1] = True
    image[Station.PlanAge][1] = 1300.0
    image[Pump.Limited][3] = 0b100
    image[Pump.Stopped][4] = True
    image[Station.EmergencyStop][1] = True
    image.publish()
    safety = site.api("safety").json
    counts = {"emergency_stops": 1, "failsafe_stations": 1, "limited_pumps": 1}
    assert {name: safety[name] for name in counts} == counts
    north, south = safety["stations"]
    assert south["tags"]["Failsafe"]["value"] is True
    assert south["tags"]["PlanAge"] == {"value": 1300.0, "unit": "s", "quality": "Good"}
    assert south["tags"]["EmergencyStop"]["value"] is True
    assert [pump["pump"] for pump in south["pumps"]] == [21]
    (limited,) = north["pumps"]
    assert limited["pump"] == 13
    assert limited["tags"]["Limited"]["value"] == ["level"]
