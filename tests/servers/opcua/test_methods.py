"""Emergency stops by method: asked of the scan, answered by it, only for the operator."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import orjson
import pytest
from asyncua import ua
from asyncua.sync import Client

from runtime.places import Places
from runtime.requests import Ask, Mailbox, MailboxFull, Post, Result, Role, Source
from runtime.retained import RetainedMark
from runtime.servers.opcua.references import node_id
from runtime.tags import NUMBER, Pump, Request, Station, System
from tests.servers.modbus.station import Plant, until
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import Running, awaited, node, number, read, refused

SCOPES = {"System": System, "South": Station, "North/13": Pump}


def stop(client: Client, path: str, *reason: object) -> list[float]:
    """Call SetEmergencyStop; what it returns."""
    found: list[float] = node(client, path).call_method("2:SetEmergencyStop", *reason)
    return found


def clear(client: Client, path: str, *reason: object) -> list[float]:
    found: list[float] = node(client, path).call_method("2:ClearEmergencyStop", *reason)
    return found


def called(client: Client, place: str, method: str, *inputs: ua.Variant) -> ua.CallMethodResult:
    """The bare result of a call."""
    call = ua.CallMethodRequest(node_id(place), node_id(method), list(inputs))
    result: ua.CallMethodResult = awaited(client, client.aio_obj.uaclient.call([call]))[0]
    return result


def text(value: str | None) -> ua.Variant:
    return ua.Variant(value, ua.VariantType.String)


@pytest.mark.parametrize("path", SCOPES)
def test_a_stop_is_in_force_when_the_call_returns_until_it_is_cleared(
    operator: Client, plant: Plant, path: str
) -> None:
    request, scan, latency = stop(operator, path, "smoke")
    tag = f"{path}/EmergencyStop"
    assert number(read(operator, tag)) is True
    assert number(read(operator, f"{tag}Id")) == request
    assert 0 < latency < 2
    assert scan <= (number(read(operator, "System/Scan")) or 0)
    ask = plant.asked[-1]
    assert (ask.id, ask.value, ask.role, ask.source) == (request, 1.0, Role.OPERATOR, Source.OPCUA)
    cleared, later, _ = clear(operator, path, "smoke is gone")
    assert cleared != request
    assert later > scan
    assert plant.asked[-1].reference == request
    assert number(read(operator, tag)) is False
    assert number(read(operator, f"{tag}Id")) == 0


def test_who_asked_and_why_is_spooled_first(operator: Client, server: Running) -> None:
    request, *_ = stop(operator, "North/11", "  välj  ")
    try:
        records = [found for found in spooled(server) if found["id"] == request]
        assert len(records) == 1
        assert records[0]["tag"] == "Pump.EmergencyStop"
        assert (records[0]["who"], records[0]["why"]) == ("operator", "välj")
        assert (records[0]["source"], records[0]["role"]) == ("OPCUA", "OPERATOR")
        assert str(records[0]["where"]).startswith("127.0.0.1:")
    finally:
        clear(operator, "North/11", "test")


def spooled(server: Running) -> list[dict[str, object]]:
    """What lies in the spool of the server."""
    with closing(sqlite3.connect(server.spool)) as database:
        rows = database.execute("select body from record where kind = 'request'").fetchall()
    return [orjson.loads(body) for (body,) in rows]


@pytest.mark.parametrize("reason", ["", "   ", None])
def test_a_stop_needs_no_reason_but_clearing_does(
    operator: Client, plant: Plant, reason: str | None
) -> None:
    assert called(
        operator, "North/11", "North/11/SetEmergencyStop", text(reason)
    ).StatusCode.is_good()
    result = called(operator, "North/11", "North/11/ClearEmergencyStop", text(reason))
    assert result.StatusCode.name == "BadInvalidArgument"
    assert [code.name for code in result.InputArgumentResults] == ["BadOutOfRange"]
    assert number(read(operator, "North/11/EmergencyStop")) is True
    clear(operator, "North/11", "test")


def test_clearing_where_no_stop_is_in_force_is_refused(operator: Client, plant: Plant) -> None:
    stop(operator, "North", "the station, not the pump")
    with refused("BadInvalidState"):
        clear(operator, "North/11", "nothing to clear")
    clear(operator, "North", "test")


def test_a_pump_that_is_retired_can_not_be_stopped(operator: Client, plant: Plant) -> None:
    with refused("BadOutOfService"):
        stop(operator, "North/12", "retired")


@pytest.mark.parametrize("path", SCOPES)
def test_anonymous_may_not_call(anonymous: Client, plant: Plant, path: str) -> None:
    asked = len(plant.asked)
    with refused("BadUserAccessDenied"):
        stop(anonymous, path, "nobody")
    with refused("BadUserAccessDenied"):
        clear(anonymous, path, "nobody")
    assert len(plant.asked) == asked
    assert number(read(anonymous, f"{path}/EmergencyStop")) is False


@pytest.mark.parametrize(
    ("inputs", "name", "arguments"),
    [
        ([], "BadArgumentsMissing", []),
        ([text("a"), text("b")], "BadTooManyArguments", []),
        ([ua.Variant(1, ua.VariantType.Int32)], "BadInvalidArgument", ["BadTypeMismatch"]),
        ([ua.Variant(["a"], ua.VariantType.String)], "BadInvalidArgument", ["BadTypeMismatch"]),
        ([ua.Variant(None)], "BadInvalidArgument", ["BadTypeMismatch"]),
        ([text("a" * 1001)], "BadInvalidArgument", ["BadOutOfRange"]),
        ([text("zero \0 byte")], "BadInvalidArgument", ["BadOutOfRange"]),
        ([text("no UTF-8: \udcff")], "BadInvalidArgument", ["BadOutOfRange"]),
    ],
)
def test_arguments_are_checked(
    operator: Client, plant: Plant, inputs: list[ua.Variant], name: str, arguments: list[str]
) -> None:
    result = called(operator, "North/11", "North/11/SetEmergencyStop", *inputs)
    assert result.StatusCode.name == name
    assert [code.name for code in result.InputArgumentResults] == arguments
    assert number(read(operator, "North/11/EmergencyStop")) is False


@pytest.mark.parametrize(
    ("place", "method", "name"),
    [
        ("North/11", "North/13/SetEmergencyStop", "BadMethodInvalid"),
        ("North/11", "North/11/EmergencyStop", "BadMethodInvalid"),
        ("North/11", "North/11/Restart", "BadNodeIdUnknown"),
        ("North/99", "North/99/SetEmergencyStop", "BadNodeIdUnknown"),
    ],
)
def test_a_method_belongs_to_its_object(
    operator: Client, plant: Plant, place: str, method: str, name: str
) -> None:
    assert called(operator, place, method, text("?")).StatusCode.name == name


def test_a_method_says_what_it_takes_and_returns(anonymous: Client) -> None:
    inputs = node(anonymous, "North/11/SetEmergencyStop/InputArguments").read_value()
    outputs = node(anonymous, "North/11/SetEmergencyStop/OutputArguments").read_value()
    assert [argument.Name for argument in inputs] == ["Reason"]
    assert [argument.Name for argument in outputs] == ["RequestId", "Scan", "Latency"]


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
