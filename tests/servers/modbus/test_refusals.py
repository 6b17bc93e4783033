"""Writes that never reach the scan are recorded all the same, and no token with them."""

from __future__ import annotations

import pytest

from runtime.places import Places
from runtime.servers.modbus import service
from tests.servers.modbus.station import Plant
from tests.servers.modbus.wire import Wire, read, write_one, write_registers
from tests.servers.state import refusals

ON, OFF = 0xFF00, 0x0000


@pytest.mark.parametrize(
    ("unit", "pdu", "problem"),
    [
        (1, write_one(5, 100, OFF), "Pump.EmergencyStop: clearing needs a reason"),
        (1, write_one(5, 100, 7), "coil value 0007 is neither FF00 nor 0000"),
        (1, write_one(5, 9_999, ON), "nothing can be written at address 9999"),
        (99, write_one(5, 100, ON), "there is no unit 99"),
        (1, b"\x14\x00", "function code 20 is not offered"),
    ],
)
def test_a_refused_write_is_recorded(
    places: Places, operator: Wire, unit: int, pdu: bytes, problem: str
) -> None:
    assert operator.ask(unit, pdu)[0] & 0x80
    assert operator.ask(1, read(1, 9_999, 1))[0] & 0x80  # a refused read is none
    (found,) = refusals(places.spool / "modbus.db", 1)
    assert (found["source"], found["who"], found["object"]) == ("MODBUS", "modbus", f"unit {unit}")
    assert found["where"].startswith("127.0.0.1:")
    assert problem in found["details"]["problem"]


def test_a_write_without_the_token_or_with_a_wrong_one_is_recorded_without_it(
    places: Places, plant: Plant, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WRONG_TOKEN_DELAY", 0.0)
    wire.ask(1, write_one(5, 100, ON))
    wire.ask(255, write_registers(90, b"\xab\xcd" * 8))
    wire.ask(255, write_registers(90, b"\xab\xcd" * 4))
    found = refusals(places.spool / "modbus.db", 3)
    assert [record["who"] for record in found] == ["unknown"] * 3
    assert [record["details"]["problem"] for record in found] == [
        "neither an operator nor unlocked: Pump.EmergencyStop",
        "wrong token",
        "the token is 8 registers in one request",
    ]
    assert len({record["correlation"] for record in found}) == 3
    assert "abcd" not in str(found).lower()
    assert plant.asked == []
