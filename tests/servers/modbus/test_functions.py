"""Mask write, read and write in one, identification, word order, groups, and the heartbeat."""

from __future__ import annotations

import struct
from contextlib import ExitStack, closing

import pytest

from runtime.equipment import Equipment, PumpEntry
from runtime.layout import Columns
from runtime.places import Places
from runtime.servers.modbus import identification
from runtime.servers.modbus.pdu import Identify
from runtime.servers.modbus.service import MASKINGS
from runtime.spoolfile import Kind, SpoolReader
from runtime.tag import Space, Table
from runtime.tags import SHOWN, Pump, Station, System, shown
from tests.processes import until
from tests.servers.modbus.conftest import Running, serving, unlocked
from tests.servers.modbus.station import PLANT, Plant
from tests.servers.modbus.wire import Wire, adu, read, write_one, write_registers


def mask(address: int, keep: int, put: int) -> bytes:
    return struct.pack(">BHHH", 22, address, keep, put)


def both(address: int, count: int, to: int, data: bytes) -> bytes:
    """Write registers, then read some."""
    head = struct.pack(">BHHHHB", 23, address, count, to, len(data) // 2, len(data))
    return head + data


def test_a_mask_changes_some_bits_of_a_register(operator: Wire, plant: Plant) -> None:
    operator.ask(1, write_one(6, 162, 0b1011_1011_1000))
    request = mask(162, 0xFFF0, 0b0101)
    assert operator.ask(1, request) == request
    assert operator.registers(3, 1, 162, 1) == struct.pack(">H", 0b1011_1011_0101)
    assert plant[Pump.ManualSetpoint][0] == 0b1011_1011_0101 / 100


def test_masks_that_overlap_in_time_lose_nothing_of_each_other(
    server: Running, places: Places, plant: Plant
) -> None:
    bits = [1 << number for number in range(4)]
    with ExitStack() as stack:
        wires = [stack.enter_context(unlocked(server, places)) for _ in bits]
        assert wires[0].ask(1, write_one(6, 162, 3200)) == write_one(6, 162, 3200)
        plant.hold()
        for transaction, (wire, bit) in enumerate(zip(wires, bits, strict=True)):
            wire.send(adu(transaction, 1, mask(162, 0xFFFF & ~bit, bit)))
        until(lambda: [each.waits for each in server.connections()] == [True] * len(bits))
        plant.go_on()
        for transaction, (wire, bit) in enumerate(zip(wires, bits, strict=True)):
            assert wire.receive() == (transaction, 1, mask(162, 0xFFFF & ~bit, bit))
        assert wires[0].registers(3, 1, 162, 1) == struct.pack(">H", 3200 | sum(bits))


def test_a_mask_is_busy_when_the_register_never_stays_what_it_was(
    operator: Wire, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def latch(columns: Columns) -> None:
        columns[Pump.ManualSetpoint][0] = 30.0 + columns[System.Scan][0] % 7

    monkeypatch.setattr(plant, "latch", latch)
    assert operator.ask(1, mask(162, 0xFFFF, 0)) == b"\x96\x06"
    assert len(plant.asked) == MASKINGS


@pytest.mark.parametrize(
    ("address", "answer"), [(104, "96 03"), (160, "96 02"), (110, "96 02"), (300, "96 02")]
)
def test_a_mask_is_refused_where_a_write_is(
    operator: Wire, plant: Plant, address: int, answer: str
) -> None:
    assert operator.ask(1, mask(address, 0, 1)).hex(" ") == answer
    assert plant.asked == []


def test_what_is_written_and_read_in_one_request_is_written_first(operator: Wire) -> None:
    data = struct.pack(">f", 42.5)
    assert operator.ask(1, both(104, 2, 104, data)) == b"\x17\x04" + data
    assert operator.ask(1, both(162, 1, 162, b"\x10\x00")) == b"\x17\x02\x10\x00"


def test_nothing_is_written_for_the_sake_of_what_cannot_be_read(
    operator: Wire, wire: Wire, plant: Plant
) -> None:
    data = struct.pack(">f", 42.5)
    assert operator.ask(1, both(300, 1, 104, data)) == b"\x97\x02"
    assert operator.ask(1, both(104, 2, 104, data[:2])) == b"\x97\x03"
    assert wire.ask(1, both(104, 2, 104, data)) == b"\x97\x01"
    assert plant.asked == []


def test_a_token_can_be_shown_with_a_read_behind_it(wire: Wire, places: Places) -> None:
    token = bytes.fromhex(places.token())
    assert wire.ask(255, both(90, 1, 90, token)) == b"\x17\x02\x00\x00"
    assert wire.ask(1, write_one(6, 161, 1)) == write_one(6, 161, 1)


def test_of_several_values_none_is_written_if_the_scan_refuses_one(
    operator: Wire, plant: Plant
) -> None:
    beyond = struct.pack(">If", 1, 60.0)  # manual, at more than this pump may
    assert operator.ask(1, write_registers(102, beyond)) == b"\x90\x03"
    assert len(plant.asked) == 2
    assert (plant[Pump.Mode][0], plant[Pump.ManualSetpoint][0]) == (0, 0.0)


def identified(wire: Wire, unit: int, category: int, first: int = 0) -> dict[int, str]:
    """The objects of a stream, of as many answers as it takes."""
    found: dict[int, str] = {}
    while True:
        pdu = wire.ask(unit, bytes((43, 14, category, first)))
        assert pdu[:4] == bytes((43, 14, category, 0x83))
        more, following, count = pdu[4:7]
        rest = pdu[7:]
        for _ in range(count):
            number, size = rest[:2]
            found[number] = rest[2 : 2 + size].decode()
            rest = rest[2 + size :]
        assert not rest
        if not more:
            assert following == 0
            return found
        first = following


def test_the_device_says_what_it_is_and_what_the_blocks_of_the_unit_are(wire: Wire) -> None:
    basic, regular, extended = (identified(wire, 1, category) for category in (1, 2, 3))
    assert list(basic) == [0, 1, 2]
    assert basic[0] == "Calejo"
    assert list(regular) == [0, 1, 2, 4, 5, 6]
    assert regular[6] == "North"
    assert [extended[number] for number in sorted(extended) if number >= 0x80] == [
        "0: station North",
        "100: pump 11 of North, First",
        "200: pump 12 of North, Retired",
        "400: pump 13 of North, Last",
    ]
    assert identified(wire, 255, 2)[6] == "system"


def test_one_object_is_told_alone_and_a_stream_from_an_unknown_one_begins_anew(wire: Wire) -> None:
    assert identified(wire, 1, 4, 0x04) == {4: "Calejo Control Adapter"}
    assert identified(wire, 1, 4, 0x81) == {0x81: "100: pump 11 of North, First"}
    assert wire.ask(1, bytes((43, 14, 4, 0x7F))) == b"\xab\x02"
    assert identified(wire, 1, 1, 0x55) == identified(wire, 1, 1)


def test_objects_that_do_not_fit_into_one_answer_follow_in_the_next() -> None:
    known = {number: bytes(100) for number in (0, 1, 2, 0x80, 0x81)}
    first = identification.answer(Identify(3, 0), known)
    assert (first[4], first[5], first[6], len(first)) == (0xFF, 2, 2, 7 + 2 * 102)
    last = identification.answer(Identify(3, 0x80), known)
    assert (last[4], last[5], last[6]) == (0, 0, 2)
    longest = PumpEntry(9, 31, "North", "ü" * 300, 1, 500, True, {})
    told = identification.objects(Equipment(1, PLANT.stations, (longest,)), 1)
    assert len(identification.answer(Identify(4, 0x81), told)) == 253


def test_the_low_word_can_be_the_first(places: Places, plant: Plant) -> None:
    until(lambda: plant[Pump.Setpoint][0] == 35.0)
    high, low = struct.pack(">f", 42.625)[:2], struct.pack(">f", 42.625)[2:]
    with serving(places, word_order="low_first") as server, unlocked(server, places) as wire:
        assert wire.ask(1, write_registers(104, low + high))[0] == 16
        assert plant[Pump.ManualSetpoint][0] == 42.625
        assert wire.registers(3, 1, 104, 2) == low + high
        assert wire.registers(3, 1, 162, 1) == struct.pack(">h", 4262)  # 16 bits have no order
        scan = wire.registers(4, 255, 0, 2)
        assert 0 < struct.unpack("<HH", scan[1::-1] + scan[:1:-1])[0] < 60_000


@pytest.mark.parametrize("table", SHOWN)
def test_beside_every_value_with_a_quality_its_quality_is_to_be_read(table: type[Table]) -> None:
    for tag in shown(table):
        if tag.quality is not None and tag.register is not None:
            quality = table.tag(tag.quality)
            assert quality.register is not None, tag
            assert quality.space is Space.INPUT


def test_the_ages_of_image_feedback_and_plan_are_to_be_read(wire: Wire, plant: Plant) -> None:
    until(lambda: plant[System.Scan][0] > 1)
    for unit, base, tag in (
        *((255, 0, System.ImageAge), (255, 0, System.HeartbeatAge)),
        *((1, 0, Station.PlanAge), (1, 100, Pump.FeedbackAge)),
    ):
        (age,) = struct.unpack(">f", wire.registers(4, unit, base + (tag.register or 0), 2))
        assert 0.0 <= age < 120.0, tag


def test_scada_beats_by_a_register_and_reads_ours(operator: Wire, plant: Plant) -> None:
    for count in (7, 8):
        assert operator.ask(255, write_one(6, 60, count)) == write_one(6, 60, count)
        assert plant[System.Heartbeat][0] == count
        assert operator.registers(3, 255, 0, 2) == struct.pack(">I", count)
    assert operator.ask(255, write_one(6, 60, 0x8000)) == b"\x86\x03"
    first = operator.registers(4, 255, 0, 2)
    until(lambda: operator.registers(4, 255, 0, 2) != first)  # the number of the scan


def test_a_heartbeat_is_no_entry_of_the_trail(operator: Wire, places: Places, plant: Plant) -> None:
    operator.ask(255, write_one(6, 60, 7))
    operator.ask(1, write_one(6, 161, 1))
    with closing(SpoolReader(places.spool / "modbus.db")) as reader:
        asked = [r.body["tag"] for r in reader.batch(100) if r.kind == Kind.REQUEST]
    assert asked == ["Pump.Mode"]
    assert len(plant.asked) == 2


def test_reads_of_a_pump_that_never_was_are_refused(wire: Wire) -> None:
    assert wire.ask(1, read(3, 299, 2)) == b"\x83\x02"
    assert wire.ask(1, read(4, 500, 1)) == b"\x84\x02"
