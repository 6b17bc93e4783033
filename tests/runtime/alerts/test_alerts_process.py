"""The process itself: killed at random moments, without channels, with receivers that hang."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.places import Places
from runtime.processes import UNUSABLE
from runtime.progress import State, look
from runtime.tags import Pump, Station
from tests.processes import is_alive, until
from tests.runtime.alerts.plant import (
    Watched,
    alerts_process,
    configured,
    rows,
)
from tests.runtime.alerts.receivers import http
from tests.runtime.by_hand import a_place

KILLS = 8


@pytest.fixture
def places() -> Iterator[Places]:
    """The real places of a state directory, for a process that finds them by itself."""
    with a_place() as own:
        places = Places(own.root)
        places.prepare()
        try:
            yield places
        finally:
            for file in places.shared.iterdir():
                file.unlink()
            places.shared.rmdir()


def test_every_alarm_is_delivered_though_the_process_is_killed_again_and_again(
    tmp_path: Path, places: Places
) -> None:
    """Kills come at random moments, so the number of repeats is left to chance; keys are not."""
    watched = Watched(places)
    draw = random.Random(20261123)
    alarms = [
        (tag, slot) for tag in (Pump.NoFlow, Pump.Failed, Pump.NotFollowing) for slot in range(6)
    ]
    settings = {"channels": {"hook": {}}, "flood": {"begins": 1000}}
    configured(tmp_path, settings)
    with http() as hook:
        for number in range(KILLS):
            with alerts_process(tmp_path, places, hook=hook.url()) as process:
                for _ in range(2):
                    watched.raise_alarm(*alarms.pop())
                seen = len(hook.seen)
                until(lambda seen=seen: len(hook.seen) > seen, 60.0)  # type: ignore[misc]
                if number % 2:  # in the midst of the next one, as near as chance brings it
                    watched.raise_alarm(Station.EmergencyStop, number % 3)
                    signal.sigtimedwait([], draw.random() * 0.2)
                process.kill()
        with alerts_process(tmp_path, places, hook=hook.url()):
            wanted = until(lambda: _all_delivered(places, 2 * KILLS + 3), 60.0)
        assert wanted <= set(hook.keys())
        repeats = len(hook.keys()) - len(set(hook.keys()))
        assert repeats <= KILLS


def _all_delivered(places: Places, count: int) -> set[str]:
    """The keys of the messages, once there are so many and all are delivered."""
    found = rows(places, "select key, state from message")
    done = len(found) >= count and all(row["state"] == "delivered" for row in found)
    return {row["key"] for row in found} if done else set()


def test_a_courier_does_not_outlive_the_process(tmp_path: Path, places: Places) -> None:
    watched = Watched(places)
    configured(tmp_path, {"channels": {"hook": {"timeout": "60 s"}}})
    with http(0) as hook, alerts_process(tmp_path, places, hook=hook.url() + "?rto=60") as process:
        watched.raise_alarm(Station.Failsafe)
        children = until(lambda: _children(process.pid), 60.0)
        process.kill()
        until(lambda: not any(map(is_alive, children)))


def _children(parent: int) -> list[int]:
    """Its couriers, as soon as they are that."""
    listed = Path(f"/proc/{parent}/task").glob("*/children")
    pids = [int(pid) for path in listed for pid in path.read_text().split()]
    return [pid for pid in pids if b"courier" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_without_channels_it_says_so_and_needs_nothing(tmp_path: Path, places: Places) -> None:
    configured(tmp_path, {})
    with alerts_process(tmp_path, places) as process:
        path = places.progress("alerts")
        until(lambda: (health := look(path)) and health.state is State.GOOD)
        health = look(path)
        assert health is not None
        assert health.text.startswith("no channels: alarms are brought to nobody")
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        assert "numpy" not in maps
        assert not places.outbox.exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60.0) == 0


def test_a_channel_without_a_url_is_for_an_operator_to_mend(tmp_path: Path, places: Places) -> None:
    configured(tmp_path, {"channels": {"hook": {}}})
    with alerts_process(tmp_path, places) as process:
        assert process.wait(60.0) == UNUSABLE
    health = look(places.progress("alerts"))
    assert health is not None
    assert "CALEJO_ALERTS_CHANNELS_HOOK_URL: found nothing" in health.text


def test_no_secret_is_in_a_command_line_or_environment_of_a_courier(
    tmp_path: Path, places: Places
) -> None:
    watched = Watched(places)
    configured(tmp_path, {"channels": {"hook": {"timeout": "60 s"}}})
    with http(0) as hook:
        url = hook.url(path="/t0p-secret?rto=60")
        with alerts_process(tmp_path, places, hook=url) as process:
            watched.raise_alarm(Station.Failsafe)
            (courier,) = until(lambda: _children(process.pid), 60.0)
            for part in ("cmdline", "environ"):
                assert b"t0p-secret" not in Path(f"/proc/{courier}/{part}").read_bytes()


def test_it_ends_in_time_while_a_receiver_hangs(tmp_path: Path, places: Places) -> None:
    watched = Watched(places)
    configured(tmp_path, {"channels": {"hook": {"timeout": "60 s"}}})
    with http(0) as hook, alerts_process(tmp_path, places, hook=hook.url() + "?rto=60") as process:
        watched.raise_alarm(Station.Failsafe)
        until(lambda: _children(process.pid), 60.0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60.0) == 0
    (message,) = rows(places, "select * from message")
    assert message["state"] == "pending"
