"""What may be read, and what is never shown as if it were true now."""

from __future__ import annotations

import struct

import pytest

from runtime.equipment import Equipment
from runtime.places import Places
from runtime.tags import Pump, System
from tests.processes import until
from tests.servers.modbus.conftest import Running, serving
from tests.servers.modbus.station import PLANT, Plant
from tests.servers.modbus.wire import Wire, read


def test_all_of_a_block_can_be_read_and_nothing_beyond_the_blocks(wire: Wire) -> None:
    assert len(wire.registers(3, 1, 0, 125)) == 250
    assert len(wire.registers(4, 1, 200, 100)) == 200
    assert len(wire.registers(1, 1, 0, 300)) == 38
    assert wire.ask(1, read(3, 300, 1)) == b"\x83\x02"
    assert wire.ask(1, read(4, 299, 2)) == b"\x84\x02"
    assert wire.ask(1, read(1, 499, 2)) == b"\x81\x02"
    assert wire.ask(2, read(2, 200, 1)) == b"\x82\x02"


def test_a_unit_that_does_not_exist_is_a_target_that_does_not_respond(wire: Wire) -> None:
    assert wire.ask(3, read(3, 0, 1)) == b"\x83\x0b"
    assert wire.ask(254, read(4, 0, 1)) == b"\x84\x0b"


def test_values_of_the_newest_scan_are_read(wire: Wire, plant: Plant) -> None:
    until(lambda: plant[Pump.Setpoint][0] == 35.0)  # the default, without a plan

    def seen() -> bool:
        return wire.registers(3, 1, 100, 2) == struct.pack(">f", 35.0)

    until(seen)
    assert wire.registers(3, 1, 160, 1) == struct.pack(">h", 3500)
    first = struct.unpack(">I", wire.registers(4, 255, 0, 2))[0]
    until(lambda: struct.unpack(">I", wire.registers(4, 255, 0, 2))[0] > first)


@pytest.mark.parametrize("period", [0.1])
def test_when_the_scan_stands_still_stations_are_not_shown_and_the_system_says_so(
    wire: Wire, plant: Plant
) -> None:
    assert wire.registers(2, 255, 4, 1) == b"\x01"  # Live
    plant.hold()
    until(lambda: wire.ask(1, read(3, 100, 2)) == b"\x83\x04")
    for function in (1, 2, 3, 4):
        assert wire.ask(2, read(function, 0, 1)) == bytes((function | 0x80, 4))
    scan = wire.registers(4, 255, 0, 2)
    assert struct.unpack(">I", scan)[0] == plant[System.Scan][0]
    assert wire.registers(2, 255, 4, 1) == b"\x00"
    (age,) = struct.unpack(">f", wire.registers(4, 255, 32, 2))
    assert age > 1.0
    until(lambda: struct.unpack(">f", wire.registers(4, 255, 32, 2))[0] > age)
    assert wire.ask(1, read(3, 300, 1)) == b"\x83\x02"  # a wrong address is wrong all the same
    plant.go_on()
    until(lambda: wire.ask(1, read(3, 100, 2))[0] == 3)
    assert wire.registers(2, 255, 4, 1) == b"\x01"


def test_before_the_first_scan_the_units_of_the_last_run_are_known_but_not_shown(
    places: Places,
) -> None:
    PLANT.save(places.equipment)
    with serving(places) as server, Wire(server.port) as wire:
        assert wire.ask(1, read(3, 100, 2)) == b"\x83\x04"
        assert wire.ask(3, read(3, 100, 2)) == b"\x83\x0b"
        assert wire.registers(2, 255, 4, 1) == b"\x00"
        assert wire.registers(4, 255, 32, 2) == struct.pack(">f", float("inf"))


def test_equipment_that_is_added_is_shown_with_the_image_that_has_it(
    wire: Wire, server: Running, places: Places, plant: Plant
) -> None:
    assert wire.ask(2, read(3, 0, 100))[0] == 3
    Equipment(8, PLANT.stations[:1], PLANT.pumps[:1]).save(places.equipment)
    assert wire.ask(2, read(3, 0, 100))[0] == 3
    plant[System.PlantVersion][0] = 8
    until(lambda: wire.ask(2, read(3, 0, 100)) == b"\x83\x0b")
