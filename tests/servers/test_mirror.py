"""What a server sees of the runtime, and how long it waits for the answer to what it asks."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.equipment import Equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.region import Writer
from runtime.requests import Mailbox, Result, Role, Source
from runtime.servers import mirror
from runtime.servers.mirror import Answer, Asker, Mirror, View
from runtime.tag import Tag
from runtime.tags import Request, System
from tests.processes import until

CAPACITY = Capacity(stations=1, pumps=1)
ASKER = Asker(Source.REST, Role.OPERATOR, "test", "because", "here")


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    places = Places(tmp_path)
    places.prepare()
    yield places
    shutil.rmtree(places.shared)


@contextmanager
def asked(mirror: Mirror, tag: Tag) -> Iterator[list[Answer]]:
    """Something is asked meanwhile; at the end the answer is there."""
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(mirror.ask(tag, 0, 1.0, ASKER)))
    thread.start()
    yield answers
    thread.join()


@pytest.mark.parametrize("period", [0.1, 60.0])
def test_a_request_is_in_time_for_the_scan_after_next_however_long_the_period_is(
    period: float, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PATIENCE", 20.0)
    columns = Columns(Layout(CAPACITY))
    writer = Writer(places.image, columns.layout.size, columns.layout.hash)
    mailbox = Mailbox(places.requests)
    columns[System.Period][0] = period
    writer.publish(columns.arena)
    asking = Mirror(places, CAPACITY, "test")
    asking.refresh()
    began = time.monotonic()
    with asked(asking, System.StatisticsReset) as answers:
        (ask,) = until(lambda: list(mailbox.drain()))
        assert ask.deadline >= began + 20.0 + 2 * period
        columns[Request.Id][0] = ask.id
        columns[Request.Result][0] = Result.EXECUTED
        writer.publish(columns.arena)
    assert [answer.result for answer in answers] == [Result.EXECUTED]
    asking.close()
    mailbox.close()


def test_a_list_of_equipment_that_cannot_be_read_stops_no_server(places: Places) -> None:
    columns = Columns(Layout(CAPACITY))
    writer = Writer(places.image, columns.layout.size, columns.layout.hash)
    places.equipment.write_text("{")
    columns[System.PlantVersion][0] = 3
    writer.publish(columns.arena)
    view = View(places, CAPACITY)
    assert view.refresh()
    assert view.equipment == Equipment()
    Equipment(3, problems=("none",)).save(places.equipment)
    writer.publish(columns.arena)
    assert view.refresh()
    assert view.equipment.version == 3


def test_a_request_that_died_with_its_scan_is_asked_of_the_one_that_takes_over(
    places: Places,
) -> None:
    columns = Columns(Layout(CAPACITY))
    mailbox = Mailbox(places.requests)
    Writer(places.image, columns.layout.size, columns.layout.hash).publish(columns.arena)
    asking = Mirror(places, CAPACITY, "test")
    with asked(asking, System.EmergencyStop) as answers:
        (lost,) = until(lambda: list(mailbox.drain()))
        successor = Writer(places.image, columns.layout.size, columns.layout.hash)
        (again,) = until(lambda: list(mailbox.drain()))
        assert again == lost
        columns[Request.Id][0] = again.id
        columns[Request.Result][0] = Result.EXECUTED
        successor.publish(columns.arena)
    assert [answer.result for answer in answers] == [Result.EXECUTED]
    asking.close()
