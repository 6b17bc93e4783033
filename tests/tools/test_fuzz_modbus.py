"""Malformed Modbus does the server no harm: the short run of `python -m tools.fuzz modbus`."""

from __future__ import annotations

import struct

import pytest

from runtime.requests import Ask, Role, Source
from runtime.tag import Tag
from runtime.tags import NUMBER, Pump
from tools.fuzz import modbus
from tools.fuzz.frames import Frame, Frames


def test_malformed_modbus_frames_do_no_harm() -> None:
    found = modbus.fuzz(1_500, seed=1)
    assert found.answers >= 1_400
    assert found.answers > found.exceptions > 0
    assert found.asked > 0


def test_the_same_seed_makes_the_same_frames() -> None:
    one, other = ([frames.next() for _ in range(500)] for frames in (Frames(3), Frames(3)))
    assert one == other
    assert {frame.pdu[0] for frame in one if frame.pdu} >= set(range(1, 7))


@pytest.mark.parametrize(
    ("transaction", "unit", "pdu", "fits"),
    [
        (7, 1, b"\x03\x04abcd", True),
        (7, 1, b"\x83\x02", True),
        (8, 1, b"\x03\x04abcd", False),  # the answer to another request
        (7, 2, b"\x03\x04abcd", False),
        (7, 1, b"\x03\x02ab", False),
        (7, 1, b"\x04\x04abcd", False),
        (7, 1, b"\x80\x01", False),
        (7, 1, b"\x83\x05", False),
    ],
)
def test_an_answer_that_does_not_match_its_request_is_noticed(
    transaction: int, unit: int, pdu: bytes, fits: bool
) -> None:
    frame = Frame(b"", 7, 1, struct.pack(">BHH", 3, 100, 2))
    assert frame.fits(transaction, unit, pdu) == fits


@pytest.mark.parametrize(
    ("tag", "value", "role"),
    [
        (Pump.Setpoint, 40.0, Role.OPERATOR),
        (Pump.ManualSetpoint, 1e9, Role.OPERATOR),
        (Pump.EmergencyStop, 0.0, Role.OPERATOR),
        (Pump.Mode, 1.0, Role.ENGINEER),
    ],
)
def test_a_wrong_write_is_noticed(tag: Tag, value: float, role: Role) -> None:
    asked = Ask(1, NUMBER[tag], 0, value, 0, role, Source.MODBUS)
    with pytest.raises(modbus.Fault, match="the scan was asked"):
        modbus._check([asked])
