"""Writing registers and coils: requests that the scan answers, or the exception that refuses."""

from __future__ import annotations

import math
import struct
from contextlib import closing, suppress

import pytest
from structlog.testing import capture_logs

from runtime.places import Places
from runtime.requests import Ask, Post, Role, Source
from runtime.servers import mirror
from runtime.servers.modbus import service
from runtime.spoolfile import Kind, SpoolReader
from runtime.tag import Tag
from runtime.tags import NUMBER, Pump, Station, System
from tests.processes import until
from tests.servers.modbus.conftest import Running, serving
from tests.servers.modbus.station import Plant
from tests.servers.modbus.wire import Wire, adu, read, write_one, write_registers

ON, OFF = 0xFF00, 0x0000


def floats(address: int, *values: float) -> bytes:
    return write_registers(address, struct.pack(f">{len(values)}f", *values))


@pytest.mark.parametrize(
    ("unit", "address", "tag", "slot"),
    [
        (255, 0, System.EmergencyStop, 0),
        (0, 0, System.EmergencyStop, 0),
        (2, 0, Station.EmergencyStop, 1),
        (1, 400, Pump.EmergencyStop, 3),
    ],
)
def test_a_coil_stops_the_system_a_station_or_a_pump_before_it_is_answered(
    operator: Wire, plant: Plant, unit: int, address: int, tag: Tag, slot: int
) -> None:
    stop = write_one(5, address, ON)
    assert operator.ask(unit, stop) == stop
    assert plant[tag][slot]
    assert operator.ask(unit, read(1, address, 1)) == b"\x01\x01\x01"
    assert operator.ask(2, read(2, 104, 1))[2] == (tag is not Pump.EmergencyStop)  # Stopped


def test_a_stop_cannot_be_cleared_by_coil_because_clearing_needs_a_reason(
    operator: Wire, plant: Plant
) -> None:
    assert operator.ask(1, write_one(5, 100, ON))
    assert operator.ask(1, write_one(5, 100, OFF)) == b"\x85\x03"
    assert operator.ask(1, b"\x0f\x00\x64\x00\x01\x01\x00") == b"\x8f\x03"
    assert plant[Pump.EmergencyStop][0]


def test_several_coils_are_written_in_one_request(operator: Wire, plant: Plant) -> None:
    both = b"\x0f\x00\x00\x00\x02\x01\x03"
    assert operator.ask(255, both) == both[:5]
    assert [ask.tag for ask in plant.asked] == [
        NUMBER[System.EmergencyStop],
        NUMBER[System.StatisticsReset],
    ]


def test_all_changes_of_one_write_go_by_one_trace(operator: Wire, places: Places) -> None:
    for _ in range(2):
        operator.ask(255, b"\x0f\x00\x00\x00\x02\x01\x03")
    with closing(SpoolReader(places.spool / "modbus.db")) as reader:
        traces = [r.body["trace"] for r in reader.batch(100) if r.kind == Kind.REQUEST]
    assert len(traces) == 4
    assert traces[0] == traces[1] != traces[2] == traces[3]


def test_mode_and_setpoint_are_written_together_as_32_bit_values(
    operator: Wire, plant: Plant
) -> None:
    data = struct.pack(">If", 1, 42.5)
    assert operator.ask(1, write_registers(102, data)) == b"\x10\x00\x66\x00\x04"
    assert (plant[Pump.Mode][0], plant[Pump.ManualSetpoint][0]) == (1, 42.5)
    assert operator.registers(3, 1, 102, 4) == data


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [
        (write_registers(102, struct.pack(">If", 1, math.nan)), b"\x90\x03"),
        (write_registers(102, struct.pack(">If", 1, 1000.0)), b"\x90\x03"),
        (write_registers(102, struct.pack(">IfI", 1, 40.0, 0)), b"\x90\x02"),
        (write_registers(102, struct.pack(">IH", 1, 0x4220)), b"\x90\x03"),
    ],
)
def test_of_several_values_none_is_written_if_one_is_impossible(
    operator: Wire, plant: Plant, wrong: bytes, answer: bytes
) -> None:
    assert operator.ask(1, wrong) == answer
    assert plant.asked == []


def test_the_16_bit_view_is_written_register_by_register(operator: Wire, plant: Plant) -> None:
    for request in (write_one(6, 161, 1), write_one(6, 162, 2999)):
        assert operator.ask(1, request) == request
    assert (plant[Pump.Mode][0], plant[Pump.ManualSetpoint][0]) == (1, 29.99)


@pytest.mark.parametrize(
    ("unit", "request_pdu", "answer"),
    [
        (1, write_one(6, 104, 0x4220), b"\x86\x03"),  # half a float
        (1, write_one(6, 105, 0), b"\x86\x03"),
        (1, write_registers(105, bytes(4)), b"\x90\x03"),
        (1, floats(104, math.nan), b"\x90\x03"),
        (1, floats(104, math.inf), b"\x90\x03"),
        (1, floats(104, -math.inf), b"\x90\x03"),
        (1, floats(104, -0.5), b"\x90\x03"),
        (1, floats(104, 100.1), b"\x90\x03"),
        (1, floats(104, 50.5), b"\x90\x03"),  # beyond what this pump may
        (1, write_one(6, 162, 0x8000), b"\x86\x03"),  # "no value"
        (1, write_one(6, 162, 10_001), b"\x86\x03"),
        (1, write_one(6, 161, 2), b"\x86\x03"),  # no such mode
        (1, write_registers(102, struct.pack(">I", 1 << 31)), b"\x90\x03"),
        (1, floats(100, 40.0), b"\x90\x02"),  # the setpoint is read-only
        (1, write_one(6, 160, 4000), b"\x86\x02"),
        (1, write_one(6, 110, 1), b"\x86\x02"),  # a hole
        (1, write_one(5, 101, ON), b"\x85\x02"),
        (1, write_one(5, 300, ON), b"\x85\x02"),  # a gap between blocks
        (1, write_one(5, 9000, ON), b"\x85\x02"),
        (1, write_one(5, 200, ON), b"\x85\x02"),  # a retired pump
        (9, write_one(5, 0, ON), b"\x85\x0b"),
    ],
)
def test_what_cannot_be_written_is_refused_and_changes_nothing(
    operator: Wire, plant: Plant, unit: int, request_pdu: bytes, answer: bytes
) -> None:
    before = plant[Pump.ManualSetpoint].copy(), plant[Pump.Mode].copy()
    assert operator.ask(unit, request_pdu) == answer
    assert (plant[Pump.ManualSetpoint] == before[0]).all()
    assert (plant[Pump.Mode] == before[1]).all()
    assert not plant[Pump.EmergencyStop].any()


def test_a_request_says_who_asked(operator: Wire, plant: Plant) -> None:
    assert operator.ask(1, write_one(5, 100, ON))
    (ask,) = plant.asked
    assert (ask.source, ask.role) == (Source.MODBUS, Role.OPERATOR)


def test_without_the_token_nothing_can_be_written_and_everything_read(
    wire: Wire, plant: Plant
) -> None:
    for request in (write_one(5, 100, ON), write_one(6, 161, 1), floats(104, 40.0)):
        assert wire.ask(1, request) == bytes((request[0] | 0x80, 1))
    assert len(wire.registers(3, 1, 100, 100)) == 200
    assert plant.asked == []


def test_a_wrong_token_is_refused_slowly_and_logged(
    wire: Wire, places: Places, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(service, "sleep", sleep)
    token = bytes.fromhex(places.token())
    wrong = bytes((*token[:-1], token[-1] ^ 1))
    with capture_logs() as lines:
        assert wire.ask(255, write_registers(90, wrong)) == b"\x90\x03"
    assert waits == [service.WRONG_TOKEN_DELAY]
    assert [line.get("reason") or line["why"] for line in lines] == ["wrong token"] * 2
    assert wire.ask(1, write_one(5, 100, ON)) == b"\x85\x01"


@pytest.mark.parametrize("unit", [255, 0])
def test_the_token_unlocks_its_own_connection_only_and_is_never_shown(
    server: Running, places: Places, unit: int
) -> None:
    unlock = write_registers(90, bytes.fromhex(places.token()))
    with Wire(server.port) as one, Wire(server.port) as other:
        assert one.ask(unit, unlock) == unlock[:5]
        assert one.ask(1, write_one(6, 161, 1)) == write_one(6, 161, 1)
        assert other.ask(1, write_one(6, 161, 0)) == b"\x86\x01"
        assert one.registers(3, unit, 90, 8) == bytes(16)


def test_a_token_that_cannot_be_sent_in_registers_unlocks_nothing_and_is_logged(
    places: Places, plant: Plant
) -> None:
    places.token_file.write_text("a pass phrase\n")
    with capture_logs() as lines, serving(places) as server, Wire(server.port) as wire:
        assert wire.ask(255, write_registers(90, bytes(16))) == b"\x90\x03"
    assert "32 hexadecimal digits" in lines[0]["event"]


@pytest.mark.parametrize(
    "partial", [write_one(6, 90, 1), write_registers(90, bytes(14)), write_registers(89, bytes(18))]
)
def test_the_token_is_written_whole_or_not_at_all(wire: Wire, partial: bytes) -> None:
    assert wire.ask(255, partial) == bytes((partial[0] | 0x80, 3))


def test_a_scan_that_does_not_take_the_write_in_time_is_busy_and_never_executes_it(
    operator: Wire, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PATIENCE", 0.1)
    monkeypatch.setattr(mirror, "SCANS", 0)
    plant.hold()
    assert operator.ask(1, write_one(5, 100, ON)) == b"\x85\x06"
    plant.go_on()
    until(lambda: plant[System.Requests][0])
    taken = int(plant[System.Scan][0])
    until(lambda: plant[System.Scan][0] > taken)
    assert not plant[Pump.EmergencyStop].any()


@pytest.mark.parametrize("period", [0.1])
def test_a_scan_that_stands_still_fails_the_write(
    operator: Wire, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.hold()
    until(lambda: operator.ask(1, read(3, 100, 1)) == b"\x83\x04")
    monkeypatch.setattr(mirror, "PATIENCE", 0.1)
    assert operator.ask(1, write_one(5, 100, ON)) == b"\x85\x04"


def test_a_mailbox_that_is_full_makes_the_server_busy(
    operator: Wire, places: Places, plant: Plant
) -> None:
    plant.hold()
    post = Post(places.requests)
    with suppress(mirror.MailboxFull):
        while True:
            post.put(Ask(0, 0, 0, 0.0))
    post.close()
    assert operator.ask(1, write_one(5, 100, ON)) == b"\x85\x06"


def test_a_client_that_leaves_takes_the_writes_with_it_that_waited_behind_another(
    operator: Wire, server: Running, plant: Plant
) -> None:
    plant.hold()
    until(lambda: not server.waits())
    operator.send(adu(1, 1, write_one(6, 161, 1)) + adu(2, 1, write_one(5, 100, ON)))
    until(server.waits)
    operator.socket.close()
    until(lambda: not server.connections())
    plant.go_on()
    until(lambda: plant[Pump.Mode][0] == 1)
    with Wire(server.port) as again:
        assert again.ask(1, read(1, 100, 1)) == b"\x01\x01\x00"
    assert len(plant.asked) == 1
