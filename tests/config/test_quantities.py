"""Numbers with a unit: what is written is what is held, and the way back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.quantity import Duration, Frequency, Length, Quantity, SpeedPerLevel, SpeedPerPower

ANY_DURATION = Duration("0 s", "100000 d")
EVERY = (
    ANY_DURATION,
    Length("0 m", "1e9 m"),
    Frequency("0 Hz", "1e9 Hz"),
    SpeedPerLevel("0 Hz/m", "1e9 Hz/m"),
    SpeedPerPower("0 Hz/kW", "1e9 Hz/kW"),
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("100 ms", 0.1),
        ("100ms", 0.1),
        (" 0.1 s ", 0.1),
        ("20 min", 1200.0),
        ("1.5 h", 5400.0),
        ("7 d", 604_800.0),
        (".5 s", 0.5),
        ("1e2 ms", 0.1),
        ("0 s", 0.0),
    ],
)
def test_a_duration_is_held_in_seconds(written: str, seconds: float) -> None:
    assert ANY_DURATION.read(written) == seconds


@pytest.mark.parametrize(
    ("quantity", "written", "held"),
    [
        (Length("0 m", "5 m"), "2 cm", 0.02),
        (Length("0 m", "5 m"), "20 mm", 0.02),
        (Frequency("0 Hz", "50 Hz"), "2 Hz", 2.0),
        (SpeedPerLevel("0 Hz/m", "100 Hz/m"), "1.5 Hz/m", 1.5),
        (SpeedPerPower("0 Hz/kW", "9 Hz/kW"), "0.2 Hz/kW", 0.2),
    ],
)
def test_other_quantities_are_held_in_their_base_unit(
    quantity: Quantity, written: str, held: float
) -> None:
    assert quantity.read(written) == held


@pytest.mark.parametrize(
    "written",
    [
        *("", "20", "s", "20 furlong", "20 MIN", "1,5 s", "1 s 2", "nan s", "inf s", "- 1 s"),
        *("1_0 s", "١ s", "1e999 s", "-1 s", "0x10 s", "20:00", "1 min 30 s", "1 s\n2 s"),
    ],
)
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        ANY_DURATION.read(written)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300])
def test_a_value_outside_of_the_range_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r".*"):
        ANY_DURATION.read(value)


def test_a_plain_number_is_told_which_units_there_are() -> None:
    with pytest.raises(ValueError, match="a number needs its unit: ms, s, min, h, d"):
        ANY_DURATION.read("20")


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "0 s"),
        (0.02, "20 ms"),
        (0.0001, "0.0001 s"),
        (1.0, "1 s"),
        (90.0, "1.5 min"),
        (100.0, "100 s"),
        (1200.0, "20 min"),
        (129_600.0, "1.5 d"),
        (1e6, "1000000 s"),
    ],
)
def test_a_duration_is_written_in_a_unit_that_fits(seconds: float, written: str) -> None:
    assert ANY_DURATION.write(seconds) == written


@pytest.mark.parametrize("quantity", EVERY, ids=lambda quantity: next(iter(quantity.units)))
@given(data=st.data())
def test_writing_and_reading_gives_the_same_float(quantity: Quantity, data: st.DataObject) -> None:
    low, high = quantity.read(quantity.low), quantity.read(quantity.high)
    value = data.draw(st.floats(low, high))
    assert quantity.read(quantity.write(value)) == value


@given(st.text())
def test_reading_any_text_gives_a_number_in_range_or_a_refusal(text: str) -> None:
    try:
        value = ANY_DURATION.read(text)
    except ValueError:
        return
    assert 0 <= value <= 100_000 * 86_400
