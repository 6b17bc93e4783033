"""The audit log and the story of a request over HTTP: what the commands tell, to those who may."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import psycopg
import pytest

from runtime.database import audit_entries
from runtime.places import Places
from runtime.servers.rest.audit import AuditPage, Story
from runtime.tags import Pump
from tests.conftest import Database
from tests.runtime.database.audit_logs import entry
from tests.runtime.database.spools import Spool
from tests.servers.rest.site import Image, Reply, Site
from tests.servers.state import refusals

STOP = {"action": "set emergency stop", "actor": "anna", "object": "North/11/EmergencyStop"}
TRACED = {"details": '{"value": 1.0, "trace": "shift-7"}', "correlation": "77"}


@pytest.fixture
def audited(places: Places, image: Image, database: Database) -> Iterator[Site]:
    """A server of a database with 20 entries, of which 7 and 8 are of a stop."""
    entries = [entry(number) for number in range(1, 21)]
    entries[6] |= STOP | TRACED | {"result": "asked", "at": 1.8e9}
    entries[7] |= STOP | TRACED | {"reason": "=1+1", "at": 1.8e9 + 86_400}
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        audit_entries.append(connection, "test", entries)
    site = Site(places, lambda: database.runtime)
    try:
        yield site
    finally:
        site.end()


def asked(site: Site, path: str, **headers: str) -> Reply:
    """Read as somebody with the token."""
    return site.api(path, Authorization=f"Bearer {site.token}", **headers)


def test_entries_are_found_by_period_user_kind_and_outcome(audited: Site) -> None:
    """One server for all questions: a database takes longer than they do."""
    for query, numbers in [
        ("user=ANNA", [8, 7]),
        ("action=Emergency", [8, 7]),
        ("object=north/11/emer", [8, 7]),
        ("result=asked", [7]),
        ("text=grund%20%C3%BC%202", [2]),
        ("correlation=12", [12]),
        ("correlation=shift-7", [8, 7]),
        ("since=2027-01-15T08:00:00Z&until=2027-01-16T08:00:00Z", [7]),
        ("since=2027-01-16T00:00:00%2B01:00", [8]),
        ("until=2023-11-14T22:13:22Z", [1]),
        ("limit=2", [20, 19]),
    ]:
        page = AuditPage.model_validate_json(asked(audited, f"audit?{query}").body)
        assert [found.number for found in page.entries] == numbers, query
    (told,) = AuditPage.model_validate_json(asked(audited, "audit?result=asked").body).entries
    assert (told.user, told.object, told.details["trace"]) == ("anna", STOP["object"], "shift-7")
    assert len(told.hash) == 64


def test_pages_follow_one_another_though_the_log_grows(audited: Site, database: Database) -> None:
    first = asked(audited, "audit?user=anna&limit=1")
    page = AuditPage.model_validate_json(first.body)
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        audit_entries.append(connection, "test", [entry(21, **STOP)])
    assert ([found.number for found in page.entries], page.next) == ([8], 8)
    link = first.headers["Link"]
    path = link[link.index("<") + 1 : link.index(">")]
    second = AuditPage.model_validate_json(asked(audited, path.removeprefix("/api/v1/")).body)
    assert ([found.number for found in second.entries], second.next) == ([7], None)


def test_spreadsheets_get_csv_that_executes_nothing(audited: Site) -> None:
    by_name = asked(audited, "audit?user=anna&format=csv")
    by_header = asked(audited, "audit?user=anna", Accept="text/csv")
    assert by_name.headers["Content-Type"].startswith("text/csv")
    assert by_name.body == by_header.body
    rows = list(csv.DictReader(io.StringIO(by_name.body.decode())))
    assert (rows[0]["number"], rows[0]["reason"]) == ("8", "'=1+1")


def test_who_has_the_page_gets_304_until_it_changes(audited: Site, database: Database) -> None:
    tag = asked(audited, "audit").headers["Etag"]
    again = asked(audited, "audit", If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")
    with psycopg.connect(database.runtime, autocommit=True) as connection:
        audit_entries.append(connection, "test", [entry(21)])
    assert asked(audited, "audit", If_None_Match=tag).status == 200


def test_a_question_that_makes_no_sense_says_why(audited: Site) -> None:
    for query, where in [
        ("colour=red", "query.colour"),
        ("limit=0", "query.limit"),
        ("before=x", "query.before"),
        ("format=pdf", "query.format"),
        ("user=a%00", "query.user"),
        ("since=2026-01-01T00:00:00", "query.since"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "query"),
    ]:
        refused = asked(audited, f"audit?{query}")
        assert (refused.status, refused.problem["errors"][0]["where"]) == (422, where), query


def test_the_story_of_a_request_is_what_the_command_tells(
    audited: Site, places: Places, image: Image
) -> None:
    reply = asked(audited, "trace/shift-7")
    story = Story.model_validate_json(reply.body)
    assert (story.ids, story.history) == (["77", "shift-7"], "available")
    assert [step.found_in for step in story.steps] == ["audit_log", "audit_log"]
    assert story.steps[0].words.startswith("asked by anna (operator), rest 10.0.0.7: set emergency")
    assert asked(audited, "trace/shift-7", If_None_Match=reply.headers["Etag"]).status == 304
    for nobody_s in ("nobody", "%00", "a%27b"):
        unknown = asked(audited, f"trace/{nobody_s}")
        assert (unknown.status, unknown.problem["errors"][0]["what"]) == (404, "unknown id")


def test_without_a_database_the_spools_tell_and_the_log_says_what_to_do(
    places: Places, image: Image, site: Site
) -> None:
    spool = Spool(places, "modbus")
    spool.request(77, Pump.EmergencyStop, 4, 1.0, result="EXECUTED", scan=5)
    story = Story.model_validate_json(asked(site, "trace/77").body)
    spool.close()
    assert (story.history, len(story.steps)) == ("unavailable", 2)
    refused = asked(site, "trace/78")
    assert (refused.status, "database is away" in refused.problem["detail"]) == (503, True)
    refused = asked(site, "audit")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "2")
    assert "calejo audit search" in refused.problem["detail"]


@pytest.mark.parametrize("path", ["audit", "trace/77"])
def test_who_may_not_read_the_log_is_refused_and_recorded_in_it(
    places: Places, image: Image, site: Site, path: str
) -> None:
    for headers in ({}, {"Authorization": "Bearer secret1"}):
        refused = site.api(path, **headers)
        assert refused.status == 401
        assert refused.headers["Www-Authenticate"].startswith("Bearer ")
    assert "entries" not in refused.json
    found = refusals(places.spool / "rest.db", 2)
    assert [(record["who"], record["action"]) for record in found] == [
        ("unknown", f"GET /api/v1/{path}")
    ] * 2
