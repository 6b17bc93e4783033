"""Alarms between two looks, or two lives: none is lost, and none is told anew as if it were new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from runtime.alarm import AlarmState
from runtime.alerts.service import Service
from runtime.events import CAPACITY, EventReader
from runtime.places import Places
from runtime.tags import Pump, Station, System
from tests.runtime.alerts.plant import TABLES, Watched, configured, rows

Make = Callable[[], Service]


@pytest.fixture
def begin(tmp_path: Path, places: Places, watched: Watched) -> Iterator[Make]:
    """A life of the process that tells: it looks when it is stepped, and delivers nothing."""
    made: list[Service] = []

    def make() -> Service:
        settings = {"channels": {"hook": {}}, "rules": {"all": {"steps": {"0 s": "hook"}}}}
        configuration = configured(tmp_path, settings)
        made.append(Service(configuration, places, {"hook": SecretStr("json://127.0.0.1:1")}))
        made[-1].step()
        return made[-1]

    yield make
    for service in made:
        if service._outbox is not None:
            service._outbox.close()


def look(service: Service) -> None:
    service._stepped = 0.0  # as if it had been a while
    service.step()


def told(places: Places) -> list[tuple[str, str]]:
    """Kind and title of all messages, in their order."""
    found = rows(places, "select kind, title from message order by number")
    return [(row["kind"], row["title"]) for row in found]


def blink(watched: Watched, slot: int = 0) -> None:
    """An alarm that nobody sees in an image."""
    watched.raise_alarm(Pump.NoFlow, slot, publish=False)
    watched.scan(publish=False)
    watched.utc += 0.04
    watched.clear(Pump.NoFlow, slot)


def test_an_alarm_that_comes_and_goes_between_two_looks_is_told_once(
    places: Places, watched: Watched, begin: Make
) -> None:
    service = begin()
    blink(watched, 2)
    look(service)
    look(service)
    assert told(places) == [("raised", "[P2, over] No flow: South pump 13")]
    (message,) = rows(places, "select text, fields from message")
    assert message["text"].startswith("No flow came and went: it is over, and waits")
    assert ", after less than 1 s" in message["text"]
    assert '"event":"passed"' in message["fields"]


def test_an_alarm_that_comes_and_goes_while_nobody_tells_is_told_afterwards(
    places: Places, watched: Watched, begin: Make
) -> None:
    look(begin())
    blink(watched, 1)
    service = begin()
    look(service)
    look(begin())
    assert [kind for kind, _ in told(places)] == ["raised"]


def test_what_was_before_anybody_was_to_be_told_is_no_news(
    places: Places, watched: Watched, begin: Make
) -> None:
    blink(watched)
    look(begin())
    assert told(places) == []


def test_an_alarm_that_was_seen_is_told_as_ever(
    places: Places, watched: Watched, begin: Make
) -> None:
    service = begin()
    watched.raise_alarm(Pump.NoFlow)
    look(service)
    watched.utc += 5.0
    watched.clear(Pump.NoFlow)
    look(service)
    assert [kind for kind, _ in told(places)] == ["raised", "cleared"]


def test_an_alarm_that_goes_and_comes_and_goes_between_two_looks_is_told_again(
    places: Places, watched: Watched, begin: Make
) -> None:
    service = begin()
    watched.raise_alarm(Pump.NoFlow)
    look(service)
    watched.utc += 5.0
    watched.clear(Pump.NoFlow)
    watched.utc += 5.0
    blink(watched)
    look(service)
    assert [kind for kind, _ in told(places)] == ["raised", "cleared", "raised"]


def test_an_alarm_that_is_unshelved_is_not_told_twice(
    places: Places, watched: Watched, begin: Make
) -> None:
    service = begin()
    watched.raise_alarm(Pump.NoFlow)
    look(service)
    watched.shelve(Pump.NoFlow)
    look(service)
    watched.utc += 60.0
    watched.unshelve(Pump.NoFlow)
    look(service)
    watched.utc += 60.0
    watched.clear(Pump.NoFlow)
    look(service)
    assert [kind for kind, _ in told(places)] == ["raised", "cleared"]


def test_edges_that_are_gone_are_passed_over_and_that_is_said(
    places: Places, watched: Watched, begin: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    look(begin())
    recorder = EventReader(places.events, watched.plant.columns.layout)
    running = watched.plant.columns[Pump.Running]
    for _ in range(CAPACITY // len(running) + 1):
        np.logical_not(running, out=running)
        watched.scan(publish=False)
        recorder.acknowledge(recorder.position + recorder.backlog)
    blink(watched)
    look(begin())
    assert "their edges are gone" in capsys.readouterr().out
    assert [kind for kind, _ in told(places)] == ["raised"]


class ColdStart:
    """All memory but the retained is lost."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        watched.utc += 100.0
        for table in TABLES.values():
            for tag in table.tags():
                if tag.name.endswith("Since"):
                    watched.plant.columns[tag].fill(0.0)
        self.after(1.0)

    def after(self, seconds: float) -> None:
        up = self.watched.plant.columns[System.MemoryAge]
        up[0] = min(up[0] % System.MemoryAge.high + seconds, System.MemoryAge.high)
        self.watched.utc += seconds
        self.watched.scan()


def test_what_was_told_before_a_cold_start_is_not_told_anew(
    places: Places, watched: Watched, begin: Make
) -> None:
    watched.raise_alarm(Pump.NoFlow, 3)
    watched.raise_alarm(Station.Failsafe, 1)
    look(begin())
    start = ColdStart(watched)
    service = begin()
    start.after(20.0)
    watched.set(Pump.tag("NoFlowSince"), 3, watched.utc)  # the condition took its time
    watched.set(Station.tag("FailsafeSince"), 1, watched.utc)
    start.after(1.0)
    look(service)
    start.after(300.0)
    look(service)
    look(begin())
    assert [kind for kind, _ in told(places)] == ["raised"] * 2
    watched.clear(Pump.NoFlow, 3)
    look(service)
    assert [kind for kind, _ in told(places)] == ["raised", "raised", "cleared"]


def test_what_does_not_come_back_after_a_cold_start_is_over(
    places: Places, watched: Watched, begin: Make
) -> None:
    watched.raise_alarm(Pump.NoFlow, 3)
    look(begin())
    start = ColdStart(watched)
    service = begin()
    watched.set(Pump.tag("NoFlowState"), 3, AlarmState.CLEARED)
    start.after(300.0)
    look(service)
    assert [kind for kind, _ in told(places)] == ["raised", "cleared"]


def test_what_comes_after_a_cold_start_is_new(
    places: Places, watched: Watched, begin: Make
) -> None:
    look(begin())
    start = ColdStart(watched)
    service = begin()
    watched.raise_alarm(Pump.NoFlow, 3)
    start.after(1.0)
    look(service)
    assert [kind for kind, _ in told(places)] == ["raised"]


def test_how_far_it_was_followed_is_kept_with_what_was_told(
    places: Places, watched: Watched, begin: Make
) -> None:
    service = begin()
    blink(watched)
    look(service)
    (followed,) = rows(places, "select * from followed")
    with closing(begin()._open()._outbox):
        reader = EventReader(places.events, watched.plant.columns.layout)
        assert followed == {
            "ring": reader.identity,
            "position": reader.position + reader.backlog,
        }
