"""`calejo alerts` and what `calejo check` says of the channels."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.channels import variable
from runtime.places import Places
from tests.calejo import Calejo
from tests.runtime.alerts.plant import alerts_process, configured, rows
from tests.runtime.alerts.receivers import http

SECRET = "/t0p-secret"


@pytest.fixture
def calejo(tmp_path: Path) -> Iterator[Calejo]:
    command = Calejo(tmp_path / "state")
    command.environment["CALEJO_CONFIG"] = str(tmp_path / "scan.yaml")
    configured(tmp_path, {"channels": {"hook": {}, "other": {}}})
    yield command
    command.clean_up()


def test_a_test_message_goes_to_each_channel_and_into_the_history(calejo: Calejo) -> None:
    with http() as hook, http(500) as other:
        calejo.environment[variable("hook")] = hook.url(path=SECRET)
        calejo.environment[variable("other")] = other.url(path=SECRET)
        done = calejo("alerts", "test")
        assert hook.next().json["event"] == "test"
    told = done.stdout.splitlines()
    assert done.returncode == 1
    assert told[0].startswith("hook: delivered in ")
    assert told[1].startswith("other: NOT delivered: ")
    assert "500" in told[1]
    shown = calejo("alerts", "history", "--attempts")
    assert [line.split()[4:6] for line in shown.stdout.splitlines() if "[test]" in line] == [
        ["other", "withdrawn"],
        ["hook", "delivered"],
    ]
    assert "failed" in shown.stdout
    assert "t0p-secret" not in shown.stdout + done.stdout + done.stderr
    assert rows(calejo.places, "select state from message where channel = 'hook'") == [
        {"state": "delivered"}
    ]


def test_one_channel_is_tested_alone_and_an_unknown_one_is_refused(calejo: Calejo) -> None:
    with http() as hook:
        calejo.environment[variable("hook")] = hook.url()
        calejo.environment[variable("other")] = hook.url()
        done = calejo("alerts", "test", "hook")
        assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    unknown = calejo("alerts", "test", "hok")
    assert unknown.stderr == "calejo: found channel 'hok', allowed hook, other\n"


def test_a_history_without_messages_says_so(calejo: Calejo) -> None:
    assert calejo("alerts", "history").stdout.startswith("there are no messages yet in ")


def test_check_names_channels_and_ways_and_no_secret(calejo: Calejo) -> None:
    calejo.environment[variable("hook")] = f"json://user:pa55word@host{SECRET}"
    calejo.environment[variable("other")] = "nosuch://t0p-secret"
    done = calejo("check")
    assert done.returncode == 0
    assert "  alerts    hook (json), other (nosuch)\n" in done.stdout
    assert "  warning   channel other: its URL is none that Apprise knows\n" in done.stdout
    assert "t0p-secret" not in done.stdout
    assert "pa55word" not in done.stdout


def test_check_warns_of_a_channel_without_a_url_and_run_refuses_it(calejo: Calejo) -> None:
    calejo.environment[variable("hook")] = "json://host"
    missing = f"{variable('other')}: found nothing, allowed an Apprise URL"
    assert f"  warning   {missing}" in calejo("check").stdout
    done = calejo("run")
    assert done.returncode == 1
    assert done.stderr.startswith(missing)


def test_a_running_process_delivers_the_test_with_its_own_urls(
    tmp_path: Path, calejo: Calejo
) -> None:
    """The command knows no URL: whether a runtime runs is told by the lock of its state."""
    places: Places = calejo.places
    places.prepare()
    configured(tmp_path, {"channels": {"hook": {}}})
    with (
        http() as hook,
        alerts_process(tmp_path, places, hook=hook.url()),
        places.lock.open("ab") as lock,
    ):
        fcntl.lockf(lock, fcntl.LOCK_EX)
        done = calejo("alerts", "test")
        assert done.stdout.startswith("hook: delivered in ")
        assert hook.next().json["event"] == "test"
