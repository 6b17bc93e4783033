"""What operators ask of alarms over HTTP, against a real scan."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import pytest

from runtime.places import Places
from runtime.requests import Role
from runtime.servers.rest import models
from runtime.servers.rest.identity import Identities, Known
from runtime.spool import Kind
from runtime.spoolfile import SpoolReader
from runtime.tags import ALARMS, Pump, Station, System
from tests.processes import until
from tests.servers.modbus.station import Plant
from tests.servers.rest.site import Reply, Site

STOPPED: dict[str, object] = {"alarm": "EmergencyStop", "pump": 11}
STATES = {alarm.tag: alarm.state for alarm in ALARMS}


@pytest.fixture
def stopped(plant: Plant, site: Site) -> Plant:
    """Pump 11, of station North, is stopped: an alarm of priority 1, unacknowledged."""
    assert site.stop(scope="pump", pump=11).status == 201
    return plant


def ask(site: Site, wish: str, body: Mapping[str, object] = STOPPED, **more: object) -> Reply:
    return site.post(f"alarms/{wish}", {**body, **more})


def done(reply: Reply) -> models.AlarmDone:
    assert reply.status == 200, reply.body
    return models.AlarmDone.model_validate_json(reply.body)


@pytest.fixture
def engineer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks is an engineer."""
    monkeypatch.setattr(Identities, "of", lambda *_: Known("Ada", Role.ENGINEER))


def test_an_alarm_is_acknowledged_by_the_scan(stopped: Plant, site: Site) -> None:
    told = done(ask(site, "acknowledge", reason="I see it"))
    assert (told.state, told.changed, told.durable) == ("acknowledged active", True, True)
    assert (told.scope, told.station, told.pump) == ("pump", "North", 11)
    assert stopped[STATES[Pump.EmergencyStop]][0] == 2
    (alarm,) = site.api("alarms?priority=1").json["alarms"]
    assert (alarm["alarm"], alarm["state"]) == ("EmergencyStop", "acknowledged active")


def test_acknowledging_again_changes_nothing_and_is_no_error(stopped: Plant, site: Site) -> None:
    done(ask(site, "acknowledge"))
    taken = int(stopped[System.Requests][0])
    again = done(ask(site, "acknowledge"))
    assert (again.state, again.changed, again.id) == ("acknowledged active", False, None)
    assert stopped[System.Requests][0] == taken


def answers(places: Places) -> list[dict[str, Any]]:
    """What is on disk of the scan's answers to wishes about alarms."""
    with contextlib.closing(SpoolReader(places.spool / "rest.db")) as spool:
        found = [record.body for record in spool.batch(100) if record.kind == Kind.ANSWER]
    return [body for body in found if str(body["tag"]).endswith("State")]


def test_who_when_why_and_from_where_are_recorded(
    stopped: Plant, site: Site, places: Places
) -> None:
    told = done(ask(site, "acknowledge", reason="I see it"))
    until(lambda: answers(places))
    (answer,) = answers(places)
    assert str(answer["id"]) == told.id
    assert (answer["tag"], answer["value"]) == ("Pump.EmergencyStopState", 2.0)
    assert (answer["who"], answer["why"]) == ("operator", "I see it")
    assert (answer["where"], answer["result"]) == ("127.0.0.1", "EXECUTED")


def test_an_operator_shelves_and_unshelves(plant: Plant, site: Site) -> None:
    body: dict[str, object] = {"alarm": "Failsafe", "station": "South"}
    told = done(ask(site, "shelve", body, seconds=3600, reason="optimiser is being replaced"))
    assert (told.state, told.scope, told.pump) == ("shelved", "station", None)
    (alarm,) = site.api("alarms?state=shelved").json["alarms"]
    assert (alarm["alarm"], alarm["station"]) == ("Failsafe", "South")
    assert alarm["shelved_until"] > site.api("alarms").json["time"]
    assert plant[Station.ShelvedAlarms].tolist()[1] == 1
    assert done(ask(site, "unshelve", body)).state == "normal"
    assert not done(ask(site, "unshelve", body)).changed


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"seconds": 59, "reason": "noise"}, "body.seconds"),
        ({"seconds": 28_801, "reason": "noise"}, "body.seconds"),
        ({"seconds": 60.5, "reason": "noise"}, "body.seconds"),
        ({"seconds": 60}, "body.reason"),
        ({"seconds": 60, "reason": "  "}, "body.reason"),
        ({"reason": "noise"}, "body.seconds"),
    ],
)
def test_shelving_needs_a_reason_and_a_time(
    stopped: Plant, site: Site, more: dict[str, object], where: str
) -> None:
    reply = ask(site, "shelve", STOPPED | more)
    assert reply.status == 422
    assert reply.problem["errors"][0]["where"] == where


@pytest.mark.parametrize(
    ("wish", "more"),
    [
        ("shelve", {"seconds": 600, "reason": "noise"}),
        ("out-of-service", {"reason": "sensor is broken"}),
    ],
)
def test_what_takes_an_engineer_is_refused_to_an_operator(
    stopped: Plant, site: Site, wish: str, more: dict[str, object]
) -> None:
    reply = ask(site, wish, STOPPED | more)
    assert reply.status == 403
    assert "engineer" in reply.problem["detail"]
    assert stopped[STATES[Pump.EmergencyStop]][0] == 1


@pytest.mark.usefixtures("engineer")
def test_an_engineer_takes_an_alarm_out_of_service_and_back(stopped: Plant, site: Site) -> None:
    assert done(ask(site, "out-of-service", reason="test")).state == "out of service"
    assert not done(ask(site, "out-of-service", reason="test")).changed
    refused = ask(site, "acknowledge")
    assert refused.status == 409
    assert "out of service" in refused.problem["detail"]
    assert done(ask(site, "return")).state == "unacknowledged active"
    assert not done(ask(site, "return")).changed


def test_an_operator_does_not_return_what_an_engineer_took_out(stopped: Plant, site: Site) -> None:
    stopped.hold()
    stopped[STATES[Pump.EmergencyStop]][0] = 8
    stopped.go_on()
    assert done(ask(site, "unshelve")).state == "out of service", "it is not shelved"
    assert ask(site, "return").status == 403


def test_a_latched_alarm_is_acknowledged_then_reset(plant: Plant, site: Site) -> None:
    body: dict[str, object] = {"alarm": "RunsUncommanded", "pump": 11}
    plant.hold()
    plant[STATES[Pump.RunsUncommanded]][0] = 4
    plant.go_on()
    refused = ask(site, "reset", body)
    assert refused.status == 409
    assert "latched unacknowledged" in refused.problem["detail"]
    assert done(ask(site, "acknowledge", body)).state == "latched acknowledged"
    assert done(ask(site, "reset", body)).state == "normal"
    assert not done(ask(site, "reset", body)).changed


def test_a_normal_alarm_needs_no_acknowledgement(plant: Plant, site: Site) -> None:
    told = done(ask(site, "acknowledge", {"alarm": "DatabaseLost"}))
    assert (told.scope, told.state, told.changed) == ("system", "normal", False)


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({"alarm": "Setpoint", "pump": 11}, 404, "body.alarm"),
        ({"alarm": "Failsafe", "pump": 11}, 404, "body.alarm"),
        ({"alarm": "Failsafe", "station": "West"}, 404, "station"),
        ({"alarm": "NoFlow", "pump": 99}, 404, "pump"),
        ({"alarm": "NoFlow", "station": "South", "pump": 11}, 404, "pump"),
        ({"pump": 11}, 422, "body.alarm"),
        ({"alarm": "NoFlow", "pump": 11, "state": 0}, 422, "body.state"),
    ],
)
def test_what_is_named_must_exist(
    plant: Plant, site: Site, body: dict[str, object], status: int, where: str
) -> None:
    reply = site.post("alarms/acknowledge", body)
    assert reply.status == status
    assert reply.problem["errors"][0]["where"] == where


def test_the_alarm_of_a_retired_pump_can_not_be_acknowledged(plant: Plant, site: Site) -> None:
    plant.hold()
    plant[STATES[Pump.Failed]][1] = 1
    plant.go_on()
    assert ask(site, "acknowledge", {"alarm": "Failed", "pump": 12}).status == 409


def test_a_wish_needs_the_token(stopped: Plant, site: Site) -> None:
    reply = site.post("alarms/acknowledge", STOPPED, Authorization="Bearer wrong")
    assert reply.status == 401
    assert stopped[STATES[Pump.EmergencyStop]][0] == 1


def test_all_alarms_of_a_station_are_acknowledged_at_once(stopped: Plant, site: Site) -> None:
    site.stop(scope="station", station="North")
    site.stop(scope="pump", pump=21)
    waiting = site.api("alarms?state=unacknowledged&station=North").json["found"]
    told: Any = site.post("alarms/acknowledge-all", {"station": "North"}).json
    assert told == {"station": "North", "acknowledged": waiting, "left": 0}
    assert site.api("alarms?state=unacknowledged&station=North").json["found"] == 0
    (left,) = site.api("alarms?state=unacknowledged&priority=1").json["alarms"]
    assert left["pump"] == 21
    assert site.post("alarms/acknowledge-all", {"station": "North"}).json["acknowledged"] == 0
    assert site.post("alarms/acknowledge-all", {"station": "West"}).status == 404
