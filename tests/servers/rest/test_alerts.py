"""The history of alerts over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from runtime.places import Places
from runtime.servers.rest.alerts import Alerts
from tests.conftest import Database
from tests.servers.rest.site import Image, Site

ALERT = """
    INSERT INTO alerts (alert_key, source, sequence, alarm_key, kind, channel, tag, station_id,
        pump_id, priority, title, message, raised_at, created_at, state, attempts)
    VALUES (%s, 's', %s, 'alarm', 'raised', %s, 'Pump.NoFlow', %s, %s, 2, 'title', 'message',
        timestamptz '2026-01-01 12:00Z', timestamptz '2026-01-01 12:00Z' + %s * interval '1 min',
        %s, 2)
"""
ATTEMPT = """
    INSERT INTO alert_attempts VALUES ('s', %s, 'k1', %s, '2026-01-01 12:01Z', 0.5, %s, %s)
"""


@pytest.fixture
def told(places: Places, image: Image, database: Database) -> Iterator[Site]:
    """A server of a database in which people were told of alarms."""
    with psycopg.connect(database.runtime) as connection:
        connection.execute(ALERT, ["k1", 1, "duty", "North", 11, 0, "delivered"])
        connection.execute(ALERT, ["k2", 2, "boss", "North", 13, 15, "pending"])
        connection.execute(ALERT, ["k3", 3, "duty", "South", 21, 30, "expired"])
        connection.execute(ATTEMPT, [5, 2, "delivered", None])
        connection.execute(ATTEMPT, [4, 1, "failed", "refused"])
    site = Site(places, lambda: database.runtime)
    try:
        yield site
    finally:
        site.end()


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["k3", "k2", "k1"]),
        ("?station=North", ["k2", "k1"]),
        ("?pump=21", ["k3"]),
        ("?channel=duty", ["k3", "k1"]),
        ("?state=pending", ["k2"]),
        ("?since=2026-01-01T12:10:00Z&limit=1", ["k3"]),
    ],
)
def test_alerts_are_found_by_place_channel_state_and_time(
    told: Site, query: str, keys: list[str]
) -> None:
    found = Alerts.model_validate_json(told.api(f"alerts{query}").body)
    assert [alert.key for alert in found.alerts] == keys


def test_every_attempt_is_told_in_order(told: Site) -> None:
    found = Alerts.model_validate_json(told.api("alerts?pump=11").body).alerts[0]
    tried = [(attempt.number, attempt.outcome, attempt.error) for attempt in found.attempts]
    assert tried == [(1, "failed", "refused"), (2, "delivered", None)]


@pytest.mark.parametrize(
    ("query", "status"),
    [("?state=lost", 422), ("?since=yesterday", 422), ("?limit=0", 422), ("?pump=99", 404)],
)
def test_what_can_not_be_asked_is_refused(told: Site, query: str, status: int) -> None:
    assert told.api(f"alerts{query}").status == status


def test_without_a_database_it_says_where_else_to_look(image: Image, site: Site) -> None:
    refused = site.api("alerts")
    assert refused.status == 503
    assert "calejo alerts history" in refused.json["detail"]
