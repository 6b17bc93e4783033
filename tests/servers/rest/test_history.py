"""What is asked of PostgreSQL: history, its absence, and that nothing waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from runtime.places import Places
from runtime.servers.rest import models
from runtime.servers.rest.queries import LIMIT
from tests.conftest import Database
from tests.processes import until
from tests.servers.modbus.station import Plant
from tests.servers.rest.site import Image, Site, nowhere

STOP = """
    INSERT INTO emergency_stop_events (source, sequence, emergency_stop_id, event, scope,
        station_id, pump_id, occurred_at, actor, role, protocol, address, reason, latency_s, scan)
    VALUES ('00000000-0000-0000-0000-000000000001', %s, %s, %s, 'pump', 'North', 11,
        timestamptz '2026-01-01 12:00Z' + %s * interval '1 min',
        'operator', 'OPERATOR', 'REST', '127.0.0.1', %s, 0.081, 5)
"""
VIOLATION = """
    INSERT INTO safety_limit_violations (source, sequence, station_id, pump_id, limit_name,
        limit_value, extreme_value, started_at, ended_at, scan)
    VALUES ('00000000-0000-0000-0000-000000000001', %s, %s, %s, 'level', 0.5, 0.4,
        timestamptz '2026-01-01 12:00Z' + %s * interval '1 min', %s, 5)
"""


@pytest.fixture
def recorded(places: Places, image: Image, database: Database) -> Iterator[Site]:
    """A server of a database in which something has happened."""
    with psycopg.connect(database.runtime) as connection:
        connection.execute(STOP, [1, 77, "set", 0, "smoke"])
        connection.execute(STOP, [2, 77, "cleared", 5, "it was steam"])
        connection.execute(STOP, [3, 78, "set", 9, "drill"])
        connection.execute(VIOLATION, [1, "North", 11, 0, "2026-01-01 12:10Z"])
        connection.execute(VIOLATION, [2, "North", 13, 30, None])
        connection.execute(VIOLATION, [3, "South", 21, 40, "2026-01-01 12:50Z"])
    site = Site(places, lambda: database.runtime)
    try:
        yield site
    finally:
        site.end()


def test_the_history_of_stops_comes_newest_first(recorded: Site) -> None:
    reply = recorded.api("emergency-stops?state=all")
    stops = models.Stops.model_validate_json(reply.body)
    assert stops.history == "available"
    told = [(event.id, event.event, event.reason) for event in stops.events]
    assert told == [
        ("78", "set", "drill"),
        ("77", "cleared", "it was steam"),
        ("77", "set", "smoke"),
    ]
    assert stops.events[0].latency_ms == 81.0


def test_a_stop_of_the_past_has_its_own_history(recorded: Site) -> None:
    stop = models.OneStop.model_validate_json(recorded.api("emergency-stops/77").body)
    assert stop.active is None
    assert [event.event for event in stop.events] == ["cleared", "set"]
    assert recorded.api("emergency-stops/79").status == 404
    assert recorded.api("emergency-stops/seven").status == 404


@pytest.mark.parametrize(
    ("query", "pumps"),
    [
        ("", [21, 13, 11]),
        ("?station=North", [13, 11]),
        ("?pump=21", [21]),
        ("?station=North&pump=13", [13]),
        ("?since=2026-01-01T12:45:00Z", [21, 13]),
        ("?limit=1", [21]),
    ],
)
def test_violations_are_found_by_place_and_time(
    query: str, pumps: list[int], recorded: Site
) -> None:
    reply = recorded.api(f"safety/violations{query}")
    found = models.Violations.model_validate_json(reply.body)
    assert [violation.pump for violation in found.violations] == pumps


@pytest.mark.parametrize(
    ("path", "status", "where"),
    [
        ("safety/violations?pump=one", 422, "query.pump"),
        ("safety/violations?since=yesterday", 422, "query.since"),
        ("safety/violations?since=2026-01-01T00:00:00", 422, "query.since"),
        ("safety/violations?limit=0", 422, "query.limit"),
        ("safety/violations?colour=red", 422, "query.colour"),
        ("safety/violations?pump=99", 404, "pump"),
        ("safety/violations?station=East", 404, "station"),
        ("emergency-stops?state=maybe", 422, "query.state"),
    ],
)
def test_a_question_that_is_not_valid_says_what_is(
    path: str, status: int, where: str, recorded: Site
) -> None:
    refused = recorded.api(path)
    assert refused.status == status
    assert refused.problem["errors"][0]["where"] == where


def test_without_a_database_stops_in_force_are_still_listed(plant: Plant, site: Site) -> None:
    stop = site.stop(scope="system").json["id"]
    reply = site.api("emergency-stops?state=all").json
    assert [active["id"] for active in reply["active"]] == [stop]
    assert (reply["history"], reply["events"]) == ("unavailable", [])
    assert site.api(f"emergency-stops/{stop}").status == 200


def test_without_a_database_violations_say_so(image: Image, site: Site) -> None:
    refused = site.api("safety/violations")
    assert refused.status == 503
    assert "database does not answer" in refused.problem["detail"]
    assert refused.headers["Retry-After"]


def test_a_database_that_comes_later_is_used_at_once(
    places: Places, image: Image, database: Database
) -> None:
    where: list[Any] = [nowhere, lambda: "host=127.0.0.1 port=1", lambda: database.runtime]
    site = Site(places, lambda: str(where[0]()))
    try:
        statuses = []
        while where:
            statuses.append(site.api("safety/violations").status)
            del where[0]
    finally:
        site.end()
    assert statuses == [503, 503, 200]


def test_a_slow_database_holds_up_neither_a_stop_nor_more_than_its_share(
    places: Places, plant: Plant, database: Database
) -> None:
    site = Site(places, lambda: database.runtime)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    try:
        with (
            psycopg.connect(database.owner) as blocker,
            psycopg.connect(database.owner, autocommit=True) as watcher,
            ThreadPoolExecutor(LIMIT) as pool,
        ):
            blocker.execute("LOCK TABLE safety_limit_violations IN ACCESS EXCLUSIVE MODE")
            slow = [pool.submit(site.api, "safety/violations") for _ in range(LIMIT)]
            until(lambda: watcher.execute(waiting).fetchone() == (LIMIT,))
            refused = site.api("safety/violations")
            stopped = site.stop(scope="system")
            assert not any(query.done() for query in slow)
            blocker.rollback()
            statuses = {query.result().status for query in slow}
        assert (refused.status, stopped.status, statuses) == (503, 201, {200})
        assert "at a time" in refused.problem["detail"]
        assert site.api("safety/violations").status == 200
    finally:
        site.end()
