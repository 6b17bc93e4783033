"""Emergency stops over HTTP, against a real scan."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from runtime.places import Places
from runtime.servers.rest import models
from runtime.spool import Kind
from runtime.spoolfile import SpoolReader
from runtime.tags import Pump, Request, Station, System
from tests.processes import until
from tests.servers.modbus.station import Plant
from tests.servers.rest.site import Image, Site

PUMP = {"scope": "pump", "station": "North", "pump": 11}
STATION = {"scope": "station", "station": "South"}
SYSTEM = {"scope": "system"}
PLACES = [PUMP, STATION, SYSTEM]
TABLES: dict[str, Any] = {"pump": Pump, "station": Station, "system": System}
SLOTS = {"pump": 0, "station": 1, "system": 0}


@pytest.mark.parametrize("order", PLACES, ids=lambda order: order["scope"])
def test_a_stop_is_latched_and_answered_with_the_scan_that_did_it(
    order: dict[str, object], plant: Plant, site: Site
) -> None:
    reply = site.stop(**order)
    assert reply.status == 201
    done = models.Done.model_validate_json(reply.body)
    table, slot = TABLES[done.scope], SLOTS[done.scope]
    assert plant[table.EmergencyStop][slot]
    assert plant[table.EmergencyStopId][slot] == int(done.id)
    (row,) = (plant[Request.Id] == int(done.id)).nonzero()[0]
    assert plant[Request.TakenAt][row] == done.scan
    assert done.latency_ms > 0
    assert done.durable
    assert reply.headers["Location"] == f"/api/v1/emergency-stops/{done.id}"
    assert site.get(reply.headers["Location"]).json["active"]["id"] == done.id


@pytest.mark.parametrize("order", PLACES, ids=lambda order: order["scope"])
def test_a_stop_in_force_is_listed_and_ends_when_it_is_cleared(
    order: dict[str, object], plant: Plant, site: Site
) -> None:
    stop = site.stop(**order).json["id"]
    (active,) = site.api("emergency-stops").json["active"]
    assert active["id"] == stop
    assert {name: active[name] for name in order} == order
    assert active["since"]
    cleared = site.clear(stop)
    assert cleared.status == 200
    assert models.Done.model_validate_json(cleared.body).id == stop
    assert site.api("emergency-stops").json["active"] == []
    assert not plant[TABLES[str(order["scope"])].EmergencyStop].any()


def test_a_pump_may_be_named_without_its_station(plant: Plant, site: Site) -> None:
    assert site.stop(scope="pump", pump=21).json["station"] == "South"


def test_a_missing_reason_holds_up_no_stop(plant: Plant, site: Site) -> None:
    assert site.post("emergency-stops", PUMP).status == 201


def test_stopping_again_names_the_stop_in_force(plant: Plant, site: Site) -> None:
    first = site.stop(**PUMP)
    again = site.stop(**PUMP)
    assert again.status == 200
    assert again.json["id"] == first.json["id"]
    assert again.json["scan"] > first.json["scan"]
    assert again.headers["Location"] == first.headers["Location"]


def test_stops_of_pump_station_and_system_are_separate(plant: Plant, site: Site) -> None:
    stops = [site.stop(**order).json["id"] for order in (PUMP, STATION, SYSTEM)]
    site.clear(stops[2])
    listed = {stop["id"] for stop in site.api("emergency-stops").json["active"]}
    assert listed == set(stops[:2])


def test_many_stops_at_a_time_are_all_answered(plant: Plant, site: Site) -> None:
    orders = [{"scope": "pump", "pump": pump} for pump in (11, 13, 21)] * 8
    with ThreadPoolExecutor(len(orders)) as pool:
        replies = list(pool.map(lambda order: site.stop(**order), orders))
    assert sorted(reply.status for reply in replies) == [200] * 21 + [201] * 3
    assert len({reply.json["id"] for reply in replies}) == 3


def test_clearing_what_is_not_in_force_names_what_is(plant: Plant, site: Site) -> None:
    stop = site.stop(**PUMP).json["id"]
    refused = site.clear("77")
    assert refused.status == 404
    assert refused.problem["errors"][0]["allowed"] == stop


def test_clearing_is_refused_while_the_pump_that_it_stops_runs_on(plant: Plant, site: Site) -> None:
    plant[Pump.EmergencyAction][0] = Pump.EmergencyAction.number("stop")
    plant[Pump.MeasuredRunning][0] = True
    until(lambda: plant[Pump.Running][0])
    stop = site.stop(**PUMP).json["id"]
    refused = site.clear(stop)
    assert refused.status == 409
    assert "is still reported running" in refused.problem["detail"]
    assert plant[Pump.EmergencyStop][0]
    plant[Pump.MeasuredRunning][0] = False
    until(lambda: not plant[Pump.Running][0])
    assert site.clear(stop).status == 200


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \t "}, {"reason": None}])
def test_clearing_needs_a_reason(body: object, plant: Plant, site: Site) -> None:
    stop = site.stop(**PUMP).json["id"]
    refused = site.post(f"emergency-stops/{stop}/clear", body)
    assert refused.status == 422
    assert refused.problem["errors"][0]["where"] == "body.reason"
    assert plant[Pump.EmergencyStop][0]


def test_who_why_and_where_are_in_the_spool_under_the_id(
    places: Places, plant: Plant, site: Site
) -> None:
    done = site.post("emergency-stops", {**PUMP, "reason": " smoke "})
    stop = done.json["id"]
    spool = SpoolReader(places.spool / "rest.db")
    try:
        (record,) = [found.body for found in spool.batch(10) if found.kind == Kind.REQUEST]
    finally:
        spool.close()
    assert record["id"] == int(stop)
    assert (record["who"], record["why"], record["where"]) == ("operator", "smoke", "127.0.0.1")
    assert record["source"] == "REST"
    assert record["trace"] == done.headers["X-Correlation-Id"]


def test_a_retired_pump_is_refused_by_the_scan(plant: Plant, site: Site) -> None:
    refused = site.stop(scope="pump", pump=12)
    assert refused.status == 409
    assert "not in use" in refused.problem["detail"]


def test_nothing_is_said_to_be_done_while_the_scan_stands_still(plant: Plant, site: Site) -> None:
    plant.hold()
    refused = site.stop(**PUMP)
    assert refused.status == 503
    assert "will not be executed later" in refused.problem["detail"]
    plant.go_on()
    assert site.stop(**STATION).status == 201  # the scan has taken both by now
    assert not plant[Pump.EmergencyStop].any()


def test_a_stop_goes_before_requests_that_only_look(plant: Plant, site: Site) -> None:
    tasks = site._listener._tasks
    tasks.set_thread_count(0)
    with ThreadPoolExecutor(7) as pool:
        looks = [pool.submit(site.api, "stations") for _ in range(6)]
        while len(tasks.queue) < 6:
            pass
        stop = pool.submit(site.stop, **PUMP)
        while len(tasks.queue) < 7:
            pass
        first = tasks.queue[0].requests[0].command
        tasks.set_thread_count(8)
        assert stop.result().status == 201
        assert {look.result().status for look in looks} == {200}
    assert first == "POST"


ORDERS: list[tuple[object, str]] = [
    ({}, "body.scope"),
    ({"scope": "plant"}, "body.scope"),
    ({"scope": "pump"}, "body"),
    ({"scope": "pump", "station": "North"}, "body"),
    ({"scope": "station"}, "body"),
    ({"scope": "station", "station": "North", "pump": 11}, "body"),
    ({"scope": "system", "station": "North"}, "body"),
    ({"scope": "pump", "pump": "11"}, "body.pump"),
    ({"scope": "pump", "pump": 11.5}, "body.pump"),
    ({"scope": "pump", "pump": True}, "body.pump"),
    ({"scope": "pump", "pump": -1}, "body.pump"),
    ({"scope": "pump", "pump": 2**70}, "body.pump"),
    ({"scope": "station", "station": 5}, "body.station"),
    ({"scope": "system", "reason": 5}, "body.reason"),
    ({"scope": "system", "reason": "x" * 501}, "body.reason"),
    ({"scope": "system", "reason": "a\x00b"}, "body.reason"),
    ({"scope": "system", "force": True}, "body.force"),
    ([SYSTEM], "body"),
    ("system", "body"),
]


@pytest.mark.parametrize(("order", "where"), ORDERS, ids=repr)
def test_an_order_that_is_not_valid_stops_nothing(
    order: object, where: str, plant: Plant, site: Site
) -> None:
    refused = site.post("emergency-stops", order)
    assert refused.status == 422
    errors = refused.problem["errors"]
    assert errors[0]["where"] == where
    assert all(error[word] for error in errors for word in ("what", "found", "allowed"))
    assert plant.asked == []


@pytest.mark.parametrize(
    "body", [b'{"scope": "pump", "pump": NaN}', b"{", b"\xff", b'{"scope": Infinity}']
)
def test_what_is_no_json_is_refused(body: bytes, plant: Plant, site: Site) -> None:
    refused = site.post("emergency-stops", body)
    assert refused.status == 400
    assert refused.problem["errors"][0]["what"] == "not JSON"


@pytest.mark.parametrize(
    ("order", "allowed"),
    [
        ({"scope": "pump", "pump": 99}, "11, 12, 13, 21"),
        ({"scope": "pump", "station": "South", "pump": 11}, "21"),
        ({"scope": "station", "station": "East"}, "North, South"),
    ],
)
def test_an_order_for_what_does_not_exist_names_what_does(
    order: dict[str, object], allowed: str, image: Image, site: Site
) -> None:
    refused = site.stop(**order)
    assert refused.status == 404
    assert refused.problem["errors"][0]["allowed"] == allowed


def test_curl_stops_and_clears(plant: Plant, site: Site) -> None:
    def curl(path: str, body: str) -> Any:
        command = ["curl", "-s", "-X", "POST", f"http://127.0.0.1:{site.port}/api/v1/{path}"]
        command += ["-H", f"Authorization: Bearer {site.token}"]
        command += ["-H", "Content-Type: application/json", "-d", body]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    stop = curl("emergency-stops", '{"scope": "station", "station": "North", "reason": "smoke"}')
    assert plant[Station.EmergencyStop][0]
    cleared = curl(f"emergency-stops/{stop['id']}/clear", '{"reason": "it was steam"}')
    assert cleared["scan"] > stop["scan"]
    assert not plant[Station.EmergencyStop][0]
