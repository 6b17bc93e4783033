"""What becomes of a call is what the scan answers: each of its answers, and none."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from asyncua import ua
from asyncua.sync import Client

from runtime.places import Places
from runtime.requests import Ask, Mailbox, MailboxFull, Post, Result
from runtime.retained import RetainedMark
from runtime.servers.opcua.references import node_id
from runtime.tags import NUMBER, Pump, Request, System
from tests.processes import until
from tests.servers.opcua.calling import called, text
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import Running, number, read


class Scan:
    """Answers requests in a painted image, with one result for all."""

    def __init__(self, places: Places, image: Image) -> None:
        self.result = Result.EXECUTED
        self.mark = RetainedMark(places.retained_mark)
        self.mark.scan = 2**60  # what is latched is on disk
        self.image = image
        self._mailbox = Mailbox(places.requests)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self._mailbox.close()

    def _work(self) -> None:
        while not self._ended.is_set():
            for ask in self._mailbox.drain():
                with self.image.change():
                    self.image[Request.Id][7] = ask.id
                    self.image[Request.TakenAt][7] = self.image[System.Scan][0] + 1
                    self.image[Request.Result][7] = self.result
            time.sleep(0.001)


def brief(client: Client, image: Image) -> None:
    """With a shorter period, an answer is not waited for as long."""
    with image.change():
        image[System.Period][0] = 0.5
    until(lambda: number(read(client, "System/Period")) == 0.5)


@pytest.fixture
def scan(painted_places: Places, image: Image) -> Iterator[Scan]:
    scan = Scan(painted_places, image)
    yield scan
    scan.end()


@pytest.mark.parametrize(
    ("result", "name"),
    [
        (Result.UNKNOWN_SLOT, "BadOutOfService"),
        (Result.OUT_OF_RANGE, "BadOutOfRange"),
        (Result.UNKNOWN_STOP, "BadInvalidState"),
        (Result.CAUSE_REMAINS, "BadRequestNotAllowed"),
        (Result.TOO_LATE, "BadTimeout"),
        (Result.NOT_WRITABLE, "BadNotWritable"),
    ],
)
def test_what_the_scan_refuses_is_refused(
    painted_server: Running, scan: Scan, result: Result, name: str
) -> None:
    scan.result = result
    with painted_server.client("operator", painted_server.token) as client:
        found = called(client, "North/11", "North/11/SetEmergencyStop", text("?"))
    assert found.StatusCode.name == name
    assert found.OutputArguments == []


def test_a_stop_that_is_not_on_disk_is_in_force_and_says_so(
    painted_server: Running, scan: Scan
) -> None:
    scan.mark.scan = 0
    with painted_server.client("operator", painted_server.token) as client:
        brief(client, scan.image)
        found = called(client, "North/11", "North/11/SetEmergencyStop", text("no recorder"))
    assert found.StatusCode.name == "GoodCompletesAsynchronously"
    assert len(found.OutputArguments) == 3


def test_a_stop_that_no_scan_answers_times_out_while_its_client_goes_on_reading(
    painted_server: Running, image: Image
) -> None:
    stops = [
        ua.CallMethodRequest(
            node_id("North/11"), node_id("North/11/SetEmergencyStop"), [text("no scan")]
        )
    ]
    with painted_server.client("operator", painted_server.token) as client:
        brief(client, image)
        loop, session = client.tloop.loop, client.aio_obj.uaclient
        assert loop is not None
        waiting = asyncio.run_coroutine_threadsafe(session.call(stops), loop)
        reads = 0
        while not waiting.done():
            assert number(read(client, "North/11/EmergencyStop")) is False
            reads += 1
        assert waiting.result()[0].StatusCode.name == "BadTimeout"
        assert reads > 1


def test_a_full_mailbox_is_told(
    painted_server: Running, painted_places: Places, image: Image
) -> None:
    mailbox = Mailbox(painted_places.requests)
    post = Post(painted_places.requests)
    with suppress(MailboxFull):
        while True:
            post.put(Ask(1, NUMBER[Pump.EmergencyStop], 0, 1.0))
    try:
        with painted_server.client("operator", painted_server.token) as client:
            found = called(client, "North/11", "North/11/SetEmergencyStop", text("?"))
        assert found.StatusCode.name == "BadResourceUnavailable"
    finally:
        while list(mailbox.drain()):
            pass
        mailbox.close()
        post.close()
