"""Messages delivered to real servers on this machine: those that work, and those that do not."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from runtime.places import Places
from runtime.progress import State
from runtime.tags import Pump, Station, System
from tests.calejo import free_ports
from tests.processes import until
from tests.runtime.alerts.plant import Watched, attempts, rows, serving, stepped
from tests.runtime.alerts.receivers import http

ONE: dict[str, Any] = {"channels": {"hook": {}}}
SMS: dict[str, Any] = {"channels": {"sms": {}}}


pytestmark = pytest.mark.usefixtures("soon")


def test_a_webhook_gets_fields_and_a_key_by_which_it_knows_repeats(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    with (
        http() as hook,
        serving(tmp_path, places, ONE, hook=hook.url()) as alerts,
    ):
        watched.set(Station.Level, 1, 1.25)
        watched.raise_alarm(Pump.LevelTrip, 3)
        alerts.step()
        request = hook.next()
        told = request.json
        assert request.headers["Idempotency-Key"] == told["key"]
        assert f"Message {told['key']}: one with this number again" in told["message"]
        assert (told["station"], told["pump"], told["alarm"]) == ("South", 14, "LevelTrip")
        assert told["value"] == "Level 1.25 m"
        assert told["event"] == "raised"


@pytest.mark.parametrize("way", ["form", "xml"])
def test_forms_and_xml_carry_the_key_too(
    tmp_path: Path, places: Places, watched: Watched, way: str
) -> None:
    with http() as hook, serving(tmp_path, places, ONE, hook=hook.url(way)) as alerts:
        watched.raise_alarm(System.EmergencyStop)
        alerts.step()
        request = hook.next()
        assert request.headers["Idempotency-Key"].encode() in request.body


def test_a_receiver_that_fails_first_gets_it_again_with_the_same_key(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    with (
        http(500, 503, 301) as hook,
        serving(tmp_path, places, ONE, hook=hook.url()) as alerts,
    ):
        watched.raise_alarm(System.EmergencyStop)
        alerts.step()
        taken = hook.next()
        until(lambda: len(attempts(places)) == 4)
        assert [outcome for outcome, _ in attempts(places)] == [*["failed"] * 3, "delivered"]
        assert "500" in str(attempts(places)[0][1])
        (message,) = rows(places, "select * from message")
        assert (message["state"], message["key"]) == ("delivered", taken.json["key"])


def test_a_receiver_that_was_away_gets_it_when_it_is_back(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    (port,) = free_ports(1)
    url = f"json://127.0.0.1:{port}"
    with serving(tmp_path, places, ONE, hook=url) as alerts:
        watched.raise_alarm(System.EmergencyStop)
        stepped(alerts, lambda: rows(places, "select * from attempt"))
        stepped(alerts, lambda: alerts.health[0] is State.DEGRADED)
        assert "hook: " in alerts.health[1]
        with http(port=port) as hook:
            hook.next()
            stepped(alerts, lambda: alerts.health[0] is State.GOOD)


def test_a_receiver_that_hangs_holds_up_no_other_channel(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    settings = {"channels": {"stuck": {"timeout": "60 s"}, "hook": {}}}
    with ExitStack() as stack:
        stuck, hook = stack.enter_context(http(*[0] * 9)), stack.enter_context(http())
        alerts = stack.enter_context(
            serving(tmp_path, places, settings, stuck=stuck.url() + "?rto=60", hook=hook.url())
        )
        for slot in range(3):
            watched.raise_alarm(Pump.NoFlow, slot)
            alerts.step()
            assert hook.next().json["pump"] == 11 + slot
        assert not stuck.seen
        stack.callback(stuck.closing.set)


def test_an_attempt_without_an_answer_ends_in_time_and_is_repeated(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    settings = {"channels": {"hook": {"timeout": "1 s"}}}
    url = "?rto=60"  # Apprise itself would wait longer
    with http(0) as hook, serving(tmp_path, places, settings, hook=hook.url() + url) as alerts:
        watched.raise_alarm(System.EmergencyStop)
        alerts.step()
        hook.next(60.0)
        until(lambda: len(attempts(places)) == 2)
        assert attempts(places)[0][0] == "failed"


def test_a_url_that_apprise_does_not_know_is_told(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    url = "nosuchway://t0p-secret@host"
    with serving(tmp_path, places, {"channels": {"odd": {}}}, odd=url) as alerts:
        watched.raise_alarm(System.EmergencyStop)
        stepped(alerts, lambda: attempts(places))
        assert attempts(places)[0] == (
            "failed",
            "the URL of this channel is none that Apprise knows",
        )


def test_a_broken_outbox_is_set_aside_and_what_stands_is_told_with_the_same_key(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    with http() as hook:
        with serving(tmp_path, places, ONE, hook=hook.url()) as alerts:
            watched.raise_alarm(System.EmergencyStop)
            alerts.step()
            first = hook.next().json["key"]
        for file in places.spool.glob("alerts.db*"):
            file.unlink()
        places.outbox.write_bytes(b"no database at all" * 1000)
        with serving(tmp_path, places, ONE, hook=hook.url()) as alerts:
            stepped(alerts, lambda: not hook.taken.empty())
            assert hook.next().json["key"] == first
    assert [file.name for file in places.spool.glob("alerts.db.broken-*")]


def test_a_heartbeat_comes_while_the_scan_runs(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    settings = {"channels": {"dog": {}}, "heartbeat": {"channel": "dog"}}
    with http() as dog, serving(tmp_path, places, settings, dog=dog.url()) as alerts:
        alerts.step()
        assert dog.next().json["event"] == "heartbeat"
        watched.raise_alarm(System.EmergencyStop)
        alerts.step()
        assert rows(places, "select * from message") == []  # it is for nothing else


def test_a_scan_that_stands_still_is_an_alarm(
    tmp_path: Path, places: Places, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"channels": {"hook": {}}, "heartbeat": {"channel": "hook"}}
    rule = {"rules": {"all": {"steps": "hook"}}}
    with http() as hook, serving(tmp_path, places, settings | rule, hook=hook.url()) as alerts:
        watched.set(System.Period, 0, 0.01)
        watched.set(System.TimeUtc, 0, watched.utc)
        watched.plant.scan()
        monkeypatch.setattr("runtime.alerts.occurrences.PATIENCE", 0.2)
        stepped(alerts, lambda: rows(places, "select * from message"))
        told = [hook.next().json]
        while told[-1]["event"] == "heartbeat":
            told.append(hook.next().json)
        assert (told[-1]["priority"], told[-1]["what"]) == (1, "The scan stands still.")
        watched.set(System.Period, 0, 60.0)
        watched.plant.scan()
        stepped(alerts, lambda: rows(places, "select * from message where kind = 'cleared'"))
